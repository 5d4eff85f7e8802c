"""The ledger on the site: the directives ``ledger``, ``findings`` and ``verdicts``, and the role ``claim``."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective, SphinxRole

from docs.extensions import claim_graph, sources
from docs.extensions.ledger_data import (
    ADVICE,
    VERDICTS,
    Ledger,
    Listed,
    Place,
    code,
    counts,
    ledger,
    shown,
    tests,
)  # fmt: skip
from theory.commands import answers
from theory.ledger.claim import Repair
from theory.ledger.evidence import About, Outcome, Result

PAGE = "ledger"
LONG = 40  # characters of a formula that may be too wide for a phone
MARKS = {
    Outcome.SUPPORTS: "supports",
    Outcome.CONTRADICTS: "contradicts",
    Outcome.INCONCLUSIVE: "does not decide",
    Outcome.ERROR: "failed to run",
}

logger = logging.getLogger(__name__)


class details(nodes.General, nodes.Element):  # noqa: N801
    """A part that opens: its first child is the summary."""


class LedgerDirective(SphinxDirective):
    """All claims, the paper's apart from ours, with buttons to filter them."""

    def run(self) -> list[nodes.Node]:
        """The page's nodes."""
        known = ledger()
        if known.stale:
            names = ", ".join(known.stale)
            logger.warning(
                "results/ledger.json is older than the code: %s; %s",
                names,
                ADVICE,
                location=self.get_location(),
                type="stale",
            )
        parts = [_about(known), _controls(known), _nothing()]
        for title, of_paper in (("What the paper claims", True), ("What we add", False)):
            section = nodes.section("", nodes.title("", title), ids=[title.lower().replace(" ", "-")])
            for name, claims in known.groups(of_paper=of_paper):
                ids = [f"{'paper' if of_paper else 'ours'}-{nodes.make_id(name)}"]
                group = nodes.section("", nodes.title("", name), ids=ids, classes=["ledger-group"])
                group += [_entry(claim, self.env.docname) for claim in claims]
                section += group
            parts.append(section)
        return [*parts, _graph(known)]


class FindingsDirective(SphinxDirective):
    """What was found of the claims that are named, one per line, below the counts of all claims of the paper."""

    has_content = True

    def run(self) -> list[nodes.Node]:
        """The counts and the list."""
        known = ledger().claims
        paper = [claim for claim in known.values() if claim.of_paper]
        said = nodes.paragraph("", f"The paper makes {len(paper)} claims that can be checked: ")
        number = counts(paper)
        for i, verdict in enumerate(verdict for verdict in VERDICTS if number[verdict]):
            said += [nodes.Text(", " * bool(i) + f"{number[verdict]} "), _badge(verdict)]
        found = nodes.bullet_list("", classes=["findings"])
        for name in self.content:
            if name not in known:
                raise self.error(f"no claim {name!r} in the ledger")
            entry, here = known[name].entry, self.env.docname
            line = nodes.paragraph("", "", *inline(known[name].sentence, here), nodes.Text(" "), _badge(entry.verdict))
            if entry.claim.found:
                line += [nodes.Text(" "), *inline(entry.claim.found, here)]
            line += [nodes.Text(" "), _claim_link(name, here)]
            found += nodes.list_item("", line)
        said += nodes.Text(".")
        return [said, found]


class VerdictsDirective(SphinxDirective):
    """The verdicts: what each means, what a reader may conclude, how many there are, and an example."""

    def run(self) -> list[nodes.Node]:
        """A definition list."""
        known = list(ledger().claims.values())
        paper, ours = (counts(claim for claim in known if claim.of_paper is which) for which in (True, False))
        items = []
        for verdict, (meaning, conclusion) in VERDICTS.items():
            example = next(iter(sorted(
                (claim for claim in known if claim.entry.verdict is verdict), key=lambda claim: not claim.of_paper
            )), None)  # fmt: skip
            body = nodes.definition("", nodes.paragraph("", meaning))
            body += nodes.paragraph("", "", nodes.strong("", "You may conclude: "), nodes.Text(conclusion))
            if example:
                line = nodes.paragraph("", "", nodes.strong("", "Example: "), _claim_link(example.id, self.env.docname))
                known_by = answers.known_by(example.entry)
                line += [nodes.Text(f" ({example.entry.claim.source}{'; ' if known_by else ''}{known_by}): ")]
                line += inline(example.entry.claim.found or example.sentence)
                body += line
            number = nodes.inline("", f" {paper[verdict]} of the paper's claims, {ours[verdict]} of ours")
            number["classes"] = ["claim-source"]
            items.append(nodes.definition_list_item("", nodes.term("", "", _badge(verdict), number), body))
        return [nodes.definition_list("", *items)]


