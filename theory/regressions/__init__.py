"""The derivation's printed values, each computed again by this package: K1 ... K25, as data.

A reference is a number that was worked out once, beside the derivation, by other code; here it is only compared with.
Where the derivation's number was wrong the reference is the mended one, and its check says so.
"""

from theory.regressions import linear, networks, noise, trajectories, worst
from theory.regressions.check import Check, Comparison, compared

ALL: tuple[Check, ...] = tuple(
    sorted(
        (*linear.CHECKS, *noise.CHECKS, *trajectories.CHECKS, *networks.CHECKS, *worst.CHECKS),
        key=lambda check: int(check.id[1:]),
    )
)

__all__ = ["ALL", "Check", "Comparison", "compared"]
