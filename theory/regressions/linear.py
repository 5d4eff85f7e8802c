"""K1 ... K7, K12, K13: identities, thresholds, spectral radii, and settings that are the same optimizer."""

from collections.abc import Iterator

import numpy as np

from theory import objectives
from theory.method.filters import Filter
from theory.method.sequences import accumulated, average, explored
from theory.regressions.check import Check, Quantity, setting
from theory.simulate.batch import Method, simulate
from theory.stability import linear, polyak


def _identities() -> list[Quantity]:
    """Largest departures over a random sequence of 200 gradients."""
    gs = list(np.random.default_rng(0).normal(size=200))
    alpha, beta1, beta2 = -7.0, 0.95, 0.8
    F = Filter(alpha, beta1, beta2)
    w = F.c * (1 - beta2) / (beta1 - beta2)
    m = np.array(average(explored(gs, alpha, beta1), beta2))
    mixture = (1 - w) * np.array(average(gs, beta2)) + w * np.array(average(gs, beta1))
    star = np.array(average(explored(gs, F.alpha_star, beta1), beta2)) - np.array(average(gs, beta1))
    n = np.array(accumulated(gs, beta2))
    nesterov = np.array(accumulated(explored(gs, beta2, 0.0), beta2)) - (beta2 * n + np.array(gs))
    twice = np.array(average(average(gs, beta1), beta1))
    k = np.arange(len(gs))
    weights = (k + 1) * (1 - beta1) ** 2 * beta1**k
    direct = np.array([np.dot(weights[: i + 1][::-1], gs[: i + 1]) for i in range(len(gs))])
    u = Filter(alpha, beta1, 0.0)
    return [
        ("I4 noise gain beside summed squares", abs(u.omega2 - F.noise_gain), 0),
        ("I5 mixture of two averages", np.abs(m - mixture).max(), 0),
        ("I6 at alpha*", np.abs(star).max(), 0),
        ("I8 Nesterov at beta1 = 0", np.abs(nesterov).max(), 0),
        ("I9 weights of a twofold average", np.abs(twice - direct).max(), 0),
    ]


def _noise_gains() -> Iterator[Quantity]:
    for alpha, beta1, reference in ((-5, 0.99, 0.9025), (0.5, 0.01, 2.475), (-80, 0.99, 0.04322), (-90, 0.99, 0.01407)):
        yield f"G at {setting(alpha, beta1)}", Filter(alpha, beta1, 0.0).noise_gain, reference


def _special_points() -> list[Quantity]:
    F = Filter(-5.0, 0.99, 0.9)
    return [
        ("alpha* at .99, .95", Filter(0.0, 0.99, 0.95).alpha_star, -80),
        ("alpha* at .99, .9", F.alpha_star, -90),
        ("w at -5/.99/.9", F.c * (1 - F.beta2) / (F.beta1 - F.beta2), 0.05556),
    ]


def _jury() -> list[Quantity]:
    wrong, compared = linear.jury_mismatches(100_000, 1)
    return [(f"mismatches with eigenvalues in {compared} points", wrong, 0)]


THRESHOLDS = (
    # alpha, beta1, beta2, flip, oscillation
    (-5, 0.99, 0, 2.106, np.inf), (-5, 0.99, 0.9, 4.001, np.inf), (5, 0.99, 0.9, 3.618, np.inf),
    (0.5, 0.01, 0, 1.010, np.inf), (0.5, 0.01, 0.9, 1.919, np.inf), (-80, 0.99, 0.95, 19.90, np.inf),
    (-90, 0.99, 0.9, 39.80, np.inf), (-95, 0.99, 0.9, 84.02, 0.02396), (-0.5, 0.01, 0.9, 191.9, 0.2004),
)  # fmt: skip
PEAKS = (
    # beta1, beta2, c0, c_x, x_peak, oscillation at c = 1
    (0.99, 0, 0.9900, 0.9900, 400.0, 1.000), (0.99, 0.9, 0.9083, 0.9083, 43.60, 0.01090),
    (0.99, 0.95, 0.8319, 0.8320, 23.80, 0.002975), (0.99, 0.99, 0.4975, 0.4975, 7.960, 1.990e-4),
    (0.9, 0.9, 0.4737, 0.4750, 7.600, 0.01900), (0.5, 0.9, 0.09091, 0.1023, 4.400, 0.05500),
    (0.01, 0.9, 0.001009, 0.02573, 4.004, 0.09910),
)  # fmt: skip


