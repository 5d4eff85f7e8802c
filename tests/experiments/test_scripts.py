"""The scripts beside the package: what they decide from rows, and that what is stored follows from the stored runs."""

import csv
import importlib.util
import json
import math
from collections import defaultdict
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
STORED = ROOT / "results" / "learning-rates"


def script(path):
    spec = importlib.util.spec_from_file_location(Path(path).stem, ROOT / "experiments" / "scripts" / path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


RULE = script("learning_rates/rule.py")


def curve(best, *, low=-8, high=0, seeds=(1, 2, 3)):
    """A loss that is least at the rate 2^best, for every seed."""
    return {2.0**k: dict.fromkeys(seeds, float(abs(k - best))) for k in range(low, high + 1)}


def stored():
    losses = defaultdict(lambda: defaultdict(dict))
    with (STORED / "runs.csv").open() as file:
        for row in csv.DictReader(file):
            losses[row["task"], row["method"]][float(row["lr"])][int(row["seed"])] = float(row["loss"])
    return losses


def rules(source, target):
    tasks = range(len(source))
    losses = {(f"task {t}", "A"): curve(source[t]) for t in tasks} | {
        (f"task {t}", "B"): curve(target[t]) for t in tasks
    }
    return {(one["from"], one["to"]): one for one in RULE.decide(losses)["rules"]}


def test_a_shift_that_all_tasks_share_is_a_rule_both_ways():
    found = rules((-6, -5, -4), (-4, -3, -2))
    assert found["A", "B"] == {"from": "A", "to": "B", "factor": 4, "low": 4, "high": 4, "holds": True, "why": ""}
    assert found["B", "A"]["factor"] == 0.25


def test_tasks_that_disagree_are_no_rule():
    one = rules((-5, -5, -5), (-7, -4, -2))["A", "B"]
    assert not one["holds"]
    assert one["low"] < one["factor"] < one["high"]
    assert "disagree" in one["why"]


def test_a_best_rate_on_the_edge_is_no_rule():
    one = rules((-5, -5, -5), (0, 0, 0))["A", "B"]
    assert not one["holds"]
    assert "edge of the grid: B on task 0" in one["why"]


def test_a_run_that_diverged_is_no_best_rate():
    losses = curve(-4)
    losses[2.0**-4] = dict.fromkeys((1, 2, 3), math.inf)
    assert RULE.best(losses)["rate"] != 2.0**-4


def test_the_stored_rules_follow_from_the_stored_runs():
    kept = json.loads((STORED / "rules.json").read_text())
    again = RULE.decide(stored())
    assert len(again["rules"]) == 12
    for name in ("best", "rules"):
        for a, b in zip(kept[name], again[name], strict=True):
            assert a == {key: pytest.approx(value) if isinstance(value, float) else value for key, value in b.items()}


def test_twice_the_best_rate_of_lamb_and_alto_failed():
    """As docs/use/choosing.md says of these networks."""
    losses = stored()
    for (task, method), rates in losses.items():
        if method in {"LAMB", "ALTO"}:
            mean = {rate: sum(seeds.values()) / len(seeds) for rate, seeds in rates.items()}
            best = min(mean, key=mean.__getitem__)
            twice = min(rate for rate in mean if rate > 1.5 * best)
            assert mean[twice] > 1.4 * mean[best], (task, method)


@pytest.mark.parametrize("steps", [20, 7])
def test_the_bare_loop_takes_the_same_steps(monkeypatch, steps):
    overhead = script("loop_overhead.py")
    monkeypatch.setattr(overhead, "STEPS", steps)
    # more than an epoch, whose last batch is smaller
    bare, ours, equal = overhead.compare(batch_size=400, widths=[4], rounds=2)
    assert len(bare) == len(ours) == 2
    assert min(bare + ours) > 0
    assert equal
