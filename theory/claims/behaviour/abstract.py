"""What the abstract says of E's minima: that it goes on exploring after it has reached one, and ends in a lower one."""

import numpy as np

from theory.ledger.claim import Claim
from theory.ledger.evidence import Finding, Outcome, counterexample, measured
from theory.method.algorithms import ESGD
from theory.method.trajectory import record
from theory.studies import store

READS = ("theory/figure-8.json",)
ALPHAS = (-5.0, -50.0, -90.0)
STEPS = 5000


def _at_rest() -> tuple[bool, str]:
    """ESGD on f = e^y x^2 / 2, whose valley is the y axis and narrows with y, from (1, 0), beta1 = .99, beta2 = .9."""

    def gradient(_: int, theta: np.ndarray) -> np.ndarray:
        x, sharp = theta[:, 0], np.exp(theta[:, 1])
        return np.stack([sharp * x, sharp * x**2 / 2], 1)

    before, after, left = [], [], []
    for alpha in ALPHAS:
        run = record(ESGD(alpha, 0.99, 0.9), gradient, np.array([[1.0, 0.0]]), steps=STEPS, eta=lambda _: 0.1)
        x, y = run.theta[:, 0].T
        before.append(float(np.ptp(y)))
        after.append(float(np.ptp(y[-1000:])))
        left.append(float(np.abs(x[-1000:]).max()))
    said = f"alpha in {ALPHAS}: moves along the valley by at least {min(before):.2g} in {STEPS} steps, by at most "
    said += f"{max(after):.1g} in the last 1000, and is then within {max(left):.1g} of it"
    return min(before) > 0.1 and max(after) < 1e-9 and max(left) < 1e-6, said


explores = Claim(
    id="abstract-keeps-exploring",
    source="paper, abstract",
    statement="After it has reached a local minimum, E goes on exploring along the valley.",
    plain="After it has reached a local minimum, E goes on exploring along the valley.",
    found="False without noise: on a straight valley that narrows E comes to rest. "
    "With noise it drifts along a valley.",
    assumptions=("no noise; ours-variance-sign and ours-valley-drift say what noise does",),
    evidence=(counterexample("a valley that narrows, three negative alphas", _at_rest),),
)


def _lower(study: dict) -> Finding:
    """At how many step sizes EAdam(-80) ends lower on f1 than its base, and lower than the control without E.

    The minima of f1 are 1.5 apart, and each is lower than those before it: lower is farther to the right.
    """
    ends = {name: np.array(xs, dtype=float) for name, xs in zip(study["methods"], study["ends"], strict=True)}
    ours, base, control = (ends[name] for name in ("EAdam(-80)", "Adam(.95)", "Adam(.99), 5 eta"))
    lower, against = int((ours > base + 0.5).sum()), int((ours > control + 0.5).sum())
    outcome = Outcome.SUPPORTS if lower > len(ours) / 2 else Outcome.CONTRADICTS
    return Finding(
        outcome,
        f"deterministic, {len(ours)} step sizes: the last minimum is lower than Adam(.95)'s at {lower}, and lower than "
        f"that of Adam(.99) with E's effective step at {against}",
        values={"step sizes": float(len(ours)), "lower": float(lower), "lower than the control": float(against)},
    )


lower = Claim(
    id="abstract-lower-minima",
    source="paper, abstract",
    statement=r"E ends in a lower minimum than its base at most step sizes on $f_1$ of Figure 8.",
    plain="On the first function of Figure 8 E ends in a lower minimum than its base, at most step sizes.",
    found="True on the paper's own function of one variable, where a base without E does as well.",
    assumptions=(r"$f_1$ of Figure 8, $\alpha = -80$, $\beta_3 = .99$, $\epsilon = 10^{-8}$",),
    evidence=(measured("end points of the stored study", lambda _: _lower(store.load("figure-8"))),),
)

CLAIMS = (explores, lower)
