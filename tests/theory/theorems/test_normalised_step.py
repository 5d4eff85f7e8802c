"""The bound of ALTO by its normalised step: values by hand, and mutants that its evidence notices."""

import numpy as np
import pytest

from tests.theory.claims.mutation import mutated
from theory.ledger.effort import Effort
from theory.ledger.evidence import Outcome, run
from theory.method.filters import Filter
from theory.theorems import normalised_step as theorem
from theory.theorems.bounds import Tracking

EFFORT = Effort("own", examples=240, thorough=False)
"""Quick, with more cases: a mutant may fail in few."""
MUTANTS = {
    "psi too large": ("psi = 2 * np.sqrt", "psi = 3 * np.sqrt", "literal ALTO, 8 replicas"),
    "error counted psi times": ("- (1 + self.psi) *", "- self.psi *", "literal ALTO, 8 replicas"),
    "curvature halved": ("L * eta**2 / 2 * self.phi", "L * eta**2 / 4 * self.phi", "literal ALTO, 8 replicas"),
    "decay without W": ("decay=norm(decay * W * theta)", "decay=norm(decay * theta)", "literal ALTO, 8 replicas"),
    "no eps2": ("psi * eps2 * phi", "0 * eps2 * phi", "literal ALTO, 8 replicas"),
    "a zero layer as any other": (
        "zero = factor_one & (at == 0)", "zero = at < 0",
        "alto.ALTO and alto.LAMB (engine single, float64) on random indefinite quadratics",
    ),
    "only the curvature in the average": (
        "return gap / (eta * T) + 2 * reach * error", "return 0.0", "non-convex problems, two layers"
    ),
    "no decay in the average": ("2 * reach * decay * widest * D", "0.0", "the term of the decay is needed"),
    "age without alpha": ("F.kappa + abs(F.alpha) / sqrt(T)", "F.kappa", "the constant of T^(-1/4)"),
}  # fmt: skip


@pytest.mark.parametrize("mutant", MUTANTS.values(), ids=MUTANTS)
def test_a_mutant_is_noticed(mutant):
    old, new, name = mutant
    with mutated("theory.theorems.normalised_step", old, new) as load:
        claims = [
            *load("theory.claims.theorems.normalised_step").CLAIMS,
            *load("theory.claims.theorems.normalised_step_rate").CLAIMS,
        ]
        (evidence,) = (one for claim in claims for one in claim.evidence if one.name == name)
        found = load("theory.ledger.evidence").run(evidence, EFFORT)
        assert str(found.outcome) == "contradicts", found.detail


def test_without_a_mutant_the_same_evidence_supports():
    from theory.claims.theorems import normalised_step, normalised_step_rate

    named = {name for *_, name in MUTANTS.values()}
    evidence = [one for module in (normalised_step, normalised_step_rate) for c in module.CLAIMS for one in c.evidence]
    assert {one.name: run(one, EFFORT).outcome for one in evidence if one.name in named} == dict.fromkeys(
        named, Outcome.SUPPORTS
    )


def test_the_terms_by_hand():
    """Two layers, (3, 4) with W = (1, 4), and a zero layer whose factor is 1."""
    found = theorem.layers(
        np.array([[[3.0, 4.0, 0.0]]]), np.array([[[2.0, 0.0, 6.0]]]), np.array([[[1.0, 4.0, 2.0]]]),
        np.array([[[1.0, 1.0, 5.0]]]), decay=0.5, eps2=0.1, eps3=1.0, sizes=(2, 1), factor_one=True,
    )  # fmt: skip
    np.testing.assert_allclose(found.phi, [[[6.0, 3.0]]])  # |theta| + eps3; |r| = 6 / 2
    np.testing.assert_allclose(found.psi, [[[0.8, 1.0]]])  # 2 sqrt(4) / (1 + 4)
    np.testing.assert_allclose(found.error, [[[2**0.5, 1.0]]])
    np.testing.assert_allclose(found.decay, [[[0.5 * (9 + 256) ** 0.5, 0.0]]])
    np.testing.assert_allclose(found.shortened, [[[0.8 * 0.1 * 6 * 4, 0.0]]])
    np.testing.assert_allclose(found.weighted, [[6 * 0.8 * 2**0.5 + 3 * 5]])
    assert found.downhill[0, 0, 0] == pytest.approx((3.5 + 2) / np.hypot(3.5, 2))  # r = (2 + 1.5, 0 + 2)


def test_one_over_psi_is_500_at_the_defaults():
    assert 1 / theorem.alignment(Filter(-5.0, 0.99, 0.9), 1e-6, 1.0) == pytest.approx(500, rel=1e-3)


def test_the_average_by_hand():
    bound = theorem.mean_weighted_gradient(
        Tracking(4.0, 9.0, 16.0), eta=0.5, T=4, gap=6.0, first=16.0, variance=0.25, L=2.0, reach=3.0, eps2=0.1,
        decay=0.2, widest=5.0, D=2.0,
    )  # fmt: skip
    assert bound == pytest.approx(3 + 6 * (2 * 2 * 0.5 * 3 + 3 * 4 / 2 + 4 * 0.5) + 2 * 0.5 * 9 / 2 + 9 * 0.5 + 12)


def test_the_rate_is_the_fourth_root_of_T():
    """From T to 16 T, large, the bound halves; T^(1/4) times it has the closed-form limit."""
    given = {"gap": 2.0, "first": 3.0, "variance": 0.5, "L": 1.5, "reach": 2.0}
    constants = [theorem.rate_constant(Filter(-5.0, 0.9, 0.0), eta=0.7, T=T, **given) for T in (10**12, 16 * 10**12)]
    assert constants[0] == pytest.approx(constants[1], rel=1e-5)
    kappa = 1.0  # c = .5
    limit = 2 / 0.7 + 4 * 2**0.5 * (kappa * 1.5 * 0.7 * 2 + kappa * 3**0.5 + kappa * 0.5**0.5)
    assert constants[1] == pytest.approx(limit, rel=1e-5)
