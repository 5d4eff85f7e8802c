"""E(SGD) with fixed steps as a matrix: x_k = x_0 - sum_j D_kj g_j, in any arithmetic."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any


@dataclass(frozen=True)
class Method:
    """ESGD with a constant step, theory's Algorithm 3, in units L = 1.

    Numbers are Fractions for exact work or floats.

    Args:
        c: -alpha (1 - beta1), with |c| < 1.
        beta1: decay rate of the slow average, in [0, 1).
        beta2: decay rate of the unnormalised momentum, in [0, 1).
        eta: step length times L, > 0.
        N: number of steps, >= 1.

    Raises:
        ValueError: an argument lies outside its range.
    """

    c: Any
    beta1: Any
    beta2: Any
    eta: Any
    N: int

    def __post_init__(self) -> None:
        if not -1 < self.c < 1:
            raise ValueError(f"c = {self.c}: allowed is -1 < c < 1")
        for name in ("beta1", "beta2"):
            if not 0 <= getattr(self, name) < 1:
                raise ValueError(f"{name} = {getattr(self, name)}: allowed is 0 <= {name} < 1")
        if self.eta <= 0:
            raise ValueError(f"eta = {self.eta}: allowed is eta > 0")
        if self.N < 1:
            raise ValueError(f"N = {self.N}: allowed is N >= 1")

    def displacement(self) -> list[list[Any]]:
        """D: row k = 0 ... N has the weights of g_0 ... g_{N-1} in x_0 - x_k; shape (N+1, N)."""
        zero = self.eta * 0
        h, m, moved = ([zero] * self.N for _ in range(3))
        rows = [moved]
        for k in range(self.N):
            g = [zero + (j == k) for j in range(self.N)]
            u = [(1 - self.c) * a + self.c * b for a, b in zip(g, h, strict=True)]
            h = [self.beta1 * b + (1 - self.beta1) * a for a, b in zip(g, h, strict=True)]
            m = [self.beta2 * b + a for a, b in zip(u, m, strict=True)]
            moved = [a + self.eta * b for a, b in zip(moved, m, strict=True)]
            rows.append(moved)
        return rows

    def total_displacement(self) -> Any:
        """How far a constant unit gradient carries x: eta S_N, with S_N = N - c (1-beta1^N)/(1-beta1) at beta2 = 0."""
        return sum(self.displacement()[-1])

    def residual(self, curvature: Any) -> Any:
        """p_N(l): x_N / x_0 on f = l x^2 / 2; of an array of curvatures, an array."""
        return self.run(curvature)[-1]

    def run(self, curvature: Any) -> list[Any]:
        """x_0, ..., x_N from x_0 = 1 on f = l x^2 / 2."""
        x: list[Any] = [self.eta * 0 + 1]
        for row in self.displacement()[1:]:
            x.append(1 - curvature * sum(d * y for d, y in zip(row, x, strict=False)))
        return x

    def exact(self) -> "Method":
        """The same with Fractions; decimal literals such as 0.05 become 1/20."""
        return Method(_fraction(self.c), _fraction(self.beta1), _fraction(self.beta2), _fraction(self.eta), self.N)

    def floats(self) -> "Method":
        """The same with floats."""
        return Method(float(self.c), float(self.beta1), float(self.beta2), float(self.eta), self.N)

    def label(self) -> str:
        """The setting as part of a file name: N3_c=minus1over2_beta1=99over100; beta2 and eta where not 0 and 1."""
        exact = self.exact()
        named = {"c": exact.c, "beta1": exact.beta1}
        named |= {"beta2": exact.beta2} if exact.beta2 else {}
        named |= {"eta": exact.eta} if exact.eta != 1 else {}
        text = [f"{name}={value}".replace("/", "over").replace("-", "minus") for name, value in named.items()]
        return "_".join([f"N{self.N}", *text])


def _fraction(value: Any) -> Fraction:
    return Fraction(str(value)) if isinstance(value, float) else Fraction(value)


def methods(cs: Sequence[Any], beta1s: Sequence[Any], Ns: Sequence[int], *, beta2: Any, eta: Any) -> list[Method]:
    """The grid of these settings; with c = 0 beta1 has no effect, so only the first is kept."""
    return [
        Method(c, beta1, beta2, eta, N) for N in Ns for c in cs for i, beta1 in enumerate(beta1s) if c != 0 or i == 0
    ]
