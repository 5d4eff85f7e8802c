"""Rates of any optimizer on any objective: known exponents and factors, verdicts, engines, and what is refused."""

import json
import math
import re
from dataclasses import replace

import numpy as np
import pytest
import torch

from theory import objectives
from theory.objectives.noise import Sign
from theory.rates import Rates, UserCodeError, fit, measure, problem, walkers
from theory.rates.measured import Theory
from theory.rates.records import Prediction

SIZES = (100, 200, 400, 800)


def cosh(x):
    return torch.log(torch.cosh(x)).sum()


@pytest.fixture(scope="module")
def noisy() -> Rates:
    """SGD in normal noise, from the minimiser."""
    return measure(
        torch.optim.SGD, "quadratic", lr=0.2, T=(400, 800, 1600, 3200), seeds=16, start=[0.0, 0.0, 0.0]
    )  # fmt: skip


def test_sgd_in_noise_has_the_known_exponent_and_level():
    one = measure(
        torch.optim.SGD, objectives.make("quadratic", spectrum=[1.0]), lr=0.2, T=(400, 800, 1600, 3200), seeds=16,
        start=[0.0],
    )  # fmt: skip
    eta = 0.2 * np.sqrt(400 / one.T)
    forgotten = (1 - (1 - eta) ** (2 * one.T)) / (1 - (1 - eta) ** 2) / one.T  # it starts at the minimiser
    exact = eta / (2 - eta) * (1 - forgotten)
    assert one.exponent.low < fit.log_slope(one.T, exact) < one.exponent.high
    assert one.exponent.high - one.exponent.low < 0.1
    assert one.mean == pytest.approx(exact, rel=0.1)
    assert (one.low < one.mean).all()
    assert (one.mean < one.high).all()


def test_gradient_descent_on_a_quadratic_is_linear_with_the_known_factor():
    rates = measure(torch.optim.SGD, "quadratic", lr=0.5, noise=0, schedule="constant", quantity="last", T=SIZES)
    exact = [sum(e * (1 - 0.5 * e) ** (2 * T) for e in (0.01, 0.1, 1.0)) / 2 for T in SIZES]
    assert rates.per_seed[0] == pytest.approx(exact, rel=1e-9)
    assert rates.prediction is not None
    assert rates.prediction.value == pytest.approx((1 - 0.5 * 0.01) ** 2, rel=1e-12)
    assert rates.verdict == "agrees"
    power, linear = rates.misfit
    assert linear < 0.01 < power
    wrong = replace(rates.prediction, value=rates.prediction.value - 0.001)
    assert replace(rates, theory=Theory("factor", wrong, ())).verdict == "differs"


def test_a_prediction_outside_the_interval_does_not_agree(noisy):
    high = noisy.exponent.high
    near = Prediction(high - 0.001, "<=", "planted", 0.0)
    assert replace(noisy, theory=Theory("exponent", near, ())).verdict == "undecided"
    below = Prediction(noisy.exponent.low - 0.001, "<=", "planted", 0.0)
    assert replace(noisy, theory=Theory("exponent", below, ())).verdict == "differs"
    assert replace(noisy, theory=Theory("exponent", replace(below, value=high), ())).verdict == "agrees"


def test_a_bound_is_violated_only_where_every_hypothesis_was_checked():
    rates = measure("ESGD", replace(objectives.make("waves"), noise=Sign(1.0)), lr=1e-4, T=(30, 60, 120), seeds=4)
    assert rates.theory is not None
    assert rates.theory.checked
    assert rates.bound_over_measured is not None
    assert rates.bound_over_measured > 1
    low = replace(rates.theory, bound=rates.mean / 2)
    assert replace(rates, theory=low).verdict == "bound violated"
    assumed = tuple(replace(one, checked=False) for one in low.hypotheses)
    assert replace(rates, theory=replace(low, hypotheses=assumed)).verdict != "bound violated"


@pytest.mark.parametrize(
    ("method", "more", "word"),
    [
        (torch.optim.AdamW, {}, "none covers"),
        ("EAdam", {}, "none covers"),
        ("ESGD", {"lr": 1.0}, "exceeds the largest"),
        ("ESGD", {"quantity": "gap"}, "none gives a rate of 'gap'"),
    ],
)
def test_without_a_theorem_there_is_no_verdict(method, more, word):
    rates = measure(method, "quadratic", T=(10, 20, 40), seeds=2, **{"lr": 0.01, **more})
    assert rates.verdict == "no theorem, no verdict"
    assert rates.prediction is None
    assert any(word in line and "no theorem, no verdict" in line for line in rates.lines())


