"""What the paper's printed sizes say: its memory law beside its own table, and Theorem N at its default epsilons."""

from theory.claims.published.arithmetic import Computed, claim, finding
from theory.claims.published.printed import rows
from theory.ledger.claim import Claim
from theory.ledger.evidence import published
from theory.method.filters import Filter
from theory.theorems import bounds

READS = ("published.json",)
C1, C2 = 0.048, 0.7877
"""The constants of the paper's law, as it prints them."""
NEAR = 0.1
"""How near the law has to be to the table, relative; ours."""

EPS = (1e-6, 1e-6, 1e-10)
"""The paper's default eps1, eps2, eps3."""
DEFAULT = Filter(-5.0, 0.99, 0.9)
BETA3 = 0.99
LAYER, TARGET = 10_000, 0.1


def _memory() -> Computed:
    table = [row for row in rows() if row.source == "Table 6"]
    printed = [row.lead("LAMB") / row.values["LAMB"] for row in table]
    law = [1 / (C1 * row.batch + C2) for row in table]
    said = "; ".join(
        f"batch {row.batch}: {100 * share:.2f} % of LAMB's, the law has {100 * fitted:.2f} %"
        for row, share, fitted in zip(table, printed, law, strict=True)
    )
    off = max((abs(fitted / share - 1) for share, fitted in zip(printed, law, strict=True)), default=float("inf"))
    return len(table) == 3 and off <= NEAR, said, {"off": 100 * off if table else 0.0}


def _sizes() -> dict[str, float]:
    """Theorem N's chi, steps and batch at the paper's defaults, for G = L = gap = sigma = 1."""
    found = {}
    for name, Q in (
        ("ALTO", bounds.alto(DEFAULT, BETA3, EPS, 1.0, LAYER, corrected=True)),
        ("EAdam", bounds.eadam(DEFAULT, EPS[0], 1.0, corrected=True)),
    ):
        T, batch = bounds.sufficient(DEFAULT, Q, L=1.0, gap=1.0, sigma2=1.0, target=TARGET)
        found |= {f"{name}: chi": Q.chi, name: T, f"{name}: batch": batch}
    return found


def _defaults() -> Computed:
    found = _sizes()
    said = "; ".join(f"{name}{'' if ':' in name else ': steps'} {size:.1e}" for name, size in found.items())
    return found["ALTO"] > 1e24 and found["EAdam"] > 1e9, said, found


CLAIMS = (
    Claim(
        id="memory-law",
        source="paper, Table 6 (the law that the paper fits to it)",
        statement=r"ALTO needs $1/(c_1 b + c_2)$ more memory than LAMB, relative, with $c_1 = .048$, $c_2 = .7877$.",
        plain="What ALTO needs more than LAMB, relative to LAMB's memory, falls with the batch as 1/(c1 b + c2).",
        found="Computed: the law is within {off:.0f} % of Table 6 at all three batches.".format_map(_memory()[2]),
        evidence=(published("the law beside Table 6", lambda _: finding(_memory())),),
    ),
    claim(
        "ours-theorem-n-at-defaults",
        "At the paper's epsilons Theorem N needs more than 10^24 steps of ALTO and 10^9 of EAdam: it is empty there.",
        _defaults,
        "default epsilons and betas, with G = L = gap = sigma = 1, a layer of 10,000 and a gradient of 0.1",
        "For a mean squared gradient of 0.01 the bound needs {ALTO:.0e} steps of ALTO and {EAdam:.0e} of EAdam.",
    ),
)
