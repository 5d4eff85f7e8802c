"""The literal algorithms against hand-computed numbers, the sequence forms, and each other."""

import numpy as np
import pytest

from theory.method.algorithms import ALTO, ESGD, E, EAdam
from theory.method.sequences import accumulated, average, exploration, explored

ALTO_DEFAULTS = {
    "alpha": -5.0, "beta1": 0.9, "beta2": 0.8, "beta3": 0.95, "eps1": 1e-3, "eps2": 1e-2, "eps3": 1e-4,
    "weight_decay": 0.1, "bias_correction": True, "layerwise": True,
}  # fmt: skip


def run(optimizer, steps=7, layers=(3, 2), replicas=4, seed=0, lr=0.1):
    """Random gradients through an optimizer: the thetas before each step and after the last, and the gradients."""
    rng = np.random.default_rng(seed)
    theta = optimizer.init([rng.normal(size=(replicas, d)) for d in layers])
    thetas, grads = [theta], []
    for _ in range(steps):
        grads.append([rng.normal(size=(replicas, d)) for d in layers])
        thetas.append(optimizer.step(thetas[-1], grads[-1], lr))
    return thetas, grads


def test_esgd_by_hand():
    # beta1 = 1/2, alpha = -1, g = 4 then 2: a = 2, then 1 - 1 = 0; u = 2, then 2; m = 2, then 2/2 + 2 = 3
    esgd = ESGD(alpha=-1.0, beta1=0.5, beta2=0.5)
    theta = esgd.init([np.array([[10.0]])])
    theta = esgd.step(theta, [np.array([[4.0]])], 0.25)
    assert (esgd.a[0], esgd.u[0], esgd.m[0], theta[0]) == (2.0, 2.0, 2.0, 9.5)
    theta = esgd.step(theta, [np.array([[2.0]])], 0.25)
    assert (esgd.a[0], esgd.u[0], esgd.m[0], theta[0]) == (0.0, 2.0, 3.0, 8.75)


def test_eadam_first_step_is_the_sign_of_u():
    # bias correction makes mhat = u and sqrt(vhat) = |u|
    eadam = EAdam(alpha=-5.0, beta1=0.9, beta2=0.9, beta3=0.99, eps1=1e-12)
    theta = eadam.init([np.array([[1.0, -2.0]])])
    (new,) = eadam.step(theta, [np.array([[3.0, -0.5]])], 0.1)
    np.testing.assert_allclose(new, [[0.9, -1.9]], rtol=1e-11)


def test_alto_by_hand():
    # alpha = 0, betas 0: r = g / (|g| + eps1) + lambda theta = (3/4, 0) + (3, 4)/2; |theta| = 5
    alto = ALTO(
        alpha=0.0, beta1=0.0, beta2=0.0, beta3=0.0, eps1=1.0, eps2=0.5, eps3=1.0, weight_decay=0.5,
        bias_correction=False, layerwise=True,
    )  # fmt: skip
    theta = alto.init([np.array([[3.0, 4.0]])])
    (new,) = alto.step(theta, [np.array([[3.0, 0.0]])], 0.1)
    r = np.array([2.25, 2.0])
    factor = 6.0 / (np.hypot(*r) + 0.5 * 6.0)
    np.testing.assert_allclose(alto.r[0], [r], rtol=1e-15)
    np.testing.assert_allclose(new, [np.array([3.0, 4.0]) - 0.1 * factor * r], rtol=1e-15)


@pytest.mark.parametrize("make", [
    lambda: ESGD(alpha=-5.0, beta1=0.9, beta2=0.8),
    lambda: EAdam(alpha=-5.0, beta1=0.9, beta2=0.8, beta3=0.95, eps1=1e-3),
    lambda: ALTO(**ALTO_DEFAULTS),
], ids=["ESGD", "EAdam", "ALTO"])  # fmt: skip
def test_attributes_follow_the_sequences(make):
    optimizer = make()
    _, grads = run(optimizer)
    for layer in range(2):
        gs = [g[layer] for g in grads]
        us = explored(gs, -5.0, 0.9)
        np.testing.assert_allclose(optimizer.a[layer], exploration(gs, 0.9)[-1], rtol=1e-13, atol=1e-14)
        np.testing.assert_allclose(optimizer.u[layer], us[-1], rtol=1e-13, atol=1e-14)
        momentum = accumulated(us, 0.8) if isinstance(optimizer, ESGD) else average(us, 0.8)
        np.testing.assert_allclose(optimizer.m[layer], momentum[-1], rtol=1e-12, atol=1e-14)
        if not isinstance(optimizer, ESGD):
            np.testing.assert_allclose(optimizer.v[layer], average([u * u for u in us], 0.95)[-1], rtol=1e-12)


