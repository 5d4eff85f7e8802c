"""EAdam with one sample per step in skewed noise: runs at three beta3, and the direction's bias by beta3 (ours)."""

from collections.abc import Mapping
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.signal import lfilter

from theory.ledger.effort import Effort
from theory.method.algorithms import ALTO
from theory.plotting import style
from theory.studies.intervals import t_interval
from theory.theorems.batch_floor import largest_drift
from theory.theorems.skewed_noise import BETA1, EPS1, NOISE, PROBABILITY

if TYPE_CHECKING:
    from matplotlib.figure import Figure

STUDIES = ("batch-floor",)
TITLE = "EAdam with one sample per step"
SEE = (
    r"(a) On $f=.1\sqrt{1+x^2}$ in skewed noise EAdam climbs at $\beta_3=.5$, faster than the proved line, and "
    r"descends to the minimum at $\beta_3=.99$; (b) what the noise takes from the expected direction, at slope .1, "
    r"falls like $1-\beta_3$, and where it is below what the slope gives (dashed) the direction is downhill."
)

SLOPE, SEED, CHAINS, ETA, BETA3S = 0.1, 0, 32, 0.1, (0.5, 0.9, 0.99)


def path(beta3: float, steps: int) -> dict[str, Any]:
    """X by step of EAdam without E from 10, its mean over the runs with a 95 % interval."""
    rng = np.random.default_rng(SEED)
    rule = ALTO(0.0, BETA1, 0.0, beta3, EPS1, 1.0, 1.0, 0.0, bias_correction=False, layerwise=False)
    theta = rule.init([np.full((CHAINS, 1), 10.0)])
    seen = [theta[0][:, 0]]
    for _ in range(steps):
        noise = rng.choice(NOISE, p=PROBABILITY, size=(CHAINS, 1))
        theta = rule.step(theta, [SLOPE * theta[0] / np.sqrt(1 + theta[0] ** 2) + noise], ETA)
        seen.append(theta[0][:, 0])
    at = np.linspace(0, steps, 60).astype(int)
    mean, half = t_interval(np.array(seen)[at].T)
    return {"beta3": beta3, "k": at, "mean": mean, "half": half}


def bias(decays: np.ndarray, steps: int) -> dict[str, Any]:
    """What the noise takes from E[g / sqrt(v)] at slope .1, and what the slope gives, over a stationary v."""
    rng, g = np.random.default_rng(SEED), SLOPE + np.array(NOISE)
    rows = []
    for decay in decays:
        burn_in = int(np.ceil(12 / decay))  # what is left of the start: exp(-12)
        drawn = rng.choice(g, p=PROBABILITY, size=(CHAINS, burn_in + steps))
        before = np.asarray(lfilter([decay], [1, decay - 1], drawn**2))[:, burn_in:, None]
        exact = (g / np.sqrt((1 - decay) * before + decay * g**2)) @ np.array(PROBABILITY)
        given = SLOPE / np.sqrt(before[..., 0])
        taken, half = t_interval((given - exact).mean(1))
        rows.append((taken, half, float(given.mean())))
    taken, half, given = np.array(rows).T
    return {"decay": decays, "taken": taken, "half": half, "given": given}


def compute(effort: Effort) -> dict[str, Any]:
    """The runs at three beta3, and the bias by beta3."""
    steps = 3000 if effort.thorough else 500
    config = {"slope": SLOPE, "eta": ETA, "chains": CHAINS, "steps": steps}
    paths = [path(beta3, steps) for beta3 in BETA3S]
    least = -float(largest_drift(Fraction(0), Fraction(1, 10)).upper())
    biases = bias(np.geomspace(1e-4, 0.5, 12), steps)
    return {"config": config, "seeds": [SEED], "paths": paths, "least": least, "bias": biases}


def draw(data: Mapping[str, Any]) -> "Figure":
    """The paths with the proved line, and the bias with its order."""
    study = data["batch-floor"]
    figure = style.figure(style.PAGE, 2.7)
    left, right = figure.subplots(1, 2)
    for one, colour in zip(study["paths"], (style.VERMILION, style.ORANGE, style.BLUE), strict=True):
        k, mean, half = (style.array(one[key]) for key in ("k", "mean", "half"))
        left.plot(k, mean, color=colour, label=rf"$\beta_3={one['beta3']:g}$")
        left.fill_between(k, mean - half, mean + half, color=colour, alpha=0.2, linewidth=0)
    k = style.array(study["paths"][0]["k"])
    proved = 10 + study["config"]["eta"] * study["least"] * k
    left.plot(k, proved, "--", color=style.BLACK, label=r"proved, $\beta_3=.5$")
    left.set_xlabel("steps k")
    left.set_ylabel("x")
    style.panel_letter(left, "a", r"runs, gradient at most .1")
    found = study["bias"]
    decay, taken = style.array(found["decay"]), style.array(found["taken"])
    right.errorbar(decay, taken, style.array(found["half"]), color=style.BLACK, marker="o", label="taken by the noise")
    right.plot(decay, style.array(found["given"]), "--", color=style.GREEN, label="given by the slope")
    right.plot(decay, taken[0] * decay / decay[0], ":", color=style.GREY, label=r"$\propto 1-\beta_3$")
    right.set_xscale("log")
    right.set_yscale("log")
    right.set_xlabel(r"$1-\beta_3$")
    right.set_ylabel("part of the expected direction")
    style.panel_letter(right, "b", "bias of the direction")
    style.legend_below(figure, (left, right), 4)
    return figure
