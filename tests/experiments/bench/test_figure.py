"""The pictures of the stored benchmark show its medians."""

import copy
from pathlib import Path

import pytest

from experiments.analysis import benchmarks
from experiments.bench import figure
from experiments.cli.report import _benchmarks

RESULTS = Path(__file__).parents[3] / "results"


@pytest.fixture
def stored():
    return benchmarks.read(RESULTS / "bench")


def test_a_step_is_a_dot_for_each_network_and_one_number_for_the_largest(stored):
    (panel,) = figure.draw(stored["step"]).axes
    largest = max(stored["step"]["cases"], key=lambda case: case["parameters"])
    rows = {row["title"]: row for row in largest["contestants"]}
    shown = [tick.get_text() for tick in panel.get_yticklabels()]
    assert set(shown) == set(rows) - {"copy", "in place"}
    medians = [rows[title]["times_adamw_fused"]["median"] for title in shown]
    assert medians == sorted(medians)
    assert [text.get_text() for text in panel.texts] == [f"{median:.2g}" for median in medians]
    assert len(panel.containers) == len(stored["step"]["cases"])
    assert list(panel.containers[-1][0].get_xdata()) == medians
    assert not panel.patches  # the length of a bar on a logarithmic axis means nothing


def test_without_fused_adamw_a_step_is_told_in_milliseconds(stored):
    step = copy.deepcopy(stored["step"])
    for case in step["cases"]:
        case["contestants"] = [{**row, "times_adamw_fused": None} for row in case["contestants"]]
    (panel,) = figure.draw(step).axes
    assert "in milliseconds" in panel.get_xlabel()


def test_every_line_over_the_size_looks_different(stored):
    (panel,) = figure.draw(stored["scaling"]).axes
    looks = [(line.get_color(), line.get_linestyle(), line.get_marker()) for line in panel.get_lines()]
    assert len(set(looks)) == len(looks) == len(stored["scaling"]["cases"][0]["contestants"]) + 1


def test_each_stored_benchmark_that_has_a_figure_is_drawn(stored, tmp_path):
    assert stored.keys() - figure.KINDS.keys() == {"host"}
    drawn = {path.stem for path in _benchmarks(RESULTS, tmp_path)}
    assert drawn == {"bench-memory", "bench-scaling", "bench-step"}
