"""Advice against eigenvalues, simulated gradients and the optimizers that it names; the command's JSON."""

import doctest
import json
import math
import subprocess
import sys

import numpy as np
import pytest

import theory
from theory import __main__ as command
from theory.commands import tables
from theory.ledger.provenance import ROOT
from theory.method.filters import Filter
from theory.method.sequences import accumulated, average
from theory.method.sequences import explored as on_sequence
from theory.method.setting import Setting
from theory.stability import linear
from theory.stability.advice import _cliff
from theory.stability.equivalents import Equivalent, distance, equivalents, explored

KEYS = {
    "c", "largest_stable_lr_times_sharpness", "binding", "mean_age_of_u", "noise_gain", "slow_weight", "alpha_star",
    "inside_paper_region", "warnings",
}  # fmt: skip
PAPER = [(-5.0, 0.99, 0.9), (0.5, 0.01, 0.9), (-80.0, 0.99, 0.95), (-90.0, 0.99, 0.9)]
OTHERS = [
    (-0.5, 0.01, 0.9),
    (-95.0, 0.99, 0.9),
    (0.0, 0.99, 0.9),
    (3.0, 0.9, 0.0),
    (-3.0, 0.9, 0.9),
    (-150.0, 0.99, 0.0),
]


@pytest.mark.parametrize(("alpha", "beta1", "beta2"), PAPER + OTHERS)
def test_the_largest_stable_step_is_where_the_eigenvalues_leave(alpha, beta1, beta2):
    lr = 0.3
    advice = theory.advise(lr=lr, alpha=alpha, beta1=beta1, beta2=beta2)
    inside, outside = (
        theory.advise(lr=lr, alpha=alpha, beta1=beta1, beta2=beta2, sharpness=share * advice.largest_stable_sharpness)
        for share in (0.999, 1.001)
    )
    assert inside.stable
    assert not outside.stable
    assert inside.spectral_radius < 1 < outside.spectral_radius
    matrix = linear.system(1.001 * advice.largest_stable_lr_times_sharpness, advice.c, beta1, beta2)[0]
    roots = np.linalg.eigvals(matrix)
    leaving = roots[np.abs(roots).argmax()]
    assert advice.binding == ("flip" if abs(leaving.imag) < 1e-12 and leaving.real < 0 else "oscillation")


@pytest.mark.parametrize(("alpha", "beta1", "beta2"), PAPER)
def test_no_larger_sharpness_is_called_stable_for_eadams_first_moment(alpha, beta1, beta2):
    """A normalised momentum is the unnormalised one with lr (1 - beta2)."""
    advice = theory.advise(lr=1.0, alpha=alpha, beta1=beta1, beta2=beta2)
    x = (1 - beta2) * advice.largest_stable_preconditioned
    assert x == pytest.approx(advice.largest_stable_lr_times_sharpness)


def test_the_docstrings_examples():
    from theory.stability import advice

    results = doctest.testmod(advice)
    assert (results.failed, results.attempted) == (0, 3)


def test_the_cliff_is_named():
    advice = theory.advise(lr=0.1, alpha=-0.5, beta1=0.01, beta2=0.9)
    assert advice.largest_stable_lr_times_sharpness == pytest.approx(0.2004, rel=1e-3)
    assert advice.binding == "oscillation"
    assert any(w.startswith("over the cliff") for w in advice.warnings)


@pytest.mark.parametrize(("setting", "opening"), [
    ({"alpha": -90.0}, "on the edge of the cliff"),
    ({"alpha": -90.0}, "alpha is alpha*"),
    ({"alpha": -101.0}, "outside the paper's region"),
    ({"alpha": -101.0}, "the first step goes uphill"),
    ({"alpha": -2.0, "beta1": 0.5}, "the first step is zero"),
    ({"alpha": -20.0, "beta1": 0.95}, "the first step is zero"),
    ({"alpha": -10.0, "beta1": 0.9}, "outside the paper's region"),
    ({"alpha": -3.0, "beta1": 0.9}, "beta1 = beta2"),
    ({"sharpness": 50.0}, "unstable"),
], ids=lambda value: str(value)[:30])  # fmt: skip
def test_warnings(setting, opening):
    assert any(w.startswith(opening) for w in theory.advise(lr=0.1, **setting).warnings)


