"""Claims about trained networks. Their evidence is read from results/; until it exists they say what they need.

A file ``results/evidence/<claim id>.json`` holds one comparison, computed and written by an experiment:

    {"quantity": "lead of ALTO over LAMB", "estimate": 0.4, "low": 0.1, "high": 0.7, "at_least": 0.0, "at_most": null,
     "p_value": 0.02, "protocol": "...", "seeds": [...]}

The claim asserts that the quantity is above ``at_least`` and below ``at_most``, where they are not null; [low, high] is
its 95 % interval. The interval decides, unless one of these leaves the claim undecided:

- a competitor's chosen learning rate is at an end of its grid (``at_edge``);
- the p-value of the t test against the bound is above .05, adjusted for the number of questions in the family
  (``adjusted``, Benjamini and Hochberg);
- there are 8 seeds or more, and the p-value of all sign flips (``p_value``) is above .05. With fewer it hardly can be
  below, and is only reported.

The paper's own tables are claims of its scale: only runs at that scale may write their evidence. What smaller runs
answer are claims of ours, in `theory.claims.networks.laptop`.
"""

import math
from dataclasses import dataclass
from pathlib import Path

from theory.ledger.claim import Claim
from theory.ledger.evidence import Effort, Evidence, Finding, Outcome, measured
from theory.ledger.intervals import decided_by
from theory.ledger.stored import read

READS = ("evidence/*.json",)
FOLDER = Path(__file__).resolve().parents[3] / "results" / "evidence"


_LEVEL, _ENOUGH = 0.05, 8
_SAID = {
    Outcome.SUPPORTS: "shown",
    Outcome.CONTRADICTS: "contradicted",
    Outcome.INCONCLUSIVE: "undecided, the interval contains the bound",
}


def compare(stored: dict) -> Finding:
    """What a stored comparison says: the whole interval within the asserted bounds, outside of them, or neither.

    Args:
        stored: the comparison, in the form above.

    Returns:
        The finding.

    Raises:
        ValueError: it asserts nothing, its ends are no interval around the estimate, or a number is none.
    """
    for name in ("estimate", "low", "high", "at_least", "at_most", "p_value", "adjusted"):
        value = stored.get(name)
        if value is not None and (isinstance(value, bool) or not math.isfinite(value)):
            raise ValueError(f"{name} = {value!r} must be a finite number")
        if value is not None and name in {"p_value", "adjusted"} and not 0 <= value <= 1:
            raise ValueError(f"{name} = {value} must lie in [0, 1]")
    seeds = stored.get("seeds", [])
    if not stored["protocol"] or len(set(map(str, seeds))) < len(seeds):
        raise ValueError(
            f"seeds = {seeds}, protocol = {stored['protocol']!r}: a seed counts once, and a protocol is needed"
        )
    low, high, estimate = stored["low"], stored["high"], stored["estimate"]
    least, most = stored.get("at_least"), stored.get("at_most")
    if least is None and most is None:
        raise ValueError("at_least and at_most are both absent: the comparison asserts nothing")
    if least is not None and most is not None and least >= most:
        raise ValueError(f"at_least = {least} and at_most = {most} leave nothing between them")
    if not low <= estimate <= high:
        raise ValueError(f"[{low}, {high}] is no interval around the estimate {estimate}")
    floor, ceiling = -math.inf if least is None else least, math.inf if most is None else most
    outcome = decided_by([(low - floor, high - floor), (ceiling - high, ceiling - low)])
    reason = "" if outcome is Outcome.INCONCLUSIVE else _doubt(stored)
    said = f"undecided, {reason}" if reason else _SAID[outcome]
    outcome = Outcome.INCONCLUSIVE if reason else outcome
    interval = f"{estimate:.4g} [{low:.4g}, {high:.4g}]"
    asserted = " and ".join(f"{sign} {bound:g}" for sign, bound in ((">", least), ("<", most)) if bound is not None)
    return Finding(outcome, f"{stored['quantity']}: {interval}, asserted {asserted}: {said}; {stored['protocol']}")


def _doubt(stored: dict) -> str:
    """Why the interval alone does not decide; empty if it does."""
    adjusted, p = stored.get("adjusted"), stored.get("p_value")
    if stored.get("at_edge"):
        return f"the chosen learning rate of {', '.join(stored['at_edge'])} is at an end of the grid"
    if adjusted is not None and adjusted > _LEVEL:
        return f"p = {adjusted:.2g} after adjustment for the questions of its family"
    if len(stored.get("seeds", ())) >= _ENOUGH and p is not None and p > _LEVEL:
        return f"the sign flips do not confirm the interval (p = {p:.2g})"
    return ""


def evidence_for(claim: str, folder: Path = FOLDER) -> tuple[Evidence, ...]:
    """The stored comparison of a claim, if there is one."""
    path = folder / f"{claim}.json"
    if not path.exists():
        return ()

    def measure(_: Effort) -> Finding:
        return compare(read(path))

    return (measured("stored comparison", measure),)


@dataclass(frozen=True)
class _Row:
    """A claim of the paper about trained networks.

    Attributes:
        source: where the paper makes it.
        statement: what it says.
        needs: what a run at its scale takes.
        smaller: claims of ours that ask the same on a smaller scale, or a part of it.
    """

    source: str
    statement: str
    needs: str
    smaller: tuple[str, ...] = ()


