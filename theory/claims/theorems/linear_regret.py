"""Linear regret without monotonicity, for alpha < 0 and alpha > 0 (ours, after Reddi, Kale & Kumar 2018)."""

from math import sqrt

import sympy as sp

from theory.ledger.claim import Claim
from theory.ledger.evidence import Effort, Finding, Outcome, Piece, measured, proof
from theory.ledger.provers import Check, identity
from theory.method.filters import Filter
from theory.theorems.bounds import Online, regret
from theory.theorems.linear_regret import LONG, SHORT, Setting, drift, play

ETA = 0.3


def _certificate(setting: Setting, *, layerwise: bool) -> Check:
    certain, largest = drift(setting, layerwise=layerwise)
    return Check(certain, "ball arithmetic (python-flint), 40 digits", f"drift <= {largest:.4f} for every phi", largest)


def case(setting: Setting, *, layerwise: bool) -> str:
    """What an instance and a method are called in the evidence."""
    return f"n = {setting.n}, alpha = {setting.alpha}, {'ALTO' if layerwise else 'EAdam'}"


def _certificates() -> tuple[Piece, ...]:
    return tuple(
        Piece(
            f"{case(setting, layerwise=layerwise)}: the drift is negative",
            lambda setting=setting, layerwise=layerwise: _certificate(setting, layerwise=layerwise),
        )
        for setting in (*SHORT, *LONG)
        for layerwise in (False, True)
    )


def _loss_gap() -> Check:
    """The mean loss of a period at theta = 1, less that at its best point, theta = -1."""
    C, n = sp.symbols("C n")

    def period(theta: int) -> sp.Expr:
        return C * theta - (n - 1) * theta

    return identity(period(1) / n - period(-1) / n, 2 * (C - (n - 1)) / n)


def theorem_c_bound(setting: Setting, *, steps: int, layerwise: bool) -> float:
    """Theorem C's bound for a run with enforced monotonicity: d = 1, width 2, |theta| <= 1."""
    F = Filter(float(setting.alpha), float(setting.beta1), float(setting.beta2))
    online = Online(
        F, float(setting.beta3), float(setting.eps1), float(setting.eps2), float(setting.eps3), ETA, 0.0, (1,),
        layerwise, G=float(setting.C), D=1.0, width=2.0, comparator=1.0,
    )  # fmt: skip
    return regret(online, steps)


def _runs(effort: Effort) -> Finding:
    """Free: R(T)/T within 5 % of the slope, R doubles with T. Enforced: R below Theorem C's bound, and slower."""
    steps = 2_000_000 if effort.thorough else 100_000
    lines, values, good = [], {"steps": float(steps)}, True
    for setting in SHORT:
        for layerwise in (False, True):
            free = play(setting, steps=steps, eta=ETA, layerwise=layerwise, enforce=False)
            tame = play(setting, steps=steps, eta=ETA, layerwise=layerwise, enforce=True)
            bound = theorem_c_bound(setting, steps=steps, layerwise=layerwise)
            slope = float(setting.slope)
            good &= abs(free.full / steps / slope - 1) < 0.05 and 1.95 < free.full / free.half < 2.05
            good &= tame.full <= bound and tame.full / tame.half < 1.5
            lines.append(
                f"alpha={setting.alpha}{' ALTO' if layerwise else ' EAdam'}: R/T {free.full / steps:.4f} (slope "
                f"{slope:.4f}), "
                f"enforced R/sqrt(T) {tame.full / sqrt(steps):.2f}, bound/R {bound / tame.full:.3g}"
            )
            who = case(setting, layerwise=layerwise)
            values |= {f"{who}: R/T": free.full / steps, f"{who}: slope": slope}
            values |= {f"{who}: enforced": tame.full / sqrt(steps), f"{who}: bound/R": bound / tame.full}
    outcome = Outcome.SUPPORTS if good else Outcome.CONTRADICTS
    return Finding(outcome, f"T = {steps}; " + "; ".join(lines), values=values)


counterexample = Claim(
    id="ours-linear-regret-counterexample",
    source="ours; after Reddi, Kale & Kumar, ICLR 2018",
    statement=(
        r"On $X = [-1,1]$ with $f_k(\theta) = C\theta$ once every $n$ steps and $-\theta$ otherwise, EAdam and "
        r"ALTO (one "
        r"parameter, $\eta_k = \eta/\sqrt k$) have $R(T)/T \to 2(C-(n-1))/n > 0$, for $\alpha < 0$ and for $\alpha "
        r"> 0$. "
        r"With $H_k$ replaced by its running maximum the regret is $O(\sqrt T)$."
    ),
    plain="Without monotonicity EAdam and ALTO can have linear regret, for alpha of both signs.",
    assumptions=(
        r"$(n, C, \beta_1, \beta_2, \beta_3, \alpha) = (3, 12/5, .5, 0, .5, \mp.5)$",
        r"or $(50, 1029/20, .9, .9, .99, \mp 5)$",
        r"$(\epsilon_1, \epsilon_2, \epsilon_3) = (10^{-8}, 10^{-3}, 10^{-2})$: at a large $\epsilon_1$ EAdam is ESGD",
    ),
    rests_on=("ours-theorem-c-enforced",),
    evidence=(
        proof(
            "theta is driven to +1",
            *_certificates(),
            Piece("r_k tends to its periodic limit geometrically, since the gradient does not depend on theta"),
            Piece(
                "a period from k moves theta by -eta_k (drift + o(1)); sum eta_k diverges, so the wall +1 is reached"
            ),
            Piece(
                "there the excursion within a period is O(eta_k), so R(T)/T tends to the loss gap of a period over n"
            ),
            Piece("the mean loss gap of a period is 2 (C - (n - 1)) / n", _loss_gap, concludes=True),
            Piece("enforced: ours-theorem-c-enforced applies"),
        ),
        measured("runs, free and enforced, tolerance 5 %", _runs),
    ),
)

CLAIMS = (counterexample,)
