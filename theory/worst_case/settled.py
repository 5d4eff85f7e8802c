"""The settings that certificates settle, and the checks that exact arithmetic makes of the stored ones."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from theory.worst_case import closed_forms
from theory.worst_case.certificate import Certificate, read
from theory.worst_case.method import Method, methods
from theory.worst_case.store import CERTIFICATES, COMMITTED

ALLOWANCE = Fraction(1, 10**6)
"""How far above the optimum a certificate may prove its bound."""

CS = (Fraction(0), Fraction(1, 20), Fraction(-1, 2))
BETA1S = (Fraction(1, 2), Fraction(9, 10), Fraction(99, 100))
MU = Fraction(1, 10)


@dataclass(frozen=True)
class Setting:
    """A worst case to settle.

    Args:
        method: in Fractions; mu: strong convexity.
    """

    method: Method
    mu: Fraction = Fraction(0)

    @property
    def name(self) -> str:
        """The certificate's file name without its ending."""
        return f"{'convex' if self.mu == 0 else 'strongly-convex'}_{self.method.label()}"


def bracketed() -> list[Setting]:
    """E(SGD) on smooth convex functions at eta = 1/L, N = 1 ... 5: an attained lower bound is known in closed form."""
    return [Setting(m) for m in methods(CS, BETA1S, (1, 2, 3, 4, 5), beta2=Fraction(0), eta=Fraction(1))]


def bounded() -> list[Setting]:
    """E-heavy-ball, and E(SGD) on strongly convex functions, N = 1 ... 3: bounded from above alone."""
    heavy = methods(CS, BETA1S, (1, 2, 3), beta2=Fraction(9, 10), eta=Fraction(1, 10))
    plain = methods(CS, BETA1S, (1, 2, 3), beta2=Fraction(0), eta=Fraction(1))
    return [*map(Setting, heavy), *(Setting(m, MU) for m in plain)]


def stored(setting: Setting, folder: Path = COMMITTED) -> Certificate:
    """The stored certificate of a setting.

    Raises:
        FileNotFoundError: there is none.
        ValueError: the file is none, or speaks of another setting.
    """
    path = folder / CERTIFICATES / f"{setting.name}.json"
    certificate = read(path)
    if (certificate.method, certificate.mu) != (setting.method, setting.mu):
        raise ValueError(f"{path} speaks of {certificate.method}, mu = {certificate.mu}, not of {setting}")
    return certificate


def bracket(setting: Setting) -> tuple[Fraction, Fraction]:
    """Attained lower bound and what a certificate of this setting must prove, in exact arithmetic."""
    lower = closed_forms.smooth_convex(setting.method)
    return lower, lower + ALLOWANCE


def refusals(folder: Path = COMMITTED) -> Iterator[tuple[str, str | None]]:
    """Name of each stored certificate that ought to be there, and why it is refused; None where it is accepted."""
    for setting in [*bracketed(), *bounded()]:
        try:
            yield setting.name, stored(setting, folder).reject()
        except (FileNotFoundError, ValueError) as error:
            yield setting.name, str(error)