def test_alto_without_factor_and_decay_is_eadam():
    plain = {**ALTO_DEFAULTS, "weight_decay": 0.0, "layerwise": False}
    ours, _ = run(ALTO(**plain))
    eadam, _ = run(EAdam(alpha=-5.0, beta1=0.9, beta2=0.8, beta3=0.95, eps1=1e-3))
    for x, y in zip(ours[-1], eadam[-1], strict=True):
        np.testing.assert_array_equal(x, y)


def test_bias_correction_is_algorithm_2_rather_than_1():
    vanilla, _ = run(ALTO(**{**ALTO_DEFAULTS, "bias_correction": False}), steps=1)
    corrected, _ = run(ALTO(**ALTO_DEFAULTS), steps=1)
    assert not np.allclose(vanilla[-1][0], corrected[-1][0])


def test_generic_adaptor_around_momentum_is_esgd():
    buffer = []

    def heavy_ball(theta, u, lr):
        buffer[:] = [0.8 * m + x for m, x in zip(buffer, u, strict=True)] if buffer else list(u)
        return [x - lr * m for x, m in zip(theta, buffer, strict=True)]

    generic, _ = run(E(heavy_ball, alpha=-5.0, beta1=0.9))
    esgd, _ = run(ESGD(alpha=-5.0, beta1=0.9, beta2=0.8))
    for x, y in zip(generic[-1], esgd[-1], strict=True):
        np.testing.assert_array_equal(x, y)


def test_layers_and_replicas_do_not_mix():
    whole, grads = run(ALTO(**ALTO_DEFAULTS))
    alone = ALTO(**ALTO_DEFAULTS)
    theta = alone.init([whole[0][1][2:3]])
    for g in grads:
        theta = alone.step(theta, [g[1][2:3]], 0.1)
    np.testing.assert_allclose(theta[0], whole[-1][1][2:3], rtol=1e-13)


@pytest.mark.parametrize(("one", "moved"), [(False, 0.1 * 1e-4), (True, 0.1)], ids=["literal phi", "factor one"])
def test_a_layer_that_starts_at_zero(one, moved):
    """The literal phi = eps3 all but freezes it: it moves by eta eps3; with the factor 1 it moves by eta |r|."""
    alto = ALTO(**{**ALTO_DEFAULTS, "weight_decay": 0.0, "eps1": 1e-12}, zero_norm_factor_one=one)
    theta = alto.init([np.zeros((1, 1))])
    (new,) = alto.step(theta, [np.array([[2.0]])], 0.1)
    np.testing.assert_allclose(new, [[-moved]], rtol=1e-5)


def test_rejects_a_layer_without_replicas():
    with pytest.raises(ValueError, match=r"layer 0 has shape \(3,\)"):
        ESGD(alpha=0.0, beta1=0.9, beta2=0.9).init([np.zeros(3)])


def test_does_not_write_into_what_it_was_given():
    theta, g = np.ones((1, 2)), np.ones((1, 2))
    optimizer = ALTO(**ALTO_DEFAULTS)
    optimizer.step(optimizer.init([theta]), [g], 0.1)
    assert (theta == 1).all()
    assert (g == 1).all()


def test_second_step_of_eadam_by_hand():
    # alpha = 0, betas 1/2, g = 1 then 3: m = 1/2, 7/4; v = 1/2, 19/4; corrections 3/4: mhat = 7/3, vhat = 19/3
    eadam = EAdam(alpha=0.0, beta1=0.5, beta2=0.5, beta3=0.5, eps1=1.0)
    theta = eadam.init([np.zeros((1, 1))])
    theta = eadam.step(theta, [np.ones((1, 1))], 1.0)
    theta = eadam.step(theta, [np.full((1, 1), 3.0)], 1.0)
    np.testing.assert_allclose(theta[0], [[-0.5 - (7 / 3) / (np.sqrt(19 / 3) + 1)]], rtol=1e-14)
