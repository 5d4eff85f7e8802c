"""The recursions against numbers worked out by hand."""

from fractions import Fraction as F

import numpy as np

from theory.method import sequences


def test_by_hand():
    gs = [F(4), F(2), F(0)]
    assert sequences.average(gs, F(1, 2)) == [2, 2, 1]
    assert sequences.differences(gs) == [4, -2, -2]
    assert sequences.exploration(gs, F(1, 2)) == [2, 0, -1]
    assert sequences.explored(gs, F(-1), F(1, 2)) == [2, 2, 1]
    assert sequences.explored_by_slow_average(gs, F(-1), F(1, 2)) == [2, 2, 1]
    assert sequences.accumulated(gs, F(1, 2)) == [4, 4, 2]


def test_varying_strength():
    assert sequences.explored([F(4), F(2)], lambda k: F(-1, k), F(1, 2)) == [2, 2]
    assert sequences.explored([F(4), F(3)], lambda k: F(-1, k), F(1, 2)) == [2, F(11, 4)]


def test_transport_steps_are_what_the_average_lags():
    gs = [F(4), F(2), F(0), F(-3)]
    ts = sequences.transport(gs, F(-1), F(1, 2), F(3, 4))
    ms = sequences.average(sequences.explored(gs, F(-1), F(1, 2)), F(3, 4))
    assert sequences.differences(ts) == [g - m for g, m in zip(gs, ms, strict=True)]


def test_impulse_response():
    weights = sequences.impulse_response(lambda gs: sequences.average(gs, 0.5), 4)
    np.testing.assert_array_equal(weights, [0.5, 0.25, 0.125, 0.0625])
