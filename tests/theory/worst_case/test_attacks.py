"""False certificates: exact arithmetic must refuse each of them, and a file that holds one is no certificate."""

import json
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from theory.worst_case import certificate as convex
from theory.worst_case import nonconvex, settled
from theory.worst_case.certificate import STAR, Certificate, positive_semidefinite
from theory.worst_case.nonconvex import NonconvexCertificate

NAN, INF = float("nan"), float("inf")
ONE, ZERO = Fraction(1), Fraction(0)
TRUE = settled.stored(next(s for s in settled.bracketed() if s.method.N == 2 and s.method.c))
GRADIENTS = settled.stored(next(s for s in settled.gradients() if s.method.N == 2 and s.method.c))
PAIR = next(pair for pair, weight in TRUE.multipliers.items() if weight)
METHOD = TRUE.method


def moved(found, cycle, amount):
    """Weight moved along a cycle of points: every value stays cancelled."""
    for pair in cycle:
        found = found.mutated(pair, amount)
    return found


CONVEX = {
    "a bound that is no number": replace(TRUE, tau=NAN),
    "an infinite bound": replace(TRUE, tau=INF),
    "a bound in floating point": replace(TRUE, tau=float(TRUE.tau)),
    "a bound of half the worst case": replace(TRUE, tau=TRUE.tau / 2),
    "a negative bound": replace(TRUE, tau=-TRUE.tau),
    "the bound of a longer step": replace(TRUE, method=replace(METHOD, eta=Fraction(3))),
    "the bound of another alpha": replace(TRUE, method=replace(METHOD, c=Fraction(9, 10))),
    "a method in floating point": replace(TRUE, method=METHOD.floats()),
    "one number of the method in floating point": replace(TRUE, method=replace(METHOD, beta1=float(METHOD.beta1))),
    "multipliers in floating point": replace(TRUE, multipliers={k: float(w) for k, w in TRUE.multipliers.items()}),
    "a multiplier that is no number": replace(TRUE, multipliers={**TRUE.multipliers, PAIR: NAN}),
    "no multiplier": replace(TRUE, multipliers={}),
    "all multipliers doubled": replace(TRUE, multipliers={k: 2 * w for k, w in TRUE.multipliers.items()}),
    "weight moved along a cycle": moved(TRUE, ((0, 1), (1, STAR), (STAR, 0)), ONE / 10),
    "weight taken from a cycle": moved(TRUE, ((0, 1), (1, STAR), (STAR, 0)), -ONE),
    "a point with itself": replace(TRUE, multipliers={**TRUE.multipliers, (1, 1): ONE}),
    "a point that is not there": replace(TRUE, multipliers={**TRUE.multipliers, (2, 3): ZERO}),
    "curvature above 1": replace(TRUE, mu=Fraction(11, 10)),
    "negative curvature": replace(TRUE, mu=Fraction(-1, 10)),
    "curvature in floating point": replace(TRUE, mu=0.0),
}

NONCONVEX = {
    "a bound that is no number": replace(GRADIENTS, tau=NAN),
    "a bound of half the worst case": replace(
        GRADIENTS, tau=GRADIENTS.tau / 2, multipliers={k: w / 2 for k, w in GRADIENTS.multipliers.items()}
    ),
    "a bound of nothing": replace(GRADIENTS, tau=ZERO, multipliers={}),
    "a negative bound": replace(GRADIENTS, tau=-GRADIENTS.tau),
    "the bound of a longer step": replace(GRADIENTS, method=replace(GRADIENTS.method, eta=Fraction(2))),
    "shares in floating point": replace(GRADIENTS, shares=[float(s) for s in GRADIENTS.shares]),
    "a share that is no number": replace(GRADIENTS, shares=[NAN, *GRADIENTS.shares[1:]]),
    "a negative share": replace(GRADIENTS, shares=[-ONE, ONE, ONE]),
    "shares of another length": replace(GRADIENTS, shares=[ONE]),
    "shares that sum to 2": replace(GRADIENTS, shares=[2 * s for s in GRADIENTS.shares]),
    "multipliers in floating point": replace(
        GRADIENTS, multipliers={k: float(w) for k, w in GRADIENTS.multipliers.items()}
    ),
    "the minimiser, which need not exist": replace(GRADIENTS, multipliers={**GRADIENTS.multipliers, (STAR, 0): ZERO}),
}

MATRICES = {
    "no number": [[NAN]],
    "no number below": [[ONE, ZERO], [ZERO, NAN]],
    "infinite": [[INF]],
    "a float that rounded to 0": [[1e-17, 0.0], [0.0, 0.0]],
    "negative by 1e-40": [[ONE, ONE], [ONE, ONE - Fraction(1, 10**40)]],
    "a zero pivot with a column": [[ZERO, ONE], [ONE, ONE]],
    "not symmetric": [[ONE, ZERO], [ONE, ONE]],
    "complex": [[1j]],
    "NumPy's numbers, which wrap around": [[np.int64(1), np.int64(2**40)], [np.int64(2**40), np.int64(0)]],
    "a truth value": [[True]],
}

FILES = {
    "a statement of its own": {"statement": "f(x_N) - f* <= tau / 2 for every f"},
    "no statement": {"statement": None},
    "a bound as a float": {"tau": 0.071},
    "a bound that is true": {"tau": True},
    "an infinite bound": {"tau": INF},
    "half a step": {"method": {**TRUE.to_json()["method"], "N": 2.5}},
    "steps in words": {"method": {**TRUE.to_json()["method"], "N": "2"}},
    "a float in the method": {"method": {**TRUE.to_json()["method"], "c": 0.05}},
    "c outside of its range": {"method": {**TRUE.to_json()["method"], "c": "2"}},
    "a pair twice": {"multipliers": {**TRUE.to_json()["multipliers"], "0, 1": "0"}},
    "a pair of three": {"multipliers": {"0,1,2": "1"}},
    "an infinite multiplier": {"multipliers": {"0,1": INF}},
}


def test_the_true_ones_are_accepted():
    assert TRUE.reject() is None
    assert GRADIENTS.reject() is None


@pytest.mark.parametrize("attack", CONVEX.values(), ids=CONVEX)
def test_no_false_certificate(attack: Certificate):
    assert attack.reject()


@pytest.mark.parametrize("attack", NONCONVEX.values(), ids=NONCONVEX)
def test_no_false_certificate_of_gradients(attack: NonconvexCertificate):
    assert attack.reject()


@pytest.mark.parametrize("attack", MATRICES.values(), ids=MATRICES)
def test_no_indefinite_matrix(attack):
    assert not positive_semidefinite(attack)


@pytest.mark.parametrize("attack", FILES.values(), ids=FILES)
def test_no_false_file(attack, tmp_path):
    path = tmp_path / "false.json"
    path.write_text(json.dumps({**TRUE.to_json(), **attack}))
    with pytest.raises(ValueError, match=r"false\.json is no certificate"):
        convex.read(path)


def test_a_file_of_the_other_class_is_no_certificate(tmp_path):
    path = tmp_path / "false.json"
    path.write_text(json.dumps({**GRADIENTS.to_json(), "statement": TRUE.to_json()["statement"]}))
    with pytest.raises(ValueError, match="is no certificate"):
        nonconvex.read(path)
