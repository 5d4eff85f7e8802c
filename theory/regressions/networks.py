"""K14, K15: a small network at the edge of stability, and past the cliff."""

import numpy as np

from theory.regressions.check import Check, Quantity, setting
from theory.simulate.full_batch import settled_sharpness, train
from theory.stability import linear


def _edge() -> list[Quantity]:
    eta, rows, sharp = 0.3, [], []
    for alpha, beta1 in ((0.5, 0.01), (0.0, 0.99), (-5.0, 0.99)):
        predicted = linear.largest_stable(-alpha * (1 - beta1), beta1, 0.0) / eta
        sharp.append(settled_sharpness(alpha, beta1, eta=eta, steps=4000))
        # the band [.98, 1.005] as its middle and half width
        rows.append((f"sharpness / (x*/eta) at {setting(alpha, beta1)}", sharp[-1] / predicted, 0.9925))
    return [*rows, ("sharper in the order .5, 0, -5", float(bool((np.diff(sharp) > 0).all())), 1)]


def _cliff() -> list[Quantity]:
    ends = {alpha: train(alpha, 0.99, eta=0.03, steps=6000, beta2=0.9, probe_sharpness=False).loss[-1]
            for alpha in (-91.0, -95.0)}  # fmt: skip
    return [
        (f"alpha=-95 has diverged: loss {ends[-95.0]:.1e} > 1e3", float(ends[-95.0] > 1e3), 1),
        (f"alpha=-91 has trained: loss {ends[-91.0]:.1e} < 1e-9", float(ends[-91.0] < 1e-9), 1),
    ]


CHECKS = (
    Check("K14", "edge of stability, eta = .3", _edge, 0.0125, absolute=True),
    Check("K15", "divergence inside |alpha| < 100, eta = .03, beta2 = .9", _cliff, 0.0),
)