ROWS = {
    "table-3": _Row(
        "paper, Table 3",
        "ALTO is best at large batch: ResNet20 on CIFAR, ResNet34 on ImageNet.",
        "a GPU, CIFAR",
        ("ours-headline-lead", "ours-headline-32px-lead"),
    ),
    "table-4": _Row(
        "paper, Table 4", "ALTO beats LAMB with ResNet50 on ImageNet at batches of 1K to 32K.", "GPUs, ImageNet"
    ),
    "table-5": _Row(
        "paper, Table 5",
        "ALTO gains on VGG16 by batch, on time to accuracy, on GPT-2 perplexity.",
        "GPUs",
        ("ours-alto-vs-lamb-six-batches", "ours-alto-vs-lamb-gpt-large"),
    ),
    "table-6": _Row(
        "paper, Table 6",
        "ALTO needs 2.1 to 2.3 GiB more than LAMB on BERT-base, at each of three batch sizes.",
        "a GPU, BERT-base",
        ("published-memory",),
    ),
    "table-7": _Row(
        "paper, Table 7",
        "Each part of ALTO adds accuracy on CIFAR-10 at batch 16384.",
        "a GPU, CIFAR-10",
        ("ours-part-a", "ours-headline-correction"),
    ),
    "table-8": _Row(
        "paper, Table 8",
        "ESGD equals SGD and EAdam beats Adam at small batch.",
        "a GPU, CIFAR, ImageNet",
        ("ours-esgd-is-sgd-small", "ours-e-vs-adamw-digits-small"),
    ),
    "table-9": _Row(
        "paper, Table 9", "ALTO is best in fine-tuning BERT-base at batch 1024.", "a GPU, the three data sets"
    ),
    "table-10": _Row("paper, Table 10", "Adan at large batch is below ALTO.", "a GPU, CIFAR, ImageNet"),
    "table-12": _Row(
        "paper, Table 12",
        "An iteration of ALTO takes 332 ms where Lion takes 253.",
        "a GPU and the model used",
        ("ours-cost-of-a-step",),
    ),
    "table-15": _Row(
        "paper, Table 15",
        "ALTO beats LAMB on VGG16 and DenseNet169, CIFAR, batch 16384.",
        "a GPU, CIFAR",
        ("ours-alto-vs-lamb-convnet64",),
    ),
    "table-16": _Row(
        "paper, Table 16",
        "ALTO's lead over LAMB grows with the batch, VGG16 on CIFAR-100.",
        "a GPU, CIFAR-100",
        ("ours-alto-vs-lamb-six-batches",),
    ),
    "table-18": _Row("paper, Table 18", "ALTO reaches each accuracy sooner than LAMB, batch 16384.", "a GPU"),
    "table-20": _Row(
        "paper, Table 20",
        "ALTO is best for a BiLSTM at full batch on CoNLL-2003.",
        "CoNLL-2003 and the four rivals",
        ("ours-conll-lead",),
    ),
    "figure-3": _Row(
        "paper, Figure 3",
        "Sharpness and drift change with alpha while ResNet20 trains.",
        "a GPU, CIFAR-100",
        ("ours-eigenvalue-large-equal", "ours-eigenvalue-large-tuned", "ours-flatness-large-equal"),
    ),
    "figure-5": _Row(
        "paper, Figure 5",
        "Accuracy depends on (beta1, alpha) as the box plots show.",
        "a GPU, CIFAR-100",
        ("ours-alpha-best-large", "ours-alpha-best-small"),
    ),
    "figure-4": _Row(
        "paper, Figure 4",
        "At batch 16384 ALTO's accuracy on CIFAR leads in the course of training.",
        "a GPU, CIFAR",
        ("ours-headline-lead",),
    ),
    "figure-9": _Row(
        "paper, Figure 9 (and 17)",
        "ALTO's perplexity falls below the others' as GPT-2 trains.",
        "GPUs",
        ("ours-alto-best-gpt-large",),
    ),
    "figure-12": _Row(
        "paper, Figure 12 (and 13)",
        "ALTO's lead on VGG16 holds for batches up to 50K.",
        "a GPU, CIFAR-100",
        ("ours-alto-vs-lamb-six-batches",),
    ),
    "figure-14": _Row(
        "paper, Figure 14 (to 16)",
        "With PPO, ALTO reaches higher returns on Swimmer, Ant and Humanoid.",
        "ten seeds of Ant and Humanoid",
        ("ours-swimmer-lead", "ours-swimmer-adam"),
    ),
    "figure-18": _Row(
        "paper, Figure 18 (to 20)",
        "Training depends on beta1 and alpha as the curves show.",
        "a GPU, CIFAR",
        ("ours-alpha-best-large",),
    ),
    "default-alpha-by-batch": _Row(
        "paper, Section 4 (its default alpha by batch)",
        "Below batch 1K alpha = .5, beta1 = .01 is best, and from 1K on alpha = -5, beta1 = .99.",
        "both settings at both batches, on a GPU",
        ("ours-alpha-best-small", "ours-alpha-best-large"),
    ),
    "clipping-confound": _Row(
        "ours; the official ALTO clips the gradient to norm 1 inside its step; which LAMB the paper used is not known",
        "Part of ALTO's reported gain over LAMB is the clipping.",
        "clipping x optimizer at batch 16384, on a GPU",
        ("ours-headline-clip",),
    ),
}


def _claim(name: str, row: _Row) -> Claim:
    evidence = evidence_for(name)
    smaller = f" Smaller or partial: {', '.join(row.smaller)}." if row.smaller else ""
    found = "" if evidence else f"Not run: needs {row.needs}.{smaller}"
    return Claim(id=name, source=row.source, statement=row.statement, found=found, evidence=evidence, needs=row.needs)


CLAIMS = tuple(_claim(name, row) for name, row in ROWS.items())
