"""Figures of the theory: where each is drawn. ``python -m theory figures`` draws them from stored results alone.

Each is a function, too: ``theory.figures.stability_map(beta1=0.95, mark=[-15], width="5.5in")`` gives a matplotlib
Figure. A figure is a module that has what :class:`theory.studies.Drawing` lists. Another one is such a module, a line
below, and one in :mod:`theory.figures.parameters` if it has parameters.
"""

from typing import TYPE_CHECKING, Any

from theory.studies import Drawing, Modules

if TYPE_CHECKING:
    from collections.abc import Callable

    from matplotlib.figure import Figure

_STUDIES = (
    "figure-1", "figure-2", "figure-5", "figure-8", "stability-map", "edge-of-stability", "divergence",
    "frequency-response", "impulse-response", "stationary-variance", "mean-square", "valley-drift", "dips",
    "double-well", "sign-of-a", "normalised-step", "primal-averaging", "high-probability", "batch-floor",
    "log-epsilon", "alto-minimiser",
)  # fmt: skip

ALL: Modules[Drawing] = Modules({
    **{name: f"theory.studies.{name.replace('-', '_')}" for name in _STUDIES},
    "worst-case": "theory.worst_case.figure",
    "rate-and-condition": "theory.studies.rate_and_condition",
    "age-and-variance": "theory.studies.age_and_variance",
    "regret": "theory.rates.figures.regret",
    "gradient-norm": "theory.rates.figures.gradient_norm",
    "looseness": "theory.rates.figures.looseness",
})  # fmt: skip
"""Every figure by name, in the gallery's order: the paper's first, named as there."""


def __getattr__(name: str) -> "Callable[..., Figure]":
    """A figure's function, made now: ``theory.figures.stability_map``."""
    figure = name.replace("_", "-")
    if figure not in ALL:
        raise AttributeError(f"module 'theory.figures' has no attribute {name!r}; it has {', '.join(__dir__())}")
    from theory.figures import gallery, own

    about = gallery.about(figure)
    made: Any = own.function(figure, ALL.homes[figure], about.STUDIES)
    made.__doc__ = f"{about.TITLE}.\n\n{about.SEE}\n"
    globals()[name] = made  # one and the same at each use
    return made


def __dir__() -> list[str]:
    return ["ALL", *(name.replace("-", "_") for name in ALL)]