class ClaimRole(SphinxRole):
    """``{claim}`lemma-7` ``: a link to the claim, with its verdict as computed."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        """The link and the verdict; an error if there is no such claim."""
        found = ledger().claims.get(self.text)
        if found is None:
            message = self.inliner.reporter.error(f"no claim {self.text!r} in the ledger", line=self.lineno)
            return [self.inliner.problematic(self.rawtext, self.rawtext, message)], [message]
        return [_claim_link(self.text, self.env.docname), nodes.Text(" "), _badge(found.entry.verdict)], []


def _claim_link(name: str, page: str) -> nodes.reference:
    target = f"{'../' * page.count('/')}{PAGE}.html#{name}"
    return nodes.reference("", "", nodes.literal("", name), internal=False, refuri=target)


def table(headings: Sequence[str], rows: Sequence[Sequence[Sequence[nodes.Node]]]) -> nodes.table:
    """A table of inline nodes, in a box that scrolls on a narrow screen."""
    group = nodes.tgroup("", *(nodes.colspec(colwidth=1) for _ in headings), cols=len(headings))
    heads = [[nodes.Text(heading)] for heading in headings]
    group += nodes.thead("", _row(heads))
    group += nodes.tbody("", *map(_row, rows))
    return nodes.table("", group)


def _row(cells: Sequence[Sequence[nodes.Node]]) -> nodes.row:
    return nodes.row("", *(nodes.entry("", nodes.paragraph("", "", *cell)) for cell in cells))


def inline(text: str, page: str | None = None) -> Iterator[nodes.Node]:
    """Text with ``$...$`` as nodes.

    A long formula comes in pieces, so that a line may break between them.

    Args:
        text: from a claim.
        page: where the text is shown: the ids of claims in it become links.
    """
    for i, part in enumerate(re.split(r"\$([^$]+)\$", text)):
        if i % 2 and len(part) > LONG:
            for piece in pieces(part):
                yield from (nodes.math(piece, piece), nodes.Text(" "))
        elif i % 2:
            yield nodes.math(part, part)
        elif page is not None:
            for word in re.split(r"((?<![\w.-])[a-z]+[\w.]*(?:-[\w.]*\w)+)", part):
                yield _claim_link(word, page) if word in ledger().claims else nodes.Text(word)
        elif part:
            yield nodes.Text(part)


def pieces(formula: str) -> list[str]:
    """A formula cut before its outermost relations and signs, where TeX would break a line, too."""
    found, depth, begin = [], 0, 0
    for match in re.finditer(r"[({\[]|[)}\]]| (?=(?:=|\\le|\\ge|\\to|<|>|\+|-) )", formula):
        if match[0] == " ":
            if depth == 0:
                found.append(formula[begin : match.start()])
                begin = match.end()
        else:
            depth += 1 if match[0] in "({[" else -1
    return [piece if i == 0 else "{}" + piece for i, piece in enumerate([*found, formula[begin:]])]


def _controls(known: Ledger) -> nodes.raw:
    number = counts(known.claims.values())
    paper = sum(claim.of_paper for claim in known.claims.values())
    by = [("", "both", number.total()), ("paper", "the paper's", paper), ("ours", "ours", number.total() - paper)]
    whose = [_button("whose", name, label, count) for name, label, count in by]
    badges = [(name, f'<span class="verdict verdict-{name}">{name}</span>', number[name]) for name in VERDICTS]
    verdicts = [_button("verdict", *choice) for choice in [("", "every verdict", number.total()), *badges] if choice[2]]
    html = (
        f'<div class="filter" hidden><div role="group" aria-label="Whose claims">{"".join(whose)}</div>'
        f'<div role="group" aria-label="Verdict">{"".join(verdicts)}</div>'
        '<label>Search <input type="search" placeholder="lemma, alpha, network …"></label>'
        '<output aria-live="polite"></output></div>'
    )
    return nodes.raw("", html, format="html")


def _button(key: str, value: str, label: str, count: int) -> str:
    pressed = "false" if value else "true"
    return f'<button type="button" data-{key}="{value}" aria-pressed="{pressed}">{label} {count}</button>'


def _graph(known: Ledger) -> nodes.section:
    title = "Which claims rest on which"
    claims = {name: listed.entry for name, listed in known.claims.items()}
    drawn = claim_graph.svg(
        {name: entry.claim.rests_on for name, entry in claims.items()},
        {name: str(entry.verdict) for name, entry in claims.items()},
    )
    said = (
        "A proof may use other claims: they stand to its left. Where one of them falls, so do all that rest on it. A "
        "name leads to its entry; the colour is its verdict's. A proof that the kernel checked contains what it uses."
    )
    section = nodes.section("", nodes.title("", title), ids=["graph"])
    section += [nodes.paragraph("", said), nodes.raw("", f'<div class="claim-graph-box">{drawn}</div>', format="html")]
    return section


def _nothing() -> nodes.raw:
    return nodes.raw("", '<p class="filter-nothing" hidden>No claim matches.</p>', format="html")


def _badge(verdict: str) -> nodes.inline:
    return nodes.inline("", verdict, classes=["verdict", f"verdict-{verdict}"])


def _entry(listed: Listed, page: str) -> details:
    """One claim. Closed: its id, verdict, sentence and what was found. Open: everything."""
    claim = listed.entry.claim
    known_by = answers.known_by(listed.entry)
    head = nodes.inline("", "", nodes.literal("", claim.id), nodes.Text(" "), _badge(listed.entry.verdict))
    head += nodes.inline("", f" {known_by}" if known_by else "", classes=["claim-source"])
    summary = nodes.inline("", "", head, nodes.inline("", "", *inline(listed.sentence), classes=["claim-sentence"]))
    head["classes"] = ["claim-head"]
    if claim.found:
        summary += nodes.inline(
            "", "", nodes.strong("", "Found: "), *inline(claim.found, page), classes=["claim-found"]
        )
    data = {"verdict": listed.entry.verdict, "whose": "paper" if listed.of_paper else "ours"}
    entry = details("", summary, ids=[claim.id], classes=["claim"], **data)
    entry += _part("Source", [nodes.paragraph("", claim.source)])
    if claim.plain:
        entry += _part("Statement", [nodes.paragraph("", "", *inline(claim.statement))])
    if claim.corrected:
        title = "Correction (of the assumptions)" if claim.repairs is Repair.ASSUMPTION else "Correction"
        entry += _part(title, [nodes.paragraph("", "", *inline(claim.corrected, page))])
    if claim.assumptions:
        items = [nodes.list_item("", nodes.paragraph("", "", *inline(text, page))) for text in claim.assumptions]
        entry += _part("Assumptions", [nodes.bullet_list("", *items)])
    carried = [name for name, other in ledger().claims.items() if claim.id in other.entry.claim.rests_on]
    for title, names in (("Rests on", claim.rests_on), ("Carries", carried)):
        if names:
            links = [[_claim_link(name, page), nodes.Text(" ")] for name in names]
            entry += _part(title, [nodes.paragraph("", "", *(node for pair in links for node in pair))])
    if listed.entry.results:
        items = [nodes.list_item("", *_evidence(result)) for result in listed.entry.results]
        entry += _part("Evidence", [nodes.bullet_list("", *items)])
    if claim.needs:
        entry += _part("Needs", [nodes.paragraph("", "", *inline(claim.needs, page))])
    entry += _part("See", [_links(listed, page)])
    return entry


def _part(title: str, content: Sequence[nodes.Node]) -> nodes.container:
    part = nodes.container("", nodes.paragraph("", title, classes=["claim-part"]))
    part += content
    return part


def _evidence(result: Result) -> list[nodes.Node]:
    about = ", about the correction" if result.about is About.CORRECTION else ""
    line = nodes.paragraph("", "", nodes.strong("", answers.KINDS[result.kind]), nodes.Text(f"{about}: "))
    line += inline(result.name)
    line += nodes.inline("", f" — {MARKS[result.outcome]}", classes=[f"outcome-{result.outcome}"])
    content: list[nodes.Node] = [line]
    if result.detail:
        content.append(nodes.paragraph("", result.detail, classes=["claim-detail"]))
    if result.pieces:
        rows = [
            ([nodes.Text(piece["name"])], [nodes.Text(piece["tool"])], [nodes.Text(piece["detail"])])
            for piece in result.pieces
        ]
        opened = details("", nodes.inline("", f"its {len(rows)} steps"))
        opened += table(("step", "checked by", "result"), rows)
        content.append(opened)
    return content


def _links(claim: Listed, page: str) -> nodes.bullet_list:
    found = [("claim and evidence", code(claim)), *(("test", place) for place in tests(claim))]
    items = [nodes.list_item("", _link(title, place, page)) for title, place in found]
    if seen := shown(claim):
        link = nodes.reference("", seen[0], internal=False, refuri=seen[1])
        items.insert(0, nodes.list_item("", nodes.paragraph("", "", link)))
    return nodes.bullet_list("", *items)


def _link(title: str, place: Place, page: str) -> nodes.paragraph:
    link = nodes.reference("", place.name, internal=False, refuri=sources.href(page, place.path, place.line))
    return nodes.paragraph("", f"{title}: ", link)


def _about(known: Ledger) -> nodes.paragraph:
    when = sorted(part.computed[:10] for part in known.parts)
    versions = ", ".join(f"{name} {version}" for name, version in sorted(known.parts[0].versions.items()))
    stale = f" Older than today's code: {', '.join(known.stale)}." if known.stale else ""
    text = f"Computed from {when[0]} to {when[-1]} by {versions}.{stale}"
    return nodes.paragraph("", text, classes=["ledger-about"])


def _open(self: Any, node: details) -> None:
    data = {f"data-{key}": node[key] for key in ("verdict", "whose") if key in node}
    self.body.append(self.starttag(node, "details", **data))
    self.body.append("<summary>")
    node[0].walkabout(self)
    self.body.append("</summary>\n")
    for child in node[1:]:
        child.walkabout(self)
    self.body.append("</details>\n")
    raise nodes.SkipNode


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect to Sphinx."""
    app.add_node(details, html=(_open, None))
    app.add_directive("ledger", LedgerDirective)
    app.add_directive("findings", FindingsDirective)
    app.add_directive("verdicts", VerdictsDirective)
    app.add_role("claim", ClaimRole())
    return {"parallel_read_safe": True, "parallel_write_safe": True}