@pytest.mark.parametrize("cls", sorted(walkers.ELEMENTWISE, key=lambda cls: cls.__name__))
def test_one_parameter_for_all_seeds_is_a_loop_over_them(cls):
    kwargs = {"start": [1.0, -2.0], "lr": 0.05, "T": (5, 10, 20), "seeds": 3}
    stacked, loop = (measure(cls, cosh, stacked=which, **kwargs) for which in (True, False))
    assert stacked.per_seed == pytest.approx(loop.per_seed, rel=1e-12)
    assert "one parameter" in stacked.used["seeds"]
    assert "a loop" in loop.used["seeds"]


def test_an_optimizer_that_mixes_coordinates_is_run_in_a_loop():
    class Normalised(torch.optim.Optimizer):
        def __init__(self, params, lr):
            super().__init__(params, {"lr": lr})

        @torch.no_grad()
        def step(self, closure=None):
            for group in self.param_groups:
                for p in group["params"]:
                    p.sub_(group["lr"] * p.grad / p.grad.norm())

    rates = measure(Normalised, cosh, start=[1.0, 1.0], lr=0.1, T=(5, 10, 20), seeds=3)
    assert "a loop" in rates.used["seeds"]
    mixed = measure(Normalised, cosh, start=[1.0, 1.0], lr=0.1, T=(5, 10, 20), seeds=3, stacked=True)
    assert not np.allclose(rates.per_seed, mixed.per_seed)


def test_torch_sgd_is_esgd_without_e():
    kwargs = {"lr": 1e-3, "T": (20, 40, 80), "seeds": 4}
    torch_s = measure(torch.optim.SGD, "waves", momentum=0.9, **kwargs)
    ours = measure("ESGD", "waves", alpha=0.0, beta2=0.9, **kwargs)
    assert torch_s.per_seed == pytest.approx(ours.per_seed, rel=1e-10)
    assert torch_s.prediction == ours.prediction
    assert ours.prediction is not None


def test_gradients_by_autograd_by_hand_and_without_vectorisation_are_the_same():
    def branching(x):
        return cosh(x) if float(x.detach().sum()) < 100 else cosh(x) * 2

    points = np.random.default_rng(0).normal(size=(4, 2))
    found = [
        problem.make(cosh, start=[1.0, 2.0]),
        problem.make(branching, start=[1.0, 2.0]),
        problem.make(lambda x: np.log(np.cosh(x)).sum(), gradient=np.tanh, start=[1.0, 2.0]),
    ]
    for one in found:
        assert one.gradient(points) == pytest.approx(np.tanh(points), rel=1e-12)
        assert one.value(points) == pytest.approx(np.log(np.cosh(points)).sum(-1), rel=1e-12)
    assert "one seed at a time" in found[1].notes[0]


def test_a_function_with_terms_draws_batches_of_them_without_bias():
    centres = torch.tensor([[0.0, 1.0], [2.0, 0.0], [4.0, 5.0]], dtype=torch.float64)
    one = problem.make(lambda x: ((x - centres) ** 2).sum(-1) / 2, start=[0.0, 0.0])
    assert one.noisy is not None
    theta = np.zeros((6000, 2))
    drawn = one.noisy(np.random.default_rng(0), theta, one.gradient(theta), 2)
    # 6000 draws of variance below 5: five standard errors are 0.15
    assert drawn.mean(0) == pytest.approx(-centres.mean(0).numpy(), abs=0.15)
    assert drawn.var(0) == pytest.approx(centres.numpy().var(0) / 2, rel=0.15)


def test_an_unknown_infimum_is_measured_and_said_to_be():
    rates = measure("ESGD", lambda x: cosh(x) + 3, start=[1.0, 2.0], lr=0.01, noise=0, quantity="last", T=(5, 10, 20))
    assert rates.used["infimum"] == pytest.approx(3.0, abs=1e-9)
    assert any("was measured" in note for note in rates.notes)


def test_a_result_is_stored_drawn_and_a_frame(noisy, tmp_path):
    noisy.save(tmp_path / "rates.json")
    stored = json.loads((tmp_path / "rates.json").read_text())
    assert stored["columns"]["mean"] == noisy.mean.tolist()
    assert stored["provenance"]["source"]
    assert stored["exponent"]["low"] == noisy.exponent.low
    axes = noisy.plot()
    assert axes.get_xscale() == "log"
    assert axes.lines[0].get_ydata() == pytest.approx(noisy.mean)
    assert list(noisy.to_frame()["T"]) == noisy.T.tolist()


def test_an_argument_that_json_has_not_is_stored_in_words(noisy, tmp_path):
    replace(noisy, used={**noisy.used, "clip": math.inf}).save(tmp_path / "rates.json")
    stored = json.loads((tmp_path / "rates.json").read_text(), parse_constant=pytest.fail)
    assert stored["used"]["clip"] == "inf"


