"""The simulations against closed forms, autograd, theory's literal algorithms, and one another."""

import numpy as np
import pytest
import torch

from theory.method.algorithms import ESGD, EAdam
from theory.simulate import crossing, dips, double_well, drift, label_noise, network
from theory.simulate.rule import Rule, direction


@pytest.fixture(scope="module")
def fitted():
    x, y, start = network.problem(torch.Generator().manual_seed(0))
    weights = network.copies(start, 2)
    weights[0][1] += 0.1
    return x, y, weights


def scalar_loss(weights, x, y):
    w1, b1, w2, b2, w3, b3 = weights
    return ((torch.tanh(torch.tanh(x @ w1 + b1) @ w2 + b2) @ w3 + b3 - y) ** 2).mean() / 2


@pytest.mark.parametrize(
    "rule", [Rule(-5.0, 0.9, 0.8), Rule(0.5, 0.01, 0.9, 0.99), Rule(-80.0, 0.99, 0.95, 0.999)], ids=str
)
def test_the_compiled_step_is_the_literal_algorithm(rule):
    gradients = np.random.default_rng(0).normal(size=40)
    literal = (
        ESGD(rule.alpha, rule.beta1, rule.beta2)
        if rule.beta3 is None
        else EAdam(rule.alpha, rule.beta1, rule.beta2, rule.beta3, rule.eps)
    )
    literal.init([np.zeros((1, 1))])
    state = np.zeros(3)
    for k, g in enumerate(gradients, start=1):
        literal.step([np.zeros((1, 1))], [np.array([[g]])], 1.0)
        assert direction(g, state, rule.numbers(), k) == pytest.approx(literal.r[0].item(), rel=1e-12, abs=1e-12)


@pytest.mark.parametrize(
    ("arguments", "name"), [((0.0, 1.0), "beta1"), ((0.0, 0.5, -0.1), "beta2"), ((0.0, 0.5, 0.5, 1.0), "beta3")]
)
def test_a_rule_outside_its_domain(arguments, name):
    with pytest.raises(ValueError, match=name):
        Rule(*arguments)


def test_drift_follows_its_prediction():
    """48 seeds: four standard errors, and the 4 % that the adiabatic limit is known to miss late."""
    rules = [Rule(0.0), Rule(-80.0)]
    ends = drift.drift(rules, eta=0.8, steps=8000, points=8)[:, :, -1]
    for rule, end in zip(rules, ends, strict=True):
        expected = drift.predicted(rule, eta=0.8, steps=8000, points=8)[-1]
        error = end.std(ddof=1) / np.sqrt(len(end))
        assert abs(end.mean() - expected) < 4 * error + 0.04 * abs(expected)


def test_drift_is_seeded_and_needs_noise():
    once, again = (drift.drift([Rule(-5.0)], eta=0.8, steps=400, points=2, seeds=2) for _ in range(2))
    np.testing.assert_array_equal(once, again)
    assert (drift.drift([Rule(-5.0)], eta=0.8, sigma=0.0, steps=400, points=2, seeds=1) == 0).all()


def test_without_noise_no_well_is_left():
    seen = double_well.visits([Rule(0.0)], eta=0.05, well=double_well.Well(sigma=0.0), steps=2000, seeds=2)
    assert seen.occupancy.tolist() == [[0.0, 1.0]]
    assert np.isinf(seen.exit_times()).all()


def test_stays_add_up_to_the_run():
    seen = double_well.visits([Rule(0.0), Rule(-50.0)], eta=0.05, steps=20_000, seeds=4)
    assert (seen.stay_sharp + seen.stay_flat == 20_000).all()
    assert seen.exits_sharp.sum() > 0
    assert seen.exits_flat.sum() > 0
    assert (np.abs(seen.exits_sharp - seen.exits_flat) <= 1).all()