@pytest.mark.parametrize(
    "setting", [{}, {"alpha": 0.5, "beta1": 0.01}, {"alpha": 0.0, "beta1": 0.9}, {"sharpness": 39.0}]
)
def test_a_quiet_setting(setting):
    assert theory.advise(lr=0.1, **setting).warnings == ()


def test_first_step_uphill_is_true():
    """Theory's own recursion: at c > 1 the first direction is against the gradient."""
    assert on_sequence([1.0], -101.0, 0.99)[0] < 0 < on_sequence([1.0], -99.0, 0.99)[0]


def test_slow_weight_is_the_mixture_and_undefined_at_equal_betas():
    rng = np.random.default_rng(0)
    gs = list(rng.normal(size=60))
    advice = theory.advise(lr=0.1, alpha=-7.0, beta1=0.95, beta2=0.8)
    m = average(on_sequence(gs, -7.0, 0.95), 0.8)
    w = advice.slow_weight
    mixture = (1 - w) * np.array(average(gs, 0.8)) + w * np.array(average(gs, 0.95))
    np.testing.assert_allclose(m, mixture, atol=1e-12)
    assert theory.advise(lr=0.1, alpha=-7.0, beta1=0.9, beta2=0.9).slow_weight is None
    assert theory.advise(lr=0.1, alpha=0.0, beta1=0.9, beta2=0.9).slow_weight == 0


def test_at_equal_betas_m_is_the_stated_mixture_of_one_and_two_averages():
    gs, beta, alpha = list(np.random.default_rng(1).normal(size=60)), 0.9, -3.0
    share = -alpha * (1 - beta) / beta
    once = np.array(average(gs, beta))
    expected = (1 - share) * once + share * np.array(average(list(once), beta))
    np.testing.assert_allclose(average(on_sequence(gs, alpha, beta), beta), expected, atol=1e-12)


def named(found, name):
    return next(one for one in found if one.name == name)


def test_heavy_ball_at_alpha_star_makes_the_same_steps():
    gs, F = list(np.random.default_rng(2).normal(size=80)), Filter(-90.0, 0.99, 0.9)
    ball = named(equivalents(0.1, F), "heavy ball")
    assert ball.distance == 0
    mine = 0.1 * np.array(accumulated(on_sequence(gs, F.alpha, F.beta1), F.beta2))
    np.testing.assert_allclose(ball.lr * np.array(accumulated(gs, ball.beta)), mine, atol=1e-10)


def test_quasi_hyperbolic_momentum_without_momentum_makes_the_same_steps():
    gs, F = list(np.random.default_rng(3).normal(size=80)), Filter(-5.0, 0.99, 0.0)
    quasi = named(equivalents(0.1, F), "QHM")
    assert quasi.distance == 0
    assert (quasi.beta, quasi.nu) == pytest.approx((0.99, F.c / 0.99))
    theirs = quasi.lr * ((1 - quasi.nu) * np.array(gs) + quasi.nu * np.array(average(gs, quasi.beta)))
    np.testing.assert_allclose(theirs, 0.1 * np.array(on_sequence(gs, F.alpha, F.beta1)), atol=1e-12)


@pytest.mark.parametrize("F", [Filter(0.9, 0.0, 0.9), Filter(-(0.8**2) / 0.2, 0.8, 0.0)], ids=["beta1=0", "beta2=0"])
def test_nesterov_makes_the_same_steps(F):
    gs = list(np.random.default_rng(4).normal(size=80))
    nesterov = named(equivalents(0.1, F), "Nesterov")
    assert nesterov.distance == 0
    theirs = np.array(gs) + nesterov.beta * np.array(accumulated(gs, nesterov.beta))
    mine = 0.1 * np.array(accumulated(on_sequence(gs, F.alpha, F.beta1), F.beta2))
    np.testing.assert_allclose(nesterov.lr * theirs, mine, atol=1e-12)


@pytest.mark.parametrize("F", [Filter(-5.0, 0.99, 0.9), Filter(0.5, 0.01, 0.9), Filter(-3.0, 0.9, 0.9)], ids=str)
def test_distance_is_the_distance_of_the_weights(F):
    beta = 0.93
    other = (1 - beta) * beta ** np.arange(len(F.w))
    other = np.pad(other, (0, 2000))
    mine = np.pad(F.w, (0, 2000))
    expected = np.linalg.norm(mine - other) / np.linalg.norm(mine)
    assert distance(F, (np.array([1 - beta]), np.array([1.0, -beta]))) == pytest.approx(expected, rel=1e-6)
    assert distance(F, explored(F)) == 0


