"""The paper's figure 1 on the squared cardioid, with controls: how far E walks, and to what sharpness."""

from typing import Any

import numpy as np

from theory.ledger.effort import Effort
from theory.objectives.cardioid import cardioid
from theory.simulate.batch import Method, simulate
from theory.studies.intervals import t_interval

SEED, STARTS, STEPS, KEEP = 0, 100, 5000, 10
SHOWN = ((0.5, 1.6), (1.9, 0.8))
ETA_ADAM, ETA_SGD = 0.01, 0.001

ADAM = [
    Method("Adam", "adam", 0.0, 0.99, 0.9, ETA_ADAM),
    *(Method(f"EAdam({a:+g})", "adam", a, 0.99, 0.9, ETA_ADAM) for a in (50.0, -5.0, -20.0, -50.0, -80.0, -90.0)),
    Method("EAdam(+0.5, .01)", "adam", 0.5, 0.01, 0.9, ETA_ADAM),
    Method("Adam(.99)", "adam", 0.0, 0.99, 0.99, ETA_ADAM),
    Method("Adam, 10 eta", "adam", 0.0, 0.99, 0.9, 10 * ETA_ADAM),
    Method("Adam(.99), 10 eta", "adam", 0.0, 0.99, 0.99, 10 * ETA_ADAM),
]
SGD = [
    Method("SGD", "sgd", 0.0, 0.99, 0.9, ETA_SGD),
    *(Method(f"ESGD({a:+g})", "sgd", a, 0.99, 0.9, ETA_SGD) for a in (50.0, -5.0, -20.0, -50.0, -80.0, -90.0)),
    Method("heavy ball(.99), eta/10", "sgd", 0.0, 0.99, 0.99, ETA_SGD / 10),
]


def _family(methods: list[Method], starts: np.ndarray) -> dict[str, Any]:
    """Sharpness at the end and net angle walked in the valley; means, and differences to the first method paired."""
    f = cardioid()
    iterates = simulate(methods, f.gradient, np.vstack([np.array(SHOWN), starts]), steps=STEPS, keep=KEEP, bound=1e3)
    ends, count = iterates[-1, :, len(SHOWN) :], len(starts)
    sharpness = np.trace(f.hessian(ends), axis1=-2, axis2=-1)  # in the valley the curvature along it is 0
    angle = np.unwrap(np.arctan2(iterates[..., 1], iterates[..., 0]), axis=0)[:, :, len(SHOWN) :]
    arrived = (f.value(iterates[:, :, len(SHOWN) :]) < 0.01).argmax(0)
    walked = np.abs(angle[-1] - np.take_along_axis(angle, arrived[None], 0)[0])
    rows = []
    for i, method in enumerate(methods):
        good = np.isfinite(sharpness[i]) & np.isfinite(sharpness[0])
        mean, half = t_interval(sharpness[i][good])
        difference, difference_half = t_interval((sharpness[i] - sharpness[0])[good])
        rows.append({
            "label": method.label, "alpha": method.alpha, "finished": int(good.sum()), "sharpness": mean, "half": half,
            "difference": difference, "difference_half": difference_half,
            "walked": float(np.median(walked[i][good])),
            "walked_quartiles": np.percentile(walked[i][good], [25, 75]),
            "values": np.where(good, sharpness[i], np.nan),
        })  # fmt: skip
    thin = np.unique(np.concatenate([np.arange(0, 40), np.geomspace(40, STEPS // KEEP, 80).astype(int)]))
    shown = [
        {"label": method.label, "alpha": method.alpha, "paths": np.moveaxis(iterates[thin, i, : len(SHOWN)], 0, 1)}
        for i, method in enumerate(methods)
    ]
    return {"rows": rows, "shown": shown, "starts": count}


def compute(_: Effort) -> dict[str, Any]:
    """EAdam and ESGD, each from 100 random starts and from the two shown, beside controls without E."""
    starts = np.random.default_rng(SEED).uniform(-1, 2.5, (STARTS, 2)) + np.array([0, -0.75])
    config = {"steps": STEPS, "beta2": 0.9, "beta3": 0.99, "eta_adam": ETA_ADAM, "eta_sgd": ETA_SGD, "starts": STARTS}
    return {
        "config": config, "seeds": [SEED], "shown": SHOWN,
        "adam": _family(ADAM, starts), "sgd": _family(SGD, starts),
    }  # fmt: skip
