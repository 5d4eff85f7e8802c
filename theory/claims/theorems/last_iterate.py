"""A schedule of E on SGD whose last iterate converges on convex functions (ours)."""

import numpy as np

from theory.ledger.claim import Claim
from theory.ledger.evidence import Effort, enumerated, holds_for
from theory.ledger.formal import formal
from theory.method import strategies
from theory.method.filters import Filter
from theory.rocq import LIBRARY
from theory.theorems import stage

READS = ("formal.json",)

STEPS = 200


def _run(centre: np.ndarray, slope: np.ndarray, start: np.ndarray, eta: float, *, scheduled: bool = True) -> np.ndarray:
    """f(theta_k) on f = sum slope |theta - centre|, for k = 1 ... STEPS; without the schedule plain SGD."""
    theta, h, values = start.copy(), np.zeros_like(start), []
    for k in range(1, STEPS + 1):
        beta1 = (k - 1) / (k + 1) if scheduled else 0.0
        F = Filter(-(k - 1) / 2 if scheduled else 0.0, beta1, 0.0)
        values.append(float((slope * np.abs(theta - centre)).sum()))
        g = slope * np.sign(theta - centre)
        u = (1 - F.c) * g + F.c * h
        h = beta1 * h + (1 - beta1) * g
        theta = theta - (eta / 2 if scheduled else eta) * u
    return np.array(values)


def _bound(centre: np.ndarray, slope: np.ndarray, start: np.ndarray, eta: float) -> np.ndarray:
    return ((start - centre) ** 2).sum() / (2 * eta * np.arange(1, STEPS + 1)) + eta * (slope**2).sum() / 2


def _every_iterate(seed: int, share: float = 1.0) -> None:
    rng = np.random.default_rng(seed)
    problem = rng.normal(size=3), 10 ** rng.uniform(-2, 1, size=3), rng.normal(size=3)
    eta = float(10 ** rng.uniform(-3, 1))
    stage.check([stage.Stage("every iterate", _run(*problem, eta), share * _bound(*problem, eta))])


def _schedule_is_needed(_: Effort) -> tuple[str, dict[str, float]]:
    """Plain SGD on |theta| from close to the minimum: at every second step |theta| is nearly eta."""
    problem, eta = (np.zeros(1), np.ones(1), np.full(1, 0.01)), 1.0
    plain, ours, bound = _run(*problem, eta, scheduled=False), _run(*problem, eta), _bound(*problem, eta)
    over = float((plain / bound).max())
    assert over > 1.9, f"{over}"
    assert (ours <= bound).all()
    return f"plain SGD on |theta|, eta = 1: {over:.3g} times the bound at the worst step", {"over": over}


CLAIMS = (
    Claim(
        id="ours-last-iterate",
        source="ours; primal averaging's last iterate: Tao et al. 2020, Defazio 2020",
        statement=(
            r"E on SGD with $\beta_{1,k} = (k-1)/(k+1)$, $\alpha_k = -(k-1)/2$, in the form with the slow average "
            r"$h$ and with the learning rate $\eta/2$: on a convex $f$, smooth or not, whose subgradients have "
            r"$\|g_k\| \le G$, every iterate has $f(\theta_T) - f^* \le \|\theta_1 - x^*\|^2/(2\eta T) + \eta G^2/2$."
        ),
        plain="With a growing average every iterate of E on SGD obeys the bound of SGD's mean, without smoothness.",
        assumptions=(
            r"$f$ convex; no noise; any $x^*$, for $f^* = f(x^*)$",
            r"$c_k = \beta_{1,k}$, so that $u_k = h_k$; the paper's form with $a_k$ is another where $\beta_1$ varies",
        ),
        evidence=(
            formal("in any dimension, for every T", LIBRARY, "last_iterate", "schedule_is_E"),
            holds_for(
                "weighted sums of |x - x*| in three coordinates",
                _every_iterate,
                seed=strategies.seeds,
                control=lambda seed: _every_iterate(seed, share=0.5),
                share=0.3,
            ),
            enumerated("the schedule is needed", _schedule_is_needed),
        ),
    ),
)
