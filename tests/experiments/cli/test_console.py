import io
import itertools

import pytest
from rich.console import Console

from experiments.analysis.comparison import Difference
from experiments.analysis.statistics import Interval
from experiments.cli import console
from experiments.runs import plan
from experiments.runs.results import Results
from experiments.runs.rows import Row
from experiments.sweep.pool import Event


@pytest.mark.parametrize(
    ("low", "high", "metric", "words"),
    [
        (-0.1, 0.2, "accuracy", "undecided: the interval holds 0"),
        (0.0, 0.2, "accuracy", "undecided: the interval holds 0"),
        (0.1, 0.2, "accuracy", "ALTO is better"),
        (0.1, 0.2, "loss", "LAMB is better"),
        (-0.2, -0.1, "accuracy", "LAMB is better"),
        (-0.2, -0.1, "loss", "ALTO is better"),
        (0.0, 0.0, "accuracy", "equal for every seed"),
        (0.28, 0.28, "accuracy", "open: all seeds tie"),
        (None, None, "accuracy", "one seed gives no interval"),
    ],
)
def test_a_difference_in_words(low, high, metric, words):
    interval = Interval(mean=0.0, low=low, high=high, n=1 if low is None else 5)
    assert words in console.meaning(Difference("small", "ALTO", "LAMB", interval, 1.0), metric)


def test_a_log_has_a_line_in_ten_seconds_with_an_estimate_from_this_call_alone(tiny, monkeypatch):
    out = io.StringIO()
    monkeypatch.setattr(console, "_err", Console(file=out, width=200, emoji=False))
    clock = itertools.count(0.0, 4.0)  # seconds between two looks at the clock
    monkeypatch.setattr(console.time, "monotonic", lambda: next(clock))
    runs = plan.tuning_runs(tiny, plan.Cell("small", "LAMB"), 160)
    runs += plan.tuning_runs(tiny, plan.Cell("small", "ALTO"), 160)
    with console.progress("tiny", 4) as follow:
        follow(Event(runs[0], 1, 1, before=True))  # at 4 s
        follow(Event(runs[1], 5, 10))  # at 8 s
        follow(Event(runs[1], 1, 1))  # at 12 s: 4 s for a run
        follow(Event(runs[2], 1, 1))  # at 16 s
        follow(Event(runs[3], 5, 10))  # at 20 s
        follow(Event(runs[3], failure="a.py:B@050a7bc4eb1f: no luck"))  # at 24 s: 2 runs in 16 s, one is left
    lines = out.getvalue().splitlines()
    assert lines[0] == "tiny: 2 of 4 runs finished after 12 s, about 8 s left"
    assert lines[1].endswith(" a.py:B: no luck")
    assert lines[2] == "tiny: 3 of 4 runs finished after 24 s, about 8 s left"
    assert len(lines) == 3
    assert follow.trained == 2


def test_one_of_a_thing_has_no_plural():
    assert [console.count(n, "seed") for n in (0, 1, 2)] == ["0 seeds", "1 seed", "2 seeds"]


@pytest.mark.parametrize(("diverged", "end"), [(0, ""), (1, "; 1 of them diverged"), (2, "; 2 of them diverged")])
def test_the_outcome_says_how_many_final_runs_diverged(tiny, place, capsys, diverged, end):
    cell = plan.Cell("small", "LAMB")
    runs = enumerate(plan.final_runs(tiny, cell, 0.1, 160))
    failed = {"a": "net.py:B@050a7bc4eb1f: no"}
    rows = [Row(run, (), i < diverged, 9, 1, "", "", "", 1.0, 0, 1.0, 1, {}, {}, "") for i, run in runs]
    console.show_outcome(Results(tiny, {}, {cell: rows}, failed), 2, place, "tiny")
    lines = capsys.readouterr().out.splitlines()
    assert f"2 final runs of 4 finished{end}" in lines
    assert "failed: a: net.py:B: no" in lines
