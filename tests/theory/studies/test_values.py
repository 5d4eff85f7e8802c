"""The studies' cheap parts against closed forms, and against values that other code gave."""

import numpy as np
import pytest

from theory.ledger.evidence import QUICK
from theory.method.filters import Filter
from theory.stability import linear
from theory.studies import (
    age_and_variance,
    crossing,
    figure_8,
    frequency_response,
    impulse_response,
    mean_square,
    rosenbrock,
    sign_of_a,
    stability_map,
)


def test_measured_impulse_responses_are_the_filter():
    for curve in impulse_response.compute(QUICK)["curves"]:
        w = Filter(curve["alpha"], 0.99, 0.9).w[: impulse_response.LENGTH]
        assert np.abs(np.array(curve["weights"]) - w).max() < 1e-14


def test_measured_frequency_responses_are_the_transfer_function():
    """U(z) = (1 - c) + c (1 - beta1) z^-1 / (1 - beta1 z^-1); the sinusoid is fitted after the transient has died."""
    study = frequency_response.compute(QUICK)
    z = np.exp(-1j * study["omega"])
    for curve in study["curves"]:
        c = -curve["alpha"] * 0.01
        U = 1 - c + c * 0.01 * z / (1 - 0.99 * z)
        assert np.abs(curve["u_gain"] * np.exp(1j * curve["u_phase"]) - U).max() < 1e-9
        M = U * 0.1 / (1 - 0.9 * z)
        assert np.abs(curve["m_gain"] * np.exp(1j * curve["m_phase"]) - M).max() < 1e-9


def test_the_edge_found_from_eigenvalues_is_the_threshold():
    for panel in stability_map.compute(QUICK)["panels"]:
        beta1, beta2 = panel["beta1"], panel["beta2"]
        for alpha, edge in zip(panel["edge_alpha"], panel["edge"], strict=True):
            if np.isfinite(edge):
                limit = linear.largest_stable(-alpha * (1 - beta1), beta1, beta2)
                assert edge == pytest.approx(limit, rel=1e-6)


def test_the_critical_non_uniformity_is_one_over_the_root_of_v():
    for panel in mean_square.compute(QUICK)["panels"]:
        for curve in panel["curves"]:
            c = -curve["alpha"] * (1 - curve["beta1"])
            V = linear.variance(curve["x"], c, curve["beta1"], panel["beta2"])
            assert np.array(curve["rho"]) == pytest.approx(V**-0.5, rel=1e-5)


@pytest.mark.parametrize("age", [1, 4, 29])
def test_the_best_filter_of_an_integer_age_is_the_linear_window(age):
    """Weights 2 (n - j) / (n (n + 1)) over n = 3 K + 1 steps: age K, sum w^2 = 2 (2 n + 1) / (3 n (n + 1))."""
    n = 3 * age + 1
    window = 2 * (n - np.arange(n)) / (n * (n + 1))
    assert (window * np.arange(n)).sum() == pytest.approx(age)
    assert age_and_variance._best_filter(float(age)) == pytest.approx((window**2).sum(), rel=1e-4)


def test_figure_8_end_points():
    """End points on f1 at eta = .1 that other code gave: 5.5905, 16.508, 10.244, and 18.080 at 5 eta."""
    study = figure_8.compute(QUICK)
    at_2000 = np.array(study["paths"])[:, 2000 // study["keep"]]
    assert at_2000[:3] == pytest.approx([5.5905, 16.508, 10.244], abs=0.01)
    assert study["paths"][3][-1] == pytest.approx(18.080, abs=0.01)


def test_rosenbrock_hits():
    hits = {row["label"]: row["hit"] for row in rosenbrock.compute(QUICK)["sgd"]}
    assert (hits["SGD"], hits["ESGD(-5)"], hits["ESGD(-50)"]) == (1484, 1441, 607)
    assert hits["ESGD(-90)"] == hits["heavy ball(.99), eta/10"] == 1219


def test_sign_of_a_and_table_1():
    curve = sign_of_a.compute(QUICK)["curves"][0]
    assert curve["difference"][-1] > 0.99 > 0.6 > min(curve["difference"])
    assert all(share == 1 for row in crossing.compute(QUICK)["quantities"] for share in row["agree"])