RELATIVES = [
    Filter(-5.0, 0.99, 0.9), Filter(-50.0, 0.99, 0.9), Filter(0.5, 0.01, 0.9), Filter(2.0, 0.5, 0.0),
    Filter(20.0, 0.99, 0.9), Filter(3.0, 0.9, 0.0),
]  # fmt: skip


def weights(one, lr, F, n):
    """The weights on past gradients of lr' times a relative's average, over those of E's gain."""
    gain, beta = lr / (1 - F.beta2), one.beta
    average = (1 - beta) * beta ** np.arange(n)
    if one.name == "heavy ball":
        return one.lr / (1 - beta) / gain * average
    if one.name == "Nesterov":
        look_ahead = beta * average
        look_ahead[0] += 1 - beta
        return one.lr / (1 - beta) / gain * look_ahead
    newest = np.eye(1, n)[0]
    return one.lr / gain * ((1 - one.nu) * newest + one.nu * average)


def mean_age(weights):
    return (weights * np.arange(len(weights))).sum() / weights.sum()


@pytest.mark.parametrize("F", RELATIVES, ids=str)
def test_no_other_member_of_a_family_is_nearer(F):
    """Also where the mean age is negative, as for the last three; the best comes first."""
    lr, n, rng = 0.1, 6000, np.random.default_rng(5)
    found = equivalents(lr, F)
    assert [one.name for one in found if one.name != "Adam"]
    assert {one.name for one in found} == {"heavy ball", "Nesterov", "QHM", "Adam"}
    assert [one.distance for one in found] == sorted(one.distance for one in found)
    mine = np.pad(F.w, (0, n))[:n]
    for one in found:
        if one.name == "Adam":
            assert (one.beta, one.distance) == (named(found, "heavy ball").beta, named(found, "heavy ball").distance)
            continue
        least = np.linalg.norm(mine - weights(one, lr, F, n)) / np.linalg.norm(mine)
        assert least == pytest.approx(one.distance, abs=1e-7)
        assert one.mean_age == pytest.approx(mean_age(weights(one, lr, F, n)), abs=1e-6)
        for _ in range(300):
            factor, slower = np.exp(0.3 * rng.normal(size=2))
            beta = min(max(1 - (1 - one.beta) * slower, 0.0), 0.9995)
            nu = None if one.nu is None else one.nu + 0.1 * rng.normal()
            gain_kept = one.lr if one.name == "QHM" else one.lr * (1 - beta) / (1 - one.beta)
            other = Equivalent(one.name, gain_kept * factor, beta, nu, 0.0, 0.0)
            assert np.linalg.norm(mine - weights(other, lr, F, n)) >= (least - 1e-9) * np.linalg.norm(mine)


def cells(table):
    """The rows of a table as they are printed."""
    return [list(row) for row in zip(*(column.cells for column in table.columns), strict=True)]


@pytest.mark.parametrize("setting", [(-5.0, 0.99, 0.9), (-50.0, 0.99, 0.9), (0.5, 0.01, 0.9)])
def test_the_table_says_nearest_filters_and_prints_them(setting):
    """At alpha = -50 the nearest heavy ball has a mean age of some 14 steps, E one of 59: not "the same age"."""
    F, lr, n = Filter(*setting), 0.1, 6000
    numbers, _, relatives = tables.advice_tables(theory.advise(lr=lr, alpha=F.alpha, beta1=F.beta1, beta2=F.beta2))
    assert relatives.title == "the nearest filter of the gradients in other families"
    assert [column.header for column in relatives.columns] == ["family", "lr", "beta", "nu", "mean age", "distance"]
    mine = np.pad(F.w, (0, n))[:n]
    assert float(dict(cells(numbers))["mean age of the gradients in m, steps"]) == pytest.approx(mean_age(mine), 1e-4)
    rows = {name: [float(value) if value else None for value in row] for name, *row in cells(relatives)}
    assert list(rows) == [one.name for one in equivalents(lr, F)]
    for name in {"heavy ball", "Nesterov", "QHM"}:
        printed = Equivalent(name, *rows[name][:3], 0.0, 0.0)
        found = weights(printed, lr, F, n)
        assert rows[name][3] == pytest.approx(mean_age(found), rel=1e-3)
        least = np.linalg.norm(mine - found) / np.linalg.norm(mine)
        assert rows[name][4] == pytest.approx(least, rel=5e-3)
        for beta in np.linspace(0.0, 0.995, 200):  # the best multiple of every other decay rate is no nearer
            shape = [weights(Equivalent(name, 1.0, beta, nu, 0.0, 0.0), lr, F, n) for nu in (0.0, 1.0)]
            basis = np.stack(shape if name == "QHM" else shape[:1], axis=1)
            left = mine - basis @ np.linalg.lstsq(basis, mine, rcond=None)[0]
            assert np.linalg.norm(left) / np.linalg.norm(mine) > least - 1e-4