def _thresholds() -> Iterator[Quantity]:
    for alpha, beta1, beta2, flip, oscillation in THRESHOLDS:
        c, name = -alpha * (1 - beta1), setting(alpha, beta1, beta2)
        yield f"flip at {name}", linear.flip_threshold(c, beta1, beta2), flip
        yield f"oscillation at {name}", linear.oscillation_threshold(c, beta1, beta2), oscillation
    for beta1, beta2, onset, at, height, end in PEAKS:
        found_at, found_height = linear.peak(beta1, beta2)
        yield f"c0 at {beta1:g}, {beta2:g}", linear.oscillation_onset(beta1, beta2), onset
        yield f"c_x at {beta1:g}, {beta2:g}", found_at, at
        yield f"x_peak at {beta1:g}, {beta2:g}", found_height, height
        yield f"oscillation at c = 1, {beta1:g}, {beta2:g}", linear.oscillation_threshold(1.0, beta1, beta2), end


RADII = (
    # x, alpha, beta1, beta2, spectral radius: the paper's region is neither necessary nor sufficient
    (1.5, 50, 0.99, 0, 1.253343), (1.2, 0.5, 0.01, 0, 1.257831), (0.05, -95, 0.99, 0.9, 1.003604),
    (0.1, -60, 0.99, 0.99, 1.002540), (0.01, -150, 0.99, 0, 0.997547), (0.5, 150, 0.99, 0, 0.996019),
    (2.05, -5, 0.99, 0, 0.989471), (1.95, 5, 0.99, 0, 1.047978),
)  # fmt: skip


def _radii() -> Iterator[Quantity]:
    for x, alpha, beta1, beta2, reference in RADII:
        radius = linear.spectral_radius(x, -alpha * (1 - beta1), beta1, beta2)
        yield f"spectral radius at x={x:g}, {setting(alpha, beta1, beta2)}", float(radius), reference


def _oscillation() -> list[Quantity]:
    x = linear.oscillation_threshold(0.95, 0.99, 0.9)
    roots = np.linalg.eigvals(linear.system(x, 0.95, 0.99, 0.9)[0])
    return [
        ("threshold at c = .95, .99, .9", x, 0.02396),
        ("period there, steps", 2 * np.pi / np.abs(np.angle(roots)).max(), 134.0),
    ]


def _polyak() -> Iterator[Quantity]:
    for kappa, reference in ((10, 0.519494), (100, 0.818182), (1000, 0.938693)):
        point = polyak.polyak(kappa)
        yield f"rate at kappa = {kappa}", polyak.rate(kappa, point.eta, point.beta1, point.beta1), reference


def _same_optimizer() -> list[Quantity]:
    """On the paper's second function of one variable, from .7; E at alpha* beside the optimizer that it then is."""
    slope, start = objectives.make("three-holes").gradient, np.array([[0.7]])
    eta = 1e-4
    balls = [
        Method("E", "sgd", -90.0, 0.99, 0.9, eta),
        Method("heavy ball", "sgd", 0.0, 0.99, 0.99, eta / 10),
    ]
    layerwise = [Method("ALTO", "alto", -90.0, 0.99, 0.9, 0.01), Method("LAMB", "alto", 0.0, 0.99, 0.99, 0.01)]
    differences = []
    for pair in (balls, layerwise):
        run = simulate(pair, slope, start, steps=3000)
        moved = np.abs(run[:, 0] - run[0, 0]).max()
        differences += [np.abs(run[:, 0] - run[:, 1]).max(), float(moved > 0.05)]
    return [
        ("ESGD(-90) beside heavy ball(.99, eta/10)", differences[0], 0),
        ("both moved", differences[1], 1),
        ("ALTO(-90) beside LAMB(.99) in one coordinate", differences[2], 0),
        ("both moved", differences[3], 1),
    ]


CHECKS = (
    Check("K1", "identities on a random sequence", _identities, 1e-12, absolute=True),
    Check("K2", "noise gain of u", lambda: list(_noise_gains())),
    Check("K3", "alpha* and the slow weight", _special_points),
    Check("K4", "Jury's conditions", _jury, 0.0),
    Check("K5", "thresholds, and where they cross", lambda: list(_thresholds())),
    Check("K6", "eight counterexamples and contrasts", lambda: list(_radii()), 1e-6, absolute=True,
          mended="two radii were printed to four decimals; here all have six"),
    Check("K7", "slow oscillation at the cliff", _oscillation),
    Check("K12", "E(SGD) as Polyak's heavy ball", lambda: list(_polyak()), 1e-5),
    Check("K13", "settings that are the same optimizer", _same_optimizer, 1e-12, absolute=True),
)  # fmt: skip