def test_every_number_used_is_printed(noisy):
    text = "\n".join(noisy.lines())
    for word in ("lr", "momentum", "schedule", "noise", "batch", "seeds", "window", "bootstrap"):
        assert word in text


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"lr": 0.0}, "lr = 0.0 must be a positive number"),
        ({"T": (10, 20)}, "at least three"),
        ({"seeds": 0}, "seeds = 0 must be"),
        ({"batch": 0}, "batch = 0 must be"),
        ({"schedule": "cosine"}, "1/sqrt(T), constant"),
        ({"quantity": "loss"}, "grad2, gap, last"),
        ({"noise": -1.0}, "noise = -1.0 must be"),
        ({"window": (1, 2)}, "a fit needs three"),
        ({"method": "Lion"}, "must be one of ESGD"),
        ({"beta4": 0.1}, "ESGD has no argument beta4"),
        ({"beta1": 1.0}, "beta1 = 1.0 must lie in [0, 1)"),
        ({"method": torch.optim.AdamW, "beta": 0.1}, "AdamW has no argument beta"),
        ({"objective": cosh}, "start must be given"),
        ({"objective": cosh, "start": [float("nan")]}, "finite numbers"),
        ({"objective": lambda x: 1.0, "start": [1.0]}, "must return a torch tensor"),
        ({"objective": lambda x: x.detach().sum(), "start": [1.0]}, "pass gradient="),
        ({"lr": 1e6}, "diverged"),
        (
            {"objective": lambda x: x.sum() * math.nan, "start": [1.0], "name": "nanny"},
            "objective nanny: f or its gradient",
        ),
        ({"objective": lambda x: x.abs().sqrt().sum(), "start": [0.0]}, "is not finite at the start"),
    ],
)
def test_what_cannot_be_measured_is_refused(change, word):
    given = {"method": "ESGD", "objective": "quadratic", "lr": 0.01, "T": (10, 20, 200), "seeds": 2, **change}
    with pytest.raises(ValueError, match=re.escape(word)):
        measure(**given)


def halves_its_point(x):
    with torch.no_grad():
        x.mul_(0.5)
    return (x**2).sum()


def with_noise_of_its_own(x):
    return (x**2).sum() * (1 + 0.1 * torch.rand((), dtype=x.dtype))


CALLS = iter(range(1000))


@pytest.mark.parametrize(
    ("objective", "more", "word"),
    [
        (halves_its_point, {}, "halves_its_point changes the point that it gets"),
        (with_noise_of_its_own, {}, "it must be a fixed function; describe noise by noise="),
        (lambda x: (x**2).sum() + 0.1 * next(CALLS), {}, "at the same point"),
        (lambda x: x.dot(x), {"gradient": lambda x: 2 * x + 0.1 * next(CALLS)}, "the gradient of the objective"),
        (lambda x: (x**2).sum() + 0j, {}, "one real number"),
    ],
    ids=["changes its point", "random", "counts its calls", "gradient counts its calls", "complex"],
)
def test_what_is_no_fixed_function_is_refused(objective, more, word):
    with pytest.raises(ValueError, match=re.escape(word)):
        measure(torch.optim.SGD, objective, lr=0.1, T=(10, 20, 40), start=[1.0, 2.0], **more)


def test_a_gradient_by_hand_cannot_change_the_run():
    def doubles(x):
        x *= 2
        return x

    with pytest.raises(UserCodeError, match=r"the gradient of the objective .* raised ValueError: .*read-only"):
        measure(torch.optim.SGD, lambda x: x.dot(x), gradient=doubles, lr=0.1, T=(10, 20, 40), start=[1.0, 2.0])


def test_float32_inside_an_objective_is_noted():
    rates = measure(
        torch.optim.SGD, lambda x: (x.float() ** 2).sum(), lr=0.1, T=(10, 20, 40), seeds=2, start=[1.0, 2.0]
    )
    assert any("computes in torch.float32" in note for note in rates.notes)


def test_an_error_in_a_users_function_is_theirs():
    with pytest.raises(UserCodeError, match="the objective broken raised ZeroDivisionError") as found:
        measure("ESGD", lambda x: x.sum() / 0 if 1 // 0 else x, start=[1.0], lr=0.1, name="broken")
    assert isinstance(found.value.__cause__, ZeroDivisionError)
    with pytest.raises(UserCodeError, match="the schedule raised KeyError"):
        measure("ESGD", "quadratic", lr=0.1, schedule=lambda k, T: {}[k])
    with pytest.raises(UserCodeError, match="the optimizer LBFGS raised TypeError"):
        measure(torch.optim.LBFGS, "quadratic", lr=0.1)
