"""Figures of the theory: where each is drawn. ``python -m theory figures`` draws them from stored results alone.

A figure is a module that has what :class:`theory.studies.Drawing` lists. Another one is such a module and a line below.
"""

from theory.studies import Drawing, Modules

_STUDIES = (
    "figure-1", "figure-2", "figure-5", "figure-8", "stability-map", "edge-of-stability", "divergence",
    "frequency-response", "impulse-response", "stationary-variance", "mean-square", "valley-drift", "dips",
    "double-well", "sign-of-a",
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
