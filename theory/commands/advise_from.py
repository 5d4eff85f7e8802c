"""``python -m theory advise --from METHOD --lr RATE``: the learning rate for one who comes from another optimizer."""

from typing import Any

from theory.ledger import provenance
from theory.ledger.stored import read

METHODS = {"adamw": "AdamW", "eadamw": "E(AdamW)", "lamb": "LAMB", "alto": "ALTO"}
"""The measured methods, as the command writes them and as the results do."""


def stored() -> dict[str, Any]:
    """The best rates and the rules, as ``experiments/scripts/learning_rates/rule.py`` wrote them."""
    return read(provenance.RESULTS / "learning-rates" / "rules.json")


def lines(source: str, lr: float) -> list[str]:
    """The rate of every other measured method, in words.

    Args:
        source: a key of ``METHODS``.
        lr: its learning rate, above 0.

    Returns:
        One line per method, and what was measured.

    Raises:
        ValueError: the rate is not above 0, or not finite.
    """
    if not 0 < lr < float("inf"):
        raise ValueError(f"--lr {lr:g}: must be above 0 and finite")
    found = stored()
    known = [one["rate"] for one in found["best"] if one["method"] == METHODS[source]]
    said = [f"{METHODS[source]} at {lr:g}:"]
    for rule in found["rules"]:
        if rule["from"] == METHODS[source]:
            rate, low, high = (lr * rule[key] for key in ("factor", "low", "high"))
            answer = f"{rate:.2g}, between {low:.2g} and {high:.2g}" if rule["holds"] else f"no rule: {rule['why']}"
            said.append(f"  {rule['to']:<9} {answer}")
    tasks = sorted({one["task"] for one in found["best"]})
    said.append(
        f"Measured on {len(tasks)} small networks ({'; '.join(tasks)}) with {found['seeds']} seeds; the interval is of "
        f"95 %, over the networks. There the best rate of {METHODS[source]} was {min(known):.2g} to {max(known):.2g}."
    )
    if not min(known) / 2 <= lr <= max(known) * 2:
        said.append(f"{lr:g} is far from these: on your network the rule is a guess. Try the ends of the interval too.")
    said.append(
        "A step of LAMB and ALTO is relative to the size of the weights. Twice their best rate failed there: begin "
        "at the low end."
    )
    return said
