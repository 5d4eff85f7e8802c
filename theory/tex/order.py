"""The order of the ledger in the paper, and the headings of its tables: the paper's claims, ours, those on networks."""

import re
from collections.abc import Iterable, Mapping, Sequence

from theory.ledger.claim import Entry
from theory.ledger.evidence import Kind
from theory.ledger.known import of_paper
from theory.tex.markup import grouped_table

PARTS = {
    "Section": "Its definitions, remarks and assumptions",
    "Remark": "Its definitions, remarks and assumptions",
    "Assumption": "Its definitions, remarks and assumptions",
    "Theorem": "Its theorems and the lemmas behind them",
    "Lemma": "Its theorems and the lemmas behind them",
    "Table": "Its tables and figures",
    "Figure": "Its tables and figures",
    "abstract": "Its abstract",
}
"""The first word of the place where the source paper makes a claim, and a heading."""
PROVED, MEASURED, COMPUTED = "Proved by us", "Tested or measured by us", "Computed by us from its printed numbers"
FAMILIES = {
    r"alto-vs-lamb": "ALTO ends better than LAMB",
    r"alto-best": "ALTO ends better than the best of its rivals (Bonferroni)",
    r"e-vs-|esgd-|eadam-": "E in front of a base optimizer, against the base",
    r"below": "ALTO's lead over LAMB is below the abstract's 2.5 points",
    r"headline": "What a lead over LAMB is made of",
    r"sign|nadamw": r"The sign of $\alpha$ at equal tuning",
    r"conll|swimmer": "Parts of Table 20 and Figure 14",
    r"part-": "ALTO without one of its parts ends worse",
    r"clipping|unfair": "Clipping the gradient helps",
    r"alpha-best|alpha-far|extrapolation": r"Which $\alpha$ ends best",
    r"flatness": r"$\alpha < 0$ ends flatter, by the filter-normalised sharpness",
    r"eigenvalue": r"$\alpha < 0$ ends flatter, by the largest eigenvalue",
    r"alpha-star": r"At $\alpha^\star$ ALTO is LAMB with another decay rate",
    r"cost": "What a step costs",
    r"": "Other claims",
}
"""The beginning of the name, after "ours-", of a claim about our trained networks, and a heading in LaTeX."""
HEADINGS = list(dict.fromkeys([*PARTS.values(), PROVED, MEASURED, COMPUTED, *FAMILIES.values()]))


def of_networks(entry: Entry) -> bool:
    """Whether the claim is about our own trained networks: its source names the tier at which they ran."""
    return not of_paper(entry) and re.search(r"\btier\b", entry.claim.source) is not None


def place(entry: Entry) -> str:
    """Where the source paper makes the claim: ``paper, Appendix, Lemma 6 (as described; ...)`` -> ``Lemma 6``."""
    return re.split(r" \(|,| and ", entry.claim.source.removeprefix("paper, ").removeprefix("Appendix, "))[0]


def _part(entry: Entry) -> str:
    """The first word of the claim's place, a key of ``PARTS``."""
    part = place(entry).split()[0]
    if part not in PARTS:
        known = ", ".join(PARTS)
        raise ValueError(f"{entry.claim.id}: source {entry.claim.source!r} begins with none of {known} after 'paper, '")
    return part


def heading(entry: Entry) -> str:
    """The heading below which the claim stands.

    Raises:
        ValueError: the source paper makes it in no known part.
    """
    if of_paper(entry):
        return PARTS[_part(entry)]
    if of_networks(entry):
        name = entry.claim.id.removeprefix("ours-")
        return next(words for pattern, words in FAMILIES.items() if re.match(pattern, name))
    kinds = {result.kind for result in entry.results}
    return PROVED if Kind.PROOF in kinds else COMPUTED if kinds == {Kind.PUBLISHED} else MEASURED


def order(ledger: Iterable[Entry]) -> list[Entry]:
    """The claims by heading, those of the source paper also by their place in it; else as in the ledger.

    Raises:
        ValueError: the source paper makes one in no known part.
    """

    def key(entry: Entry) -> tuple[int, int, tuple[int, ...]]:
        group = HEADINGS.index(heading(entry))
        if not of_paper(entry):
            return group, 0, ()
        return group, list(PARTS).index(_part(entry)), tuple(map(int, re.findall(r"\d+", place(entry))))

    return sorted(ledger, key=key)


def by_heading(
    widths: Sequence[float | str], head: list[str], rows: Mapping[str, list[str]], entries: Iterable[Entry]
) -> str:
    """The long table of these entries: ``rows`` has the cells of each by its name."""
    groups: dict[str, list[list[str]]] = {}
    for entry in entries:
        groups.setdefault(heading(entry), []).append(rows[entry.claim.id])
    return grouped_table(widths, head, groups)
