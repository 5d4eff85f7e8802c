"""``python -m theory bound`` and ``watch`` with an optimizer of one's own."""

import pytest

from theory.__main__ import main
from theory.method.filters import Filter
from theory.monitor.bound import bound
from theory.theorems.bounds import Preconditioner

SGD = ("bound", "torch.optim:SGD", "--steps", "20", "--kwargs", "lr=.05")


def test_by_hand():
    """No momentum, Q = 1: 2 gap / (eta T) + variance."""
    found = bound(Filter(0, 0, 0), Preconditioner(1, 1), L=2, eta=0.25, T=10, gap=5, first=9, variance=0.5)
    assert found.value == pytest.approx(2 * 5 / (0.25 * 10) + 0.5)
    assert found.largest == pytest.approx(0.25)
    assert found.allowed


def test_measured_constants(capsys):
    assert main([*SGD]) == 0
    shown = capsys.readouterr().out
    assert "yes  there is no constant weight decay" in shown
    assert "Assumed, not checked" in shown
    assert "\n(1/T) sum E|grad f|^2 <= " in shown


def test_given_constants_are_said_to_be_given(capsys):
    words = ["--L=2", "--gap=5", "--first=9", "--q-min=1", "--q-max=1", "--eta=.25", "--variance=.5"]
    assert main([*SGD, *words]) == 0
    shown = capsys.readouterr().out
    assert "2           Lipschitz constant of the gradient (given)" in shown
    assert f"<= {2 * 5 / (0.25 * 20) + 0.5:.5g}" in shown


@pytest.mark.parametrize(
    ("words", "reason"),
    [(["weight_decay=.1"], "NO   there is no constant weight decay"), (["--L=1000"], "NO   eta")],
    ids=["decay", "rate"],
)
def test_no_bound_where_a_hypothesis_fails(words, reason, capsys):
    assert main([*SGD, *words]) == 1
    shown = capsys.readouterr().out
    assert reason in shown
    assert "not claimed, as a hypothesis above does not hold" in shown


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["bound", "torch.optim:RMSprop", "--steps", "3"], "is not known: give --q-min, --q-max, --alpha"),
        ([*SGD, "--q-min=1"], "--q-min and --q-max go together"),
        ([*SGD, "--L=-1"], "L is -1.0: allowed are finite numbers above 0"),
        ([*SGD, "--alpha=inf"], "alpha is inf: allowed are finite numbers"),
        ([*SGD, "--alpha=nan"], "alpha is nan: allowed are finite numbers"),
        ([*SGD, "--alpha=1e200"], "float64 cannot hold"),
        ([*SGD, "--gap=1e308", "--q-min=1e-200", "--q-max=1"], "float64 cannot hold"),
        ([*SGD, "--first=nan"], "first is nan: allowed are finite numbers from 0 on"),
        ([*SGD, "--beta2=1"], "allowed are 0 <= beta < 1"),
        (["watch", "--optimizer", "SGD"], "must have the form"),
        (["watch", "--kwargs", "lr=1"], "--kwargs is for --optimizer"),
        (["monitor"], "monitor is now called watch"),
    ],
    ids=[
        "unknown",
        "half",
        "L",
        "alpha",
        "no alpha",
        "huge alpha",
        "huge gap",
        "first",
        "beta",
        "form",
        "kwargs",
        "monitor",
    ],
)
def test_refused(arguments, words, capsys):
    assert main(arguments) == 2
    assert words in capsys.readouterr().err


def test_watch_any_optimizer(capsys):
    assert main(["watch", "--optimizer", "torch.optim:AdamW", "--kwargs", "lr=.01", "--steps", "5"]) == 0
    assert "5 steps, 4 compared" in capsys.readouterr().out
