"""The Bode plot of the adaptor and of the adaptor with momentum."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from theory.plotting import style

STUDIES = ("frequency-response",)
TITLE = "The adaptor as a filter"
SEE = (
    r"Dots measured with sinusoids lie on the lines: $u$ passes slow changes unchanged and damps fast ones by "
    r"$1-2c/(1+\beta_1)$ for $\alpha<0$, its delay at low frequency is $-\alpha$ steps, and with momentum .9 the curve "
    r"of $\alpha=\alpha^*=-90$ is that of one average with retention .99."
)


def _u(omega: np.ndarray, c: float, beta1: float) -> np.ndarray:
    z = np.exp(-1j * omega)
    return 1 - c + c * (1 - beta1) * z / (1 - beta1 * z)


def _average(omega: np.ndarray, beta: float) -> np.ndarray:
    return (1 - beta) / (1 - beta * np.exp(-1j * omega))


def draw(data: Mapping[str, Any]) -> Figure:
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
        label = rf"one average, retention {beta:g}"
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
        axes.set_xlabel(r"frequency $\omega$ (radians a step)")
    style.legend_below(figure, gain, 5)
    return figure
