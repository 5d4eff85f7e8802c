"""The chains see what they should: stages fail when a hypothesis of the theorem is dropped."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from theory.claims.theorems.regret_runs import Variant, run_stream
from theory.ledger.evidence import Outcome
from theory.method.algorithms import ALTO, ESGD
from theory.method.filters import Filter
from theory.method.trajectory import record
from theory.theorems import bounds, nonconvex_chain, stage, tightness
from theory.theorems.noise_paths import noisy_gradient, sign_paths, starts, waves
from theory.theorems.regret_chain import monotone_share, stages
from theory.theorems.varying_alpha import Envelope


@pytest.mark.parametrize(("left", "right", "equal", "holds"), [
    (1.0, 2.0, False, True), (2.0, 1.0, False, False), (1.0, 1.0 + 1e-12, True, True), (1.0, 1.1, True, False),
    (float("nan"), 1.0, False, False),
])  # fmt: skip
def test_stage(left, right, equal, holds):
    assert (stage.broken([stage.Stage("s", left, right, equal=equal)]) == []) is holds


def test_check_names_what_fails():
    with pytest.raises(AssertionError, match="second"):
        stage.check([stage.Stage("first", 0, 1), stage.Stage("second", 1, 0)])


def descent_chain(eta_factor=1.0, sigma_told=None, alpha=-2.0, noise=None):
    problem = waves(np.random.default_rng(3), 1, sigma=5.0)
    F, signs = Filter(alpha, 0.7, 0.6), sign_paths(8)
    tracking = bounds.tracking_by_recursion(F)
    eta = eta_factor * bounds.largest_step(tracking, bounds.esgd(), problem.L)
    gradient = noise(problem, signs) if noise else noisy_gradient(problem, signs)
    run = record(ESGD(F.alpha, F.beta1, F.beta2), gradient, starts(problem, signs), steps=8, eta=lambda _: eta)
    told = replace(problem, sigma=sigma_told) if sigma_told is not None else problem
    return stage.broken(nonconvex_chain.stages(run, told, bounds.esgd(), tracking, Wmax=1.0))


def test_theorem_n_holds_and_needs_its_step_size():
    assert descent_chain() == []
    assert "N-d closure" in descent_chain(eta_factor=2.0)


def test_theorem_n_needs_the_variance():
    assert "N-c tracking" in descent_chain(sigma_told=0.0, alpha=0.0)


def test_theorem_n_needs_unbiased_gradients():
    def biased(problem, signs):
        unbiased = noisy_gradient(problem, signs)
        return lambda k, theta: unbiased(k, theta) + 5.0

    assert "N-c tracking" in descent_chain(noise=biased)


def test_theorem_c_needs_convexity():
    """Minus the losses: the gradients are the same up to sign, so only S1 and what rests on it can fail."""
    run, stream, _ = run_stream(2, Variant(layerwise=False, monotone=True))
    concave = replace(stream, loss=lambda k, theta: stream.loss(k, theta) + 50 * (1 - (theta**2).sum(-1)))
    constants = partial(bounds.Online, Filter(0.0, 0.5, 0.5), 0.9, 1e-3, 1e-3, 1e-3, 1.0, 0.0, (run.g.shape[2],), False)
    broken = stage.broken(stages(run, concave, lambda measured: constants(**measured)))
    assert "S1 convexity" in broken


def test_the_gain_of_the_largest_alpha_alone_is_too_small(monkeypatch):
    """alpha_k = -1.9, then 1.89 (beta1 = 1/2): c = .95 has kappa = 1, and c = -.945 has kappa = 2.89."""
    name, case = tightness.CONVEX["distance, alpha changes its sign"]
    right = tightness.convex_stages(case)
    assert stage.broken(list(right.values())) == []
    assert right[name].right == pytest.approx(2.89 * 2**2 / (2 * 0.5) * np.sqrt(200))
    monkeypatch.setattr(tightness, "Envelope", lambda alphas, *betas: Filter(max(alphas, key=abs), *betas))
    wrong = tightness.convex_stages(case)
    assert stage.broken(list(wrong.values())) == ["S6 distance"]
    assert stage.looseness(wrong[name]) == pytest.approx(1 / 2.89)


@pytest.mark.parametrize(("alphas", "kappa"), [
    ((-1.0, 0.5), 1.5), ((1.0, -0.5), 2.0), ((-1.9, -0.1), 1.0), ((0.0,), 1.0), ((-3.0, 1.0), 2.0),
])  # fmt: skip
def test_the_envelope_has_the_gain_of_the_worst_step(alphas, kappa):
    found = Envelope(alphas, 0.5, 0.5)
    assert found.kappa == found.kappa_m == max(Filter(alpha, 0.5, 0.5).kappa for alpha in alphas) == kappa
    assert found.alpha == max(map(abs, alphas))


def test_monotone_share_counts_pairs():
    run, _, _ = run_stream(0, Variant(layerwise=True, monotone=True))
    assert monotone_share(run) == 1


@pytest.mark.parametrize(("ratios", "outcome"), [
    ({"a": 1.0}, Outcome.SUPPORTS), ({"a": 0.9}, Outcome.INCONCLUSIVE), ({"a": 1.1, "b": 0.5}, Outcome.CONTRADICTS),
    ({"a": float("nan")}, Outcome.CONTRADICTS),
])  # fmt: skip
def test_attained(ratios, outcome):
    assert tightness.attained(ratios).outcome is outcome


def test_ratio_bound_takes_the_smaller():
    F = Filter(0.0, 0.5, 0.9)
    assert bounds.ratio_bound(F, 0.99, 1e-6, 1.0) == pytest.approx(0.1 / np.sqrt(0.01 * (1 - 0.81 / 0.99)))
    assert bounds.ratio_bound(F, 0.5, 1e-2, 1.0) == pytest.approx(100.0)  # beta2^2 > beta3
    assert bounds.ratio_bound(F, 0.99, 10.0, 1.0) == pytest.approx(0.1)


def test_a_whole_alto_run_stays_within_its_preconditioner():
    F, rng = Filter(2.0, 0.7, 0.6), np.random.default_rng(0)
    alto = ALTO(2.0, 0.7, 0.6, 0.9, 0.1, 0.2, 0.3, 0.0, bias_correction=False, layerwise=True)
    run = record(alto, lambda k, x: rng.uniform(-1, 1, x.shape), rng.normal(size=(5, 3)), steps=50, eta=lambda k: 0.1)
    Q, q = bounds.alto(F, 0.9, (0.1, 0.2, 0.3), 1.0, 3), 1 / (0.1 * run.H)
    assert Q.smallest <= q.min() <= q.max() <= Q.largest
