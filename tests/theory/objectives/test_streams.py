"""Online streams: gradients, the bound G, and the best point in hindsight against a general solver."""

import numpy as np
import pytest
from scipy.optimize import minimize

from theory import objectives


@pytest.fixture(scope="module", params=objectives.stream_names())
def stream(request):
    return objectives.make_stream(request.param)


def draw(stream, count, seed=0):
    rng = np.random.default_rng(seed)
    return rng.integers(len(stream.a), size=count), rng.uniform(*stream.box, size=(count, stream.dimension))


def test_gradients_are_derivatives(stream):
    index, theta = draw(stream, 50)
    for j in range(stream.dimension):
        step = np.zeros(stream.dimension)
        step[j] = 1e-6
        difference = (stream.loss(index, theta + step) - stream.loss(index, theta - step)) / 2e-6
        np.testing.assert_allclose(difference, stream.gradient(index, theta)[:, j], atol=1e-7 * (1 + stream.G))


def test_losses_are_convex_at_samples(stream):
    index, x = draw(stream, 2000)
    y = x[::-1]
    tangent = stream.loss(index, x) + (stream.gradient(index, x) * (y - x)).sum(-1)
    assert (stream.loss(index, y) >= tangent - 1e-12).all()


def test_G_bounds_the_sampled_gradients_and_is_near_them(stream):
    index, theta = draw(stream, 20_000)
    largest = np.abs(stream.gradient(index, np.sign(theta))).max()
    assert stream.G / 2 <= largest <= stream.G * (1 + 1e-12)


def test_the_best_point_in_hindsight(stream):
    rng = np.random.default_rng(1)
    counts = rng.integers(1, 20, size=(4, len(stream.a))).astype(float)
    found = stream.best(counts)
    for weights, theta in zip(counts, found, strict=True):
        best = min(
            float(minimize(
                lambda x, w=weights: float(stream.total(w[None], x[None])[0]), start,
                bounds=[stream.box] * stream.dimension, method="L-BFGS-B", options={"ftol": 1e-15, "gtol": 1e-12},
            ).fun)
            for start in (np.zeros(stream.dimension), 0.5 * rng.normal(size=stream.dimension))
        )  # fmt: skip
        assert float(stream.total(weights[None], theta[None])[0]) <= best + 1e-8 * (1 + abs(best))


def test_total_is_the_sum_of_losses(stream):
    index, theta = draw(stream, 7)
    point = theta[:1]
    counts = np.bincount(index, minlength=len(stream.a))[None]
    separate = sum(float(stream.loss(index[i : i + 1], point)[0]) for i in range(7))
    assert float(stream.total(counts, point)[0]) == pytest.approx(separate, rel=1e-12)


def test_reddi_s_rhythm():
    stream = objectives.make_stream("reddi", n=3, C=2.4)
    picked = stream.pick(np.random.default_rng(0), 1, (7,))
    assert stream.a[picked, 0].tolist() == [2.4, -1, -1, 2.4, -1, -1, 2.4]
    np.testing.assert_array_equal(picked[3:], stream.pick(np.random.default_rng(0), 4, (4,)))
    with pytest.raises(ValueError, match="C"):
        objectives.make_stream("reddi", n=3, C=2.0)


def test_linear_signs_are_all_of_them_and_fair():
    stream = objectives.make_stream("linear", dimension=3)
    assert len({tuple(row) for row in stream.a}) == 8
    assert stream.a.sum(0).tolist() == [0, 0, 0]


def test_an_unknown_stream_is_refused():
    with pytest.raises(ValueError, match="reddi"):
        objectives.make_stream("redi")
