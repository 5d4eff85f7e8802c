"""What properties draw from: exact rationals with small denominators, so that a statement can be checked without slack.

``decay_rate`` stays off 1 and ``mixing`` off -1 and 1, as the paper's region |c| < 1 requires.
"""

from fractions import Fraction

from hypothesis import strategies as st

decay_rate = st.fractions(min_value=0, max_value=Fraction(63, 64), max_denominator=64)
"""A beta in [0, 1)."""

positive_decay_rate = st.fractions(min_value=Fraction(1, 64), max_value=Fraction(63, 64), max_denominator=64)
"""A beta in (0, 1)."""

mixing = st.fractions(min_value=Fraction(-63, 64), max_value=Fraction(63, 64), max_denominator=64)
"""c = -alpha (1 - beta1) in (-1, 1)."""

gradients = st.lists(st.fractions(min_value=-8, max_value=8, max_denominator=8), min_size=1, max_size=9)
"""A scalar gradient sequence, arbitrary."""

unit_gradient = st.sampled_from([Fraction(-1), Fraction(0), Fraction(1, 3), Fraction(1)])
"""A gradient bounded by 1, often extremal."""

extreme_gradients = st.lists(unit_gradient, min_size=1, max_size=12)
"""A gradient sequence bounded by 1 that hits the extremal alternating ones."""

seeds = st.integers(min_value=0, max_value=2**32 - 1)
"""A seed for numpy where the case is too large to draw piece by piece."""


def strength(c: Fraction, beta1: Fraction) -> Fraction:
    """The alpha that belongs to c = -alpha (1 - beta1)."""
    return -c / (1 - beta1)
