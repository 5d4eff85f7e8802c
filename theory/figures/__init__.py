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
    figure_1,
    figure_2,
    figure_5,
    figure_8,
    frequency_response,
    gradient_norm,
    impulse_response,
    looseness,
    mean_square,
    rate_and_condition,
    regret,
    sign_of_a,
    stability_map,
    stationary_variance,
    valley_drift,
    worst_case,
)
from theory.figures.gallery import Drawing

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
    "worst-case": worst_case,
    "rate-and-condition": rate_and_condition,
    "age-and-variance": age_and_variance,
    "regret": regret,
    "gradient-norm": gradient_norm,
    "looseness": looseness,
}
"""Every figure by name, in the gallery's order: the paper's first, named as there."""
