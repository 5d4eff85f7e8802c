"""A claim about printed numbers: whether it holds, and the numbers that say so, both computed."""

from collections.abc import Callable, Mapping

from theory.ledger.claim import Claim
from theory.ledger.evidence import Finding, Outcome, published

Computed = tuple[bool, str, Mapping[str, float]]
"""Whether the claim holds, the numbers in words, and some of them by name."""


def finding(computed: Computed) -> Finding:
    """What was computed, as a finding.

    Args:
        computed: whether the claim holds, and the numbers that say so.

    Returns:
        The finding.

    Raises:
        TypeError: whether it holds is no truth value.
    """
    holds, said, values = computed
    if type(holds).__name__ not in {"bool", "bool_"}:
        raise TypeError(f"{holds!r} is no truth value: whether the claim holds is True or False")
    return Finding(Outcome.SUPPORTS if holds else Outcome.CONTRADICTS, said, values=values)


def claim(name: str, plain: str, compute: Callable[[], Computed], tables: str, found: str) -> Claim:
    """A claim of ours about the paper's tables.

    Args:
        name: its id.
        plain: what it says.
        compute: the arithmetic.
        tables: the tables that it reads.
        found: what was found, with the computed numbers by name in braces.

    Returns:
        The claim.
    """
    return Claim(
        id=name,
        source=f"ours; arithmetic on the paper's {tables}",
        statement=plain,
        plain=plain,
        found=found.format_map(compute()[2]),
        evidence=(published("the printed numbers", lambda _: finding(compute())),),
    )
