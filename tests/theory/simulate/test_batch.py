"""The batch of runs against the literal two-buffer algorithms, method by method."""

import numpy as np
import pytest

from theory import objectives
from theory.method.algorithms import ALTO, ESGD, EAdam
from theory.simulate.batch import Method, simulate

EPS = 1e-8


def literal(method):
    if method.rule == "sgd":
        return ESGD(method.alpha, method.beta1, method.beta2)
    if method.rule == "adam":
        return EAdam(method.alpha, method.beta1, method.beta2, method.beta3, EPS)
    # the batch's layer factor is |theta| / |r| without any epsilon
    return ALTO(method.alpha, method.beta1, method.beta2, method.beta3, EPS, 0.0, 0.0, 0.0, True, True, True)


METHODS = [
    Method(f"{rule} {alpha:g}", rule, alpha, beta1, beta2, eta)
    for rule, eta in (("sgd", 0.02), ("adam", 0.05), ("alto", 0.01))
    for alpha, beta1, beta2 in ((-5.0, 0.99, 0.9), (0.5, 0.01, 0.9), (0.0, 0.9, 0.0), (-80.0, 0.99, 0.95))
]
CURVATURE = np.array([1.0, 3.0, 0.2])


def gradient(theta):
    return CURVATURE * theta + np.sin(theta)


@pytest.mark.parametrize("one_by_one", [True, False], ids=["alone", "in one batch"])
def test_batch_is_the_literal_algorithm(one_by_one):
    start = np.random.default_rng(0).normal(size=(4, 3))
    batch = (
        np.concatenate([simulate([method], gradient, start, steps=60) for method in METHODS], axis=1)
        if one_by_one
        else simulate(METHODS, gradient, start, steps=60)
    )
    for i, method in enumerate(METHODS):
        optimizer = literal(method)
        theta = optimizer.init([start])
        for k in range(60):
            theta = optimizer.step(theta, [gradient(theta[0])], method.eta)
            assert np.abs(batch[k + 1, i] - theta[0]).max() < 1e-12, (method, k)


@pytest.mark.parametrize(("one", "other"), [
    (Method("ESGD", "sgd", -90.0, 0.99, 0.9, 1e-4), Method("heavy ball", "sgd", 0.0, 0.99, 0.99, 1e-5)),
    (Method("ALTO", "alto", -90.0, 0.99, 0.9, 0.01), Method("LAMB", "alto", 0.0, 0.99, 0.99, 0.01)),
], ids=lambda method: method.label)  # fmt: skip
def test_at_alpha_star_two_optimizers_are_one(one, other):
    """On the paper's second function of one variable, from .7, where both move."""
    run = simulate([one, other], objectives.make("three-holes").gradient, np.array([[0.7]]), steps=3000)
    assert np.abs(run[:, 0] - run[:, 1]).max() < 1e-12
    assert np.abs(run[:, 0] - run[0, 0]).max() > 0.05


def test_every_keepth_iterate_is_kept():
    all_of_them = simulate(METHODS, gradient, np.ones((1, 3)), steps=21)
    assert (simulate(METHODS, gradient, np.ones((1, 3)), steps=21, keep=5) == all_of_them[::5]).all()


def test_what_diverges_is_nan_from_there_on():
    method = Method("too far", "sgd", 0.0, 0.9, 0.0, 3.0)
    run = simulate([method], lambda theta: theta, np.ones((1, 1)), steps=60, bound=1e6)[:, 0, 0, 0]
    left = int(np.ceil(np.log(1e6) / np.log(2)))
    assert np.isfinite(run[:left]).all()
    assert np.isnan(run[left:]).all()


def test_an_unknown_rule_is_refused():
    with pytest.raises(ValueError, match="must be sgd, adam or alto"):
        Method("m", "rmsprop", 0.0, 0.9, 0.9, 0.1)
