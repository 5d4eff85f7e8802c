"""Figures are the same whatever the user's matplotlibrc says."""

from pathlib import Path
from typing import Any

import matplotlib as mpl
import pytest

from experiments.analysis import benchmarks, kept
from experiments.bench import figure
from experiments.report.figures import draw
from theory.plotting import style

RESULTS = Path(__file__).parents[3] / "results"
KEYS: Any = ("text.usetex", "axes.facecolor", "savefig.facecolor")
USERS: Any = {
    "text.usetex": True,  # fails where there is no latex
    "axes.facecolor": "red",
    "savefig.facecolor": "blue",
    "savefig.dpi": 37,
    "pdf.fonttype": 42,
    "font.family": "monospace",
    "lines.marker": "x",
}


@pytest.fixture
def in_a_users_style():
    with mpl.rc_context():
        yield lambda: mpl.rcParams.update(USERS)


def contents(paths):
    return {path.name: path.read_bytes() for path in paths}


def test_those_of_an_experiment(in_a_users_style, tmp_path):
    made = kept.read(RESULTS / "experiments" / "digits-laptop.json")
    plain = contents(draw.draw(made, tmp_path))
    in_a_users_style()
    assert contents(draw.draw(made, tmp_path)) == plain


def test_those_of_the_benchmarks(in_a_users_style, tmp_path):
    report = benchmarks.read(RESULTS / "bench")["step"]
    plain = contents(draw.write(figure.draw(report), tmp_path, "step"))
    in_a_users_style()
    assert contents(draw.write(figure.draw(report), tmp_path, "step")) == plain


def test_those_of_the_theory(in_a_users_style):
    in_a_users_style()
    with style.context():
        inside = {key: mpl.rcParams[key] for key in KEYS}
        assert mpl.rcParams["savefig.dpi"] == style.Look().rc()["savefig.dpi"]
    assert inside == {key: mpl.rcParamsDefault[key] for key in KEYS}
    assert mpl.rcParams["savefig.dpi"] == USERS["savefig.dpi"]