def test_a_relative_that_goes_uphill_is_not_offered():
    """At alpha = -5, beta1 = .1 the first weight of E is far below zero."""
    found = equivalents(1e-3, Filter(-5.0, 0.1, 0.9))
    assert {one.name for one in found} != {"heavy ball", "Nesterov", "QHM", "Adam"}
    assert all(one.lr > 0 for one in found)


@pytest.mark.parametrize("setting", PAPER + OTHERS)
def test_a_setting_has_the_numbers_of_its_filter(setting):
    light, F = Setting(*setting), Filter(*setting)
    for name in ("c", "alpha_star", "noise_gain"):
        assert getattr(light, name) == getattr(F, name)
    assert light.mean_age == F.b - F.alpha


def test_advice_needs_neither_torch_nor_sympy_nor_scipy_signal():
    code = "import sys; from theory.__main__ import main; main(['advise', '--lr', '.1', '--json']); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    loaded = done.stdout.split()
    assert "theory.stability.advice" in loaded
    assert not {"torch", "sympy", "scipy.signal", "matplotlib"} & set(loaded)


def test_the_nearest_heavy_ball_is_nearer_than_that_of_the_same_age():
    F = Filter(-5.0, 0.99, 0.9)
    age = F.b - F.alpha
    same = distance(F, (np.array([1 / (1 + age)]), np.array([1.0, -age / (1 + age)])))
    plain = distance(F, (np.array([0.1]), np.array([1.0, -0.9])))
    assert named(equivalents(0.1, F), "heavy ball").distance < plain / 2 < same / 4


@pytest.mark.parametrize(("beta1", "beta2"), [(0.01, 0.9), (0.5, 0.9), (0.99, 0.9), (0.99, 0.95)])
def test_the_remedy_is_the_last_alpha_that_costs_nothing(beta1, beta2):
    plain = linear.largest_stable(0.0, beta1, beta2)
    over = theory.advise(lr=0.1, alpha=-0.999 / (1 - beta1), beta1=beta1, beta2=beta2)
    remedy = next(w for w in over.warnings if w.startswith("over the cliff"))
    alpha = _cliff(Filter(-1.0, beta1, beta2))
    assert f"alpha >= {alpha:.4g} is no less stable" in remedy
    for share, holds in ((0.0, True), (0.5, True), (0.999, True), (1.001, False), (1.1, False)):
        assert (linear.largest_stable(-share * alpha * (1 - beta1), beta1, beta2) >= plain) == holds


def test_quasi_is_no_worse_than_the_heavy_ball_that_it_contains():
    found = equivalents(0.1, Filter(-5.0, 0.99, 0.9))
    assert named(found, "QHM").distance <= named(found, "heavy ball").distance


@pytest.mark.parametrize(("arguments", "name"), [
    ({"lr": 0.0}, "lr"), ({"lr": math.inf}, "lr"), ({"alpha": math.nan}, "alpha"), ({"beta1": 1.0}, "beta1"),
    ({"beta1": -0.1}, "beta1"), ({"beta2": 1.5}, "beta2"), ({"sharpness": 0.0}, "sharpness"),
    ({"sharpness": math.nan}, "sharpness"), ({"lr": 1e-320}, "lr"),
    ({"lr": 1e200, "sharpness": 1e200}, "lr x sharpness"), ({"lr": 1e60, "sharpness": 1e60}, "lr x sharpness"),
])  # fmt: skip
def test_outside_the_domain(arguments, name):
    with pytest.raises(ValueError, match=f"^{name} = .*allowed is"):
        theory.advise(**{"lr": 0.1} | arguments)


