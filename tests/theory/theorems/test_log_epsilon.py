"""EAdam without chi: values by hand, and mutants that its claim's evidence notices."""

from math import log

import numpy as np
import pytest

from tests.theory.claims.mutation import mutated, of_properties
from theory.method.filters import Filter
from theory.theorems import log_epsilon as theorem

CLAIM = "theory.claims.theorems.log_epsilon"
MUTANTS = {
    "from u to g without the inverse": ("* (1 - F.beta1) / ((1 - F.c) * (root - abs(rho))))", "* 0)"),
    "momentum that does not wait": ("(1 - F.beta2 / root)", "1"),
    "no logarithm": ("log(1 + ratio**2) / T", "0"),
    "all of the weights kept": ("0.75 * by_root[0] - 1.25 * np.abs(by_root[by_root < 0]).sum()", "30.0"),
}


@pytest.mark.parametrize(("old", "new"), MUTANTS.values(), ids=MUTANTS)
def test_a_mutant_is_noticed(old, new):
    with mutated("theory.theorems.log_epsilon", old, new) as load:
        assert of_properties(load, CLAIM) == {"contradicts"}


def test_without_a_mutant_all_hold():
    with mutated("theory.theorems.log_epsilon", "EAdam at batch 1", "At batch 1") as load:
        assert of_properties(load, CLAIM) == {"supports"}


def test_the_bound_of_rmsprop_by_hand():
    """Without E and momentum only w_0 = 1 is left: R = M = 1, no drift, late = sqrt(1 - beta3) = 1/2."""
    found = theorem.mean_square_gradient(Filter(0.0, 0.0, 0.0), 0.75, 0.5, L=2.0, eta=0.1, T=10, gap=3.0, d=4, G=1.0)
    ratio = (log(5) / 10 + log(4 / 3)) * 4
    assert found == pytest.approx(1.5 / 0.75 * (3 + 4 * ratio * (0.2 / 2 + 4 / 2)))


def test_the_constants_of_a_negative_c_by_hand():
    """c = -1/2, beta1 = 1/4, sqrt(beta3) = 3/4: w_j = -(3/8) 4^(1-j), rho = 1/2."""
    found = theorem.constants(Filter(2 / 3, 0.25, 0.0), 9 / 16)
    assert found.kept == pytest.approx(0.75 * 1.5 - 1.25 * 0.5 * 0.75 / 0.5)
    assert pytest.approx((1 + 0.5 * 0.75 / (1.5 * 0.25)) / 1.5) == found.R
    assert found.drift == pytest.approx((3 / 8) / 0.75 / (1 - 1 / 3) ** 2)
    j = np.arange(1, 200)
    late = (3 / 8) * 4.0 ** (1 - j) * (9 / 16.0) ** -j * np.sqrt(1 - (9 / 16) ** (j + 1.0))
    assert found.late == pytest.approx(1.5 * np.sqrt(7 / 16) + late.sum())


@pytest.mark.parametrize(("F", "beta3", "said"), [
    (Filter(-5.0, 0.99, 0.9), 0.99, "beta3 = 0.99 must lie in"), (Filter(0.0, 0.5, 0.9), 0.8, "= \\(0.9, 1\\)"),
    (Filter(-9.5, 0.9, 0.0), 0.999, "no inverse"), (Filter(1.8, 0.5, 0.0), 0.6, "too negative"),
], ids=["beta3 below beta1", "beta3 below beta2", "no inverse", "negative weights"])  # fmt: skip
def test_what_the_theorem_does_not_allow_is_refused(F, beta3, said):
    with pytest.raises(ValueError, match=said):
        theorem.constants(F, beta3)