def test_the_wells_have_the_curvature_they_say():
    well = double_well.Well()
    for centre, curvature in zip((-well.sharp, well.flat), well.curvature(), strict=True):
        step = 1e-4 * abs(centre)
        below, at, above = well.value(np.array([centre - step, centre, centre + step]))
        assert (below - 2 * at + above) / step**2 == pytest.approx(curvature, rel=1e-5)


@pytest.mark.parametrize(("alpha", "beta2", "eta", "expected"), [
    (0.0, 0.9, 5e-4, 0.09614), (-5.0, 0.9, 5e-4, 0.1014), (-50.0, 0.9, 5e-4, 0.2134),
    (0.0, 0.0, 5e-3, 0.07826), (-50.0, 0.0, 5e-3, 0.1267),
])  # fmt: skip
def test_the_first_dip_that_holds_a_run(alpha, beta2, eta, expected):
    found = dips.first_failure(Rule(alpha, 0.99, beta2), eta=eta)
    assert found == pytest.approx(expected, rel=1e-3)
    assert not dips.crosses([Rule(alpha, 0.99, beta2)], [found], eta=eta)[0, 0, 0]
    assert dips.crosses([Rule(alpha, 0.99, beta2)], [0.999 * found], eta=eta)[0, 0, 0]


@pytest.mark.parametrize(("steps", "share"), [(20, 0.525), (2000, 0.967)])
def test_how_often_a_has_the_sign_of_the_gradients_difference(steps, share):
    """Worked out by other code, to a twentieth."""
    assert crossing.sign_agreement(steps)[0] == pytest.approx(share, abs=5e-2)


def test_gradient_flow_is_held_by_the_static_barrier():
    """With eta -> 0 the dip holds where the sum of both forces vanishes: maximal force .9493 in the bowl's units."""
    found = dips.first_failure(Rule(0.0), eta=1e-4, steps=200_000)
    assert dips.Dip().force(found) == pytest.approx(0.9493, rel=2e-3)


def test_the_batched_gradient_is_autograds(fitted):
    x, y, weights = fitted
    batched = network.gradient(weights, x, y)
    for copy in range(2):
        leaves = [w[copy].clone().requires_grad_() for w in weights]
        for mine, reference in zip(batched, torch.autograd.grad(scalar_loss(leaves, x, y), leaves), strict=True):
            torch.testing.assert_close(mine[copy], reference, rtol=1e-10, atol=1e-14)


def test_curvature_is_the_hessians_where_the_network_fits(fitted):
    """With its own output as the target the residuals vanish, and the Hessian is the Gauss-Newton matrix."""
    x, _, weights = fitted
    target = network.forward(weights, x)[2][0]
    leaves = [w[0] for w in weights]
    flat = torch.cat([w.reshape(-1) for w in leaves])

    def loss(vector):
        parts = vector.split([w.numel() for w in leaves])
        return scalar_loss([part.view_as(w) for part, w in zip(parts, leaves, strict=True)], x, target)

    hessian = torch.autograd.functional.hessian(loss, flat, vectorize=True)
    trace, top = network.curvature(weights, x)
    assert trace[0].item() == pytest.approx(hessian.trace().item(), rel=1e-9)
    assert top[0].item() == pytest.approx(torch.linalg.eigvalsh(hessian)[-1].item(), rel=1e-9)


def test_label_noise_flattens_and_silence_does_not():
    rules = [Rule(0.0)]
    short = {"steps": 600, "fit_steps": 1500, "settle_steps": 200, "points": 2, "seeds": 2}
    noisy, silent = label_noise.flatten(rules, **short), label_noise.flatten(rules, noise=0.0, **short)
    assert (noisy.trace[0, :, -1] < 0.95 * noisy.trace[0, :, 0]).all()
    assert silent.trace[0, :, -1] == pytest.approx(silent.trace[0, :, 0], rel=0.02)
    assert noisy.final_trace[0, 0] != noisy.final_trace[0, 1]


def test_label_noise_refuses_momentum():
    with pytest.raises(ValueError, match="beta2 = 0"):
        label_noise.flatten([Rule(0.0, 0.99, 0.9)])
