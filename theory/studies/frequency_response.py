"""The frequency response of the adaptor, measured: sinusoids through the literal recursions, gain and phase fitted."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from theory.ledger.effort import Effort
from theory.method.algorithms import ESGD
from theory.plotting import style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

STUDIES = ("frequency-response",)
TITLE = "The adaptor as a filter"
SEE = (
    r"Dots measured with sinusoids lie on the lines: $u$ passes slow changes unchanged and damps fast ones by "
    r"$1-2c/(1+\beta_1)$ for $\alpha<0$, its delay at low frequency is $-\alpha$ steps, and with momentum .9 the curve "
    r"of $\alpha=\alpha^*=-90$ is that of one average with decay rate .99."
)

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
    """(gain, phase) of u, and of the normalised m, each of shape (2, frequencies); one replica per frequency."""
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


def _u(omega: np.ndarray, c: float, beta1: float) -> np.ndarray:
    z = np.exp(-1j * omega)
    return 1 - c + c * (1 - beta1) * z / (1 - beta1 * z)


def _average(omega: np.ndarray, beta: float) -> np.ndarray:
    return (1 - beta) / (1 - beta * np.exp(-1j * omega))


def draw(data: Mapping[str, Any]) -> "Figure":
    """Gain, phase and group delay of u, and the gain of m."""
    study = data["frequency-response"]
    beta1, beta2 = study["config"]["beta1"], study["config"]["beta2"]
    at, omega = style.array(study["omega"]), np.geomspace(1e-3, np.pi, 600)
    figure = style.figure(style.PAGE, 4.3)
    (gain, phase), (delay, momentum) = figure.subplots(2, 2, sharex=True)
    for curve in study["curves"]:
        alpha = curve["alpha"]
        look = {"color": style.colour(alpha)}
        dots = {**look, "marker": style.marker(alpha), "linestyle": "none", "markersize": 3}
        response = _u(omega, -alpha * (1 - beta1), beta1)
        gain.plot(omega, np.abs(response), **look, label=style.name(alpha))
        gain.plot(at, curve["u_gain"], **dots)
        phase.plot(omega, np.degrees(np.angle(response)), **look)
        phase.plot(at, np.degrees(style.array(curve["u_phase"])), **dots)
        delay.plot(omega, -np.gradient(np.unwrap(np.angle(response)), omega), **look)
        delay.plot(omega[0], -alpha, style.marker(alpha), **look, clip_on=False)
        momentum.plot(omega, np.abs(response * _average(omega, beta2)), **look)
        momentum.plot(at, curve["m_gain"], **dots)
    for beta, dash in ((beta2, "--"), (beta1, ":")):
        label = rf"one average, decay rate {beta:g}"
        momentum.plot(
            omega, np.abs(_average(omega, beta)), color=style.GREY, linestyle=dash, linewidth=2.2, label=label
        )
    gain.set_xscale("log")
    gain.set_ylim(0, 1.6)
    momentum.set_yscale("log")
    momentum.legend(loc="lower left")
    for letter, axes, title, label in (
        ("a", gain, r"gain of $u$", r"$|U|$"),
        ("b", phase, r"phase of $u$", "degrees"),
        ("c", delay, r"group delay of $u$; marks: $-\alpha$", "steps"),
        ("d", momentum, rf"gain of $m$, $\beta_2={beta2:g}$", r"$|U M|$"),
    ):
        style.panel_letter(axes, letter, title)
        axes.set_ylabel(label)
    for axes in (delay, momentum):
        axes.set_xlabel(r"frequency $\omega$ (radians per step)")
    style.legend_below(figure, gain, 5)
    return figure
