"""Claims of some other paper, as a user would write them: one true, one false."""

import sympy as sp
from hypothesis import strategies as st

from theory.ledger import Claim, Piece, holds_for, identity, proof

x, y = sp.symbols("x y")


def _is_even(n):
    assert n % 2 == 0, f"{n} is odd"


CLAIMS = (
    Claim(
        id="binomial",
        source="another paper, equation 1",
        statement="$(x+y)^2 = x^2 + 2xy + y^2$.",
        evidence=(
            proof(
                "expand",
                Piece("both sides", lambda: identity((x + y) ** 2, x**2 + 2 * x * y + y**2), concludes=True),
            ),
        ),
    ),
    Claim(
        id="all-even",
        source="another paper, equation 2",
        statement="Every integer is even.",
        evidence=(holds_for("parity", _is_even, n=st.integers(0, 100)),),
    ),
)
