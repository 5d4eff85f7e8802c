"""The frequency response of the adaptor, measured: sinusoids through the literal recursions, gain and phase fitted."""

from typing import Any

import numpy as np

from theory.ledger.evidence import Effort
from theory.method.algorithms import ESGD

BETA1, BETA2 = 0.99, 0.9
ALPHAS = (50.0, 0.0, -5.0, -50.0, -90.0)
SETTLE = 4000
"""Steps before the fit: what is left of the start is 0.99^4000 = 3e-18."""


def _fit(signal: np.ndarray, omega: float) -> tuple[float, float]:
    """Amplitude and phase in radians of a settled sinusoid of known frequency, by least squares."""
    k = np.arange(SETTLE, SETTLE + len(signal))
    basis = np.stack([np.cos(omega * k), np.sin(omega * k)], 1)
    p, q = np.linalg.lstsq(basis, signal, rcond=None)[0]
    return float(np.hypot(p, q)), float(np.arctan2(-q, p))


def _response(alpha: float, omega: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(gain, phase) of u, and of the normalised m, each of shape (2, frequencies); one replica a frequency."""
    optimizer = ESGD(alpha, BETA1, BETA2)
    theta = optimizer.init([np.zeros((len(omega), 1))])
    us, ms = [], []
    for k in range(SETTLE + 2000):
        optimizer.step(theta, [np.cos(omega * k)[:, None]], 0.0)
        if k >= SETTLE:
            us.append(optimizer.u[0][:, 0])
            ms.append((1 - BETA2) * optimizer.m[0][:, 0])
    columns = (np.array(us).T, np.array(ms).T)
    fits = [np.array([_fit(signal, w) for signal, w in zip(each, omega, strict=True)]).T for each in columns]
    return fits[0], fits[1]


def compute(_: Effort) -> dict[str, Any]:
    """Gain and phase of u and of m at 13 frequencies for each alpha; nothing is random."""
    omega = np.geomspace(2e-3, 0.99 * np.pi, 13)
    curves = []
    for alpha in ALPHAS:
        u, m = _response(alpha, omega)
        curves.append({"alpha": alpha, "u_gain": u[0], "u_phase": u[1], "m_gain": m[0], "m_phase": m[1]})
    config = {"beta1": BETA1, "beta2": BETA2, "alphas": ALPHAS, "settle": SETTLE}
    return {"config": config, "seeds": [], "omega": omega, "curves": curves}