def strictly(text):
    def refuse(name):
        raise AssertionError(f"{name} is not JSON")

    return json.loads(text, parse_constant=refuse)


def test_the_command_prints_one_strict_object(capsys):
    assert (
        command.main(["advise", "--lr", "0.1", "--alpha", "-0.5", "--beta1", "0.01", "--beta2", "0.9", "--json"]) == 0
    )
    advice = strictly(capsys.readouterr().out)
    assert advice.keys() >= KEYS
    assert advice["binding"] == "oscillation"
    assert advice["warnings"]
    assert command.main(["advise", "--lr", "0.1", "--json"]) == 0
    assert strictly(capsys.readouterr().out)["oscillation_threshold"] is None


def test_the_command_prints_a_table(capsys):
    assert command.main(["advise", "--lr", "0.1", "--sharpness", "100"]) == 0
    shown = capsys.readouterr().out
    assert "unstable" in shown
    assert "QHM" in shown


def test_the_command_names_a_bad_argument(capsys):
    assert command.main(["advise", "--lr", "-1"]) == 2
    assert "lr = -1" in capsys.readouterr().err


@pytest.mark.parametrize(("arguments", "family", "setting"), [
    (["--grokfast", "2.0", "0.98"], "Grokfast", {"lambda": 2.0, "beta": 0.98}),
    (["--mars", "0.025", "0.95"], "MARS", {"gamma": 0.025, "beta": 0.95}),
    (["--ema-nesterov", "0.9", "0.5"], "EMA-Nesterov", {"gamma": 0.9, "B": 0.5}),
    (["--ema-nesterov", "0", "0.5"], "EMA-Nesterov", {"gamma": 0.0, "B": 0.5}),
], ids=lambda value: value[0] if isinstance(value, list) else None)  # fmt: skip
def test_another_methods_numbers_lead_to_e_and_back(capsys, arguments, family, setting):
    assert command.main(["advise", "--lr", "0.01", *arguments, "--json"]) == 0
    advice = strictly(capsys.readouterr().out)
    (found,) = (one for one in advice["other_names"] if one["family"] == family)
    assert found["setting"] == pytest.approx(setting, abs=1e-12)
    assert found["lr"] == pytest.approx(0.01)


@pytest.mark.parametrize(("setting", "reasons"), [
    ((-5.0, 0.01, 0.9), ("> beta1", "alpha > 0", "beta2 = 0")),
    ((-9.0, 0.9, 0.0), ("u is h alone", "alpha > 0", "c <= beta1^2")),
    ((0.0, 0.9, 0.0), ("E is its base", "alpha > 0", "E is its base")),
    ((0.5, 0.01, 0.0), ("negative amplification", "corrects nothing", "B > 0 needs")),
    ((0.5, 0.01, 0.9), ("negative amplification", "at beta1 = 0 it is gamma = 0.05556", "beta2 = 0")),
], ids=str)  # fmt: skip
def test_where_no_other_name_exists_the_reason_is_said(setting, reasons):
    found = theory.advise(lr=0.1, alpha=setting[0], beta1=setting[1], beta2=setting[2]).other_names
    for one, reason in zip(found, reasons, strict=True):
        assert (one.setting, one.lr) == ({}, None)
        assert reason in one.remark


@pytest.mark.parametrize(("arguments", "message"), [
    (["--grokfast", "2", "1"], "beta = 1.0: allowed is 0 <= beta < 1"),
    (["--grokfast", "inf", "0.9"], "lambda = inf: allowed is 0 <= lambda < inf"),
    (["--ema-nesterov", "0.5", "nan"], "B = nan: allowed is 0 <= B < 1"),
    (["--grokfast", "2", "0.9", "--alpha", "1"], "--grokfast decides alpha"),
    (["--mars", "0.1", "0.9", "--beta2", "0.9"], "--mars decides beta2"),
    (["--mars", "0.1", "0.9", "--grokfast", "2", "0.9"], "name one method"),
], ids=lambda value: " ".join(value) if isinstance(value, list) else None)  # fmt: skip
def test_numbers_that_no_method_has_are_refused(capsys, arguments, message):
    assert command.main(["advise", *arguments]) == 2
    assert message in capsys.readouterr().err
