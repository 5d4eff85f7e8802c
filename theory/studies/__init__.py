"""Simulations whose data figures and claims read: one file a study, ``compute(effort) -> plain data``.

    python -m theory figures --fresh    computes all of them into runs/theory/studies
    results/theory/                     holds the committed copies

A study prints and draws nothing. Another one is a file here with a function ``compute``, and a line below.
"""

from theory.studies import (
    age_and_variance,
    cardioid,
    crossing,
    dips,
    divergence,
    double_well,
    edge_of_stability,
    figure_5,
    figure_8,
    frequency_response,
    impulse_response,
    label_noise,
    mean_square,
    rate_and_condition,
    rosenbrock,
    sign_of_a,
    stability_map,
    stationary_variance,
    valley_drift,
)
from theory.studies.store import Compute

ALL: dict[str, Compute] = {
    "stability-map": stability_map.compute,
    "edge-of-stability": edge_of_stability.compute,
    "divergence": divergence.compute,
    "frequency-response": frequency_response.compute,
    "impulse-response": impulse_response.compute,
    "stationary-variance": stationary_variance.compute,
    "mean-square": mean_square.compute,
    "valley-drift": valley_drift.compute,
    "label-noise": label_noise.compute,
    "dips": dips.compute,
    "double-well": double_well.compute,
    "figure-8": figure_8.compute,
    "cardioid": cardioid.compute,
    "rosenbrock": rosenbrock.compute,
    "crossing": crossing.compute,
    "sign-of-a": sign_of_a.compute,
    "figure-5": figure_5.compute,
    "rate-and-condition": rate_and_condition.compute,
    "age-and-variance": age_and_variance.compute,
}
"""Every study by name."""
