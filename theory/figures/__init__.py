"""Figures of the theory: one file a figure, drawn from stored results alone by ``python -m theory figures``.

A figure's module names the studies that it reads (``STUDIES``), has a heading (``TITLE``), says in one sentence what
the reader should see (``SEE``), and draws (``draw``). Another one is a file here and a line below.
"""

from theory.figures import (
    age_and_variance,
    dips,
    divergence,
    double_well,
    edge_of_stability,
    figure_5,
    figure_8,
    frequency_response,
    impulse_response,
    mean_square,
    rate_and_condition,
    sign_of_a,
    stability_map,
    stationary_variance,
    valley_drift,
)
from theory.figures.gallery import Drawing
from theory.rates.figures import gradient_norm, looseness, regret
from theory.studies import figure_1, figure_2
from theory.worst_case import figure as figure

ALL: dict[str, Drawing] = {
    "figure-1": figure_1,
    "figure-2": figure_2,
    "figure-5": figure_5,
    "figure-8": figure_8,
    "stability-map": stability_map,
    "edge-of-stability": edge_of_stability,
    "divergence": divergence,
    "frequency-response": frequency_response,
    "impulse-response": impulse_response,
    "stationary-variance": stationary_variance,
    "mean-square": mean_square,
    "valley-drift": valley_drift,
    "dips": dips,
    "double-well": double_well,
    "sign-of-a": sign_of_a,
    "worst-case": figure,
    "rate-and-condition": rate_and_condition,
    "age-and-variance": age_and_variance,
    "regret": regret,
    "gradient-norm": gradient_norm,
    "looseness": looseness,
}
"""Every figure by name, in the gallery's order: the paper's first, named as there."""
