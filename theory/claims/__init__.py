"""Every claim, one file per group of claims. The order here is the ledger's.

The files are imported when their claims are: what only prints stored outcomes needs none of them.
"""

from typing import TYPE_CHECKING, Any

from theory.ledger.sources import Source

GROUPS = {
    "method": ("identities", "family", "filters", "valley", "bias_correction", "generality"),
    "lemmas": ("boundedness", "preconditioner", "tracking"),
    "theorems": (
        "assumptions", "descent", "nonconvex", "finite", "regret_lemmas", "convex", "virtual_iterate", "linear_regret",
        "normalised_step", "normalised_step_rate", "primal_averaging", "last_iterate", "high_probability",
        "batch_floor", "log_epsilon", "local_stability", "scope", "orders",
    ),
    "behaviour": ("ode", "stability", "margins", "landscape", "escape", "figures", "worst_case", "rates", "abstract"),
    "published": ("headline", "baselines", "scale"),
    "networks": ("paper_tables", "laptop"),
}  # fmt: skip
"""The subpackages of claims, each with its files. A new file of claims is added here."""

HEADLINE = (
    "published-headline-mean", "published-table-7-against-3", "published-public-lamb", "ours-headline-lead-below",
    "ours-headline-tuned-lead-below", "ours-headline-32px-lead-below", "ours-headline-nus", "ours-headline-correction",
    "abstract-2.5-percent", "theorem-1", "theorem-2", "table-2-advantage", "lemma-6", "remark-2.2-constraint",
    "remark-2.1-flatness", "remark-2.1-speed", "figure-8",
)  # fmt: skip
"""The claims that matter most, in the order of the README's two tables."""

SOURCES = tuple(Source(f"theory.claims.{room}.{name}") for room, names in GROUPS.items() for name in names)

if TYPE_CHECKING:
    from theory.ledger.claim import Claim

    ALL: tuple[Claim, ...]


def __getattr__(name: str) -> Any:
    """``ALL``: every claim, imported at the first use."""
    if name == "ALL":
        return tuple(claim for source in SOURCES for claim in source.claims())
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
