"""Measured rates (ours): the stored full run of each study, read.

``python -m theory rates --full --out results/rates`` makes it.
"""

import math
from pathlib import Path

from theory.ledger import stored
from theory.ledger.claim import Claim
from theory.ledger.evidence import Effort, Evidence, Finding, Outcome, measured

READS = ("rates/*.json",)
VERDICTS = {"agrees", "differs", "undecided", "bound violated"}
"""What a row may say: the values of ``theory.rates.records.Verdict``."""
FOLDER = Path(__file__).resolve().parents[3] / "results" / "rates"

STATEMENTS = {
    "convex": (
        r"Without noise on smooth convex functions all four methods fall like $1/N$, whatever $\alpha$; on the worst "
        r"Huber function the gap is $1/(4 S_N + 2)$ with $S_N = N - c(1-\beta_1^N)/(1-\beta_1)$.",
        "Without noise on smooth convex functions all four methods converge like 1/N, whatever alpha.",
        ("a quadratic with eigenvalues spread over eight decades", "steps within the theorems' limits"),
    ),
    "linear": (
        r"On quadratics the linear rate of ESGD is the spectral radius; near a minimiser EAdam and ALTO are ESGD "
        r"with the step $(1-\beta_2)\eta/\epsilon_1$ (over $\epsilon_2$ with the layer factor).",
        "On quadratics the linear rate of ESGD is the spectral radius; near a minimiser EAdam and ALTO are like ESGD.",
        ("no noise",),
    ),
    "floor": (
        r"At a constant step the variance of ESGD's iterate is $V$; EAdam's is near $V$ at the step "
        r"$\eta/\sqrt{\omega_u}$.",
        "At a constant step the variance of the iterate is the closed form, for ESGD exactly and for EAdam nearly.",
        ("a quadratic with sign noise",),
    ),
    "regret": (
        r"Online regret has the exponent 1/2 or less, with $H_k$ enforced and, on streams of random losses, without; "
        r"on Reddi's stream it is linear unless $H_k$ is enforced.",
        "Online regret grows like sqrt(T) or slower; on Reddi's stream it is linear unless monotonicity is enforced.",
        (r"$\eta_k = \eta/\sqrt k$, a box", "fair signs, least squares, logistic losses, Reddi's stream"),
    ),
    "nonconvex": (
        r"With noise on a non-convex function the mean squared gradient falls like $T^{-1/2}$ with $\eta \sim T^{-1/2}$"
        r" at batch 1 and like $T^{-1}$ with batch $T$ at constant $\eta$; either way $\epsilon^{-4}$ samples reach "
        r"$\epsilon^2$.",
        "On a noisy non-convex function eps^-4 samples reach a squared gradient of eps^2, at small and large batches.",
        ("cosine on a pseudo-Huber bowl, sign noise",),
    ),
    "batch": (
        r"At a constant step EAdam's floor of $E|\nabla f|^2$ is $V\sigma^2/n$ where $\epsilon_1$ is above the noise, "
        r"and near $\eta\lambda\sigma/(2\sqrt{\omega_u n})$ where the noise is above $\epsilon_1$; in skewed noise "
        r"it is the square of the gradient at which the mean step vanishes, with the iterate's variance.",
        "EAdam's gradient floor falls like 1/n where eps1 is above the noise, else more slowly; skewed noise adds.",
        ("a quadratic in symmetric noise; a pseudo-Huber function in rare large noise of one sign", "small steps"),
    ),
    "pl": (
        r"ESGD on a PL function converges linearly to a floor; near the minimiser both are the linear recursion's.",
        "On a function with the PL inequality ESGD converges linearly to a noise floor.",
        (r"$x^2 + 3\sin^2 x$, sign noise",),
    ),
}


def read(study: dict) -> Finding:
    """Every comparison agrees and no proved bound is below what it bounds; one that differs contradicts.

    An equality that agrees leaves the claim open where half of its interval is wider than its tolerance: almost any
    number near it would agree.

    Args:
        study: a stored full run.

    Returns:
        The finding.

    Raises:
        ValueError: the run is not a full one, compares nothing, or has a row that no study writes.
    """
    every = study["rows"]
    unfit = [row["id"] for row in every if row["verdict"] not in VERDICTS]
    below = [row["id"] for row in every if row["proved"] and row["verdict"] != "bound violated"
             and not 1 <= (row["bound_over_measured"] or 0) < math.inf]  # fmt: skip
    if study["mode"] != "full" or all(row["derived"] for row in every) or unfit or below:
        raise ValueError(
            f"mode {study['mode']}, {len(every)} rows; without a verdict: {unfit}; bound too small: {below}"
        )
    if len({row["id"] for row in every}) < len(every):
        raise ValueError("a row is there twice")
    rows = [row for row in every if not row["derived"] or row["verdict"] == "bound violated"]
    failing = [row["id"] for row in rows if row["verdict"] in {"differs", "bound violated"}]
    wide = [row["id"] for row in rows if row["relation"] != "<=" and row["high"] - row["low"] > 2 * row["tolerance"]]
    unclear = {row["id"] for row in rows if row["verdict"] == "undecided"} | {*wide} - {*failing}
    ratios = [row["bound_over_measured"] for row in every if row["proved"]]
    said = f"{len(rows)} comparisons, {len(rows) - len(failing) - len(unclear)} agree"
    said += f", {len(unclear)} are undecided" if unclear else ""
    seeds = f"{len(study['seeds'])} seeds, 95 % bootstrap intervals" if study["seeds"] else "no randomness"
    least = f"; smallest bound/measured {min(ratios):.4g} of {len(ratios)}" if ratios else ""
    detail = f"{said}{least}; {study['mode']} run, {seeds}, commit {study['provenance']['commit']}"
    if failing:
        return Finding(Outcome.CONTRADICTS, f"{detail}; not: {'; '.join(failing)}")
    return Finding(Outcome.INCONCLUSIVE if unclear else Outcome.SUPPORTS, detail)


def evidence_for(study: str, folder: Path = FOLDER) -> tuple[Evidence, ...]:
    """The stored run of a study, if there is one."""
    path = folder / f"{study}.json"
    if not path.exists():
        return ()

    def measure(_: Effort) -> Finding:
        return read(stored.read(path))

    return (measured("stored full run", measure),)


CLAIMS = tuple(
    Claim(
        id=f"rates-{study}",
        source="ours",
        statement=statement,
        plain=plain,
        assumptions=assumptions,
        evidence=evidence_for(study),
        needs="python -m theory rates --full --out results/rates",
    )
    for study, (statement, plain, assumptions) in STATEMENTS.items()
)
