"""The ledger on the site: ``{ledger}`` is the page, ``{claim}`ID` `` links to a claim, ``{verdicts}`` counts them."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective, SphinxRole

from docs.extensions import sources
from docs.extensions.ledger_data import ADVICE, VERDICTS, Ledger, Place, code, ledger, tests

PAGE = "ledger"
LONG = 40  # characters of a formula that may be too wide for a phone
MARKS = {"supports": "supports", "contradicts": "contradicts", "inconclusive": "says nothing", "error": "failed to run"}

logger = logging.getLogger(__name__)


class details(nodes.General, nodes.Element):  # noqa: N801
    """A part that opens: its first child is the summary."""


class LedgerDirective(SphinxDirective):
    """All claims, with buttons to filter them."""

    def run(self) -> list[nodes.Node]:
        """The page's nodes."""
        known = ledger()
        if not known.fresh:
            logger.warning("the stored outcomes belong to other sources; %s", ADVICE, location=self.get_location())
        return [
            _controls(known),
            _nothing(),
            *(_entry(claim, self.env.docname) for claim in known.claims),
            _about(known),
        ]


class VerdictsDirective(SphinxDirective):
    """How many claims have each verdict, and what the verdicts mean, as a table."""

    def run(self) -> list[nodes.Node]:
        """The table's nodes."""
        counts = ledger().counts
        rows = [
            ([_badge(name)], [nodes.Text(str(counts[name]))], [nodes.Text(meaning)])
            for name, meaning in VERDICTS.items()
            if counts[name]
        ]
        return [table(("verdict", "claims", "meaning"), rows)]


class ClaimRole(SphinxRole):
    """``{claim}`lemma-7` ``: a link to the claim, with its verdict as computed."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        """The link and the verdict; an error if there is no such claim."""
        found = {claim["id"]: claim for claim in ledger().claims}.get(self.text)
        if found is None:
            message = self.inliner.reporter.error(f"no claim {self.text!r} in the ledger", line=self.lineno)
            return [self.inliner.problematic(self.rawtext, self.rawtext, message)], [message]
        target = f"{'../' * self.env.docname.count('/')}{PAGE}.html#{self.text}"
        link = nodes.reference("", "", nodes.literal("", self.text), internal=False, refuri=target)
        return [link, nodes.Text(" "), _badge(found["verdict"])], []


def table(headings: Sequence[str], rows: Sequence[Sequence[Sequence[nodes.Node]]]) -> nodes.table:
    """A table of inline nodes, in a box that scrolls on a narrow screen."""
    group = nodes.tgroup("", *(nodes.colspec(colwidth=1) for _ in headings), cols=len(headings))
    heads = [[nodes.Text(heading)] for heading in headings]
    group += nodes.thead("", _row(heads))
    group += nodes.tbody("", *map(_row, rows))
    return nodes.table("", group)


def _row(cells: Sequence[Sequence[nodes.Node]]) -> nodes.row:
    return nodes.row("", *(nodes.entry("", nodes.paragraph("", "", *cell)) for cell in cells))


def inline_maths(text: str) -> Iterator[nodes.Node]:
    """Text with ``$...$`` as nodes; a long formula in pieces, so that a line may break between them."""
    for i, part in enumerate(re.split(r"\$([^$]+)\$", text)):
        if i % 2 and len(part) > LONG:
            for piece in pieces(part):
                yield from (nodes.math(piece, piece), nodes.Text(" "))
        elif i % 2:
            yield nodes.math(part, part)
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
    counts = known.counts
    choices = [("all", len(known.claims)), *((name, counts[name]) for name in VERDICTS if counts[name])]
    buttons = "".join(
        f'<button type="button" data-verdict="{name}" aria-pressed="{"true" if name == "all" else "false"}">'
        f'<span class="verdict verdict-{name}">{name}</span> {count}</button>'
        for name, count in choices
    )
    html = (
        f'<div class="ledger-controls" hidden><div role="group" aria-label="Filter by verdict">{buttons}</div>'
        '<label>Search <input type="search" placeholder="lemma, alpha, paper …"></label>'
        '<output aria-live="polite"></output></div>'
    )
    return nodes.raw("", html, format="html")


def _nothing() -> nodes.raw:
    return nodes.raw("", '<p class="ledger-nothing" hidden>No claim matches.</p>', format="html")


def _badge(verdict: str) -> nodes.inline:
    return nodes.inline("", verdict, classes=["verdict", f"verdict-{verdict}"])


def _entry(claim: dict[str, Any], page: str) -> details:
    """One claim: closed, its id, verdict and source; open, everything."""
    summary = nodes.inline("", "", classes=["claim-head"])
    summary += [nodes.literal("", claim["id"]), nodes.Text(" "), _badge(claim["verdict"]), nodes.Text(" ")]
    summary += nodes.inline("", claim["source"], classes=["claim-source"])
    entry = details("", summary, ids=[claim["id"]], classes=["claim"], verdict=claim["verdict"])
    entry += _part("Statement", [nodes.paragraph("", "", *inline_maths(claim["statement"]))])
    if claim["corrected"]:
        title = "Correction (of the assumptions)" if claim["repairs"] == "assumption" else "Correction"
        entry += _part(title, [nodes.paragraph("", "", *inline_maths(claim["corrected"]))])
    if claim["assumptions"]:
        items = [nodes.list_item("", nodes.paragraph("", "", *inline_maths(text))) for text in claim["assumptions"]]
        entry += _part("Assumptions", [nodes.bullet_list("", *items)])
    if claim["evidence"]:
        items = [nodes.list_item("", *_evidence(piece)) for piece in claim["evidence"]]
        entry += _part("Evidence", [nodes.bullet_list("", *items)])
    if claim["needs"]:
        entry += _part("Needs", [nodes.paragraph("", "", *inline_maths(claim["needs"]))])
    entry += _part("In the source", [_links(claim["id"], page)])
    return entry


def _part(title: str, content: Sequence[nodes.Node]) -> nodes.container:
    part = nodes.container("", nodes.paragraph("", title, classes=["claim-part"]))
    part += content
    return part


def _evidence(piece: dict[str, Any]) -> list[nodes.Node]:
    about = ", about the correction" if piece["about"] == "correction" else ""
    line = nodes.paragraph("", "", nodes.strong("", piece["kind"].replace("-", " ")), nodes.Text(f"{about}: "))
    line += inline_maths(piece["name"])
    line += nodes.inline("", f" — {MARKS[piece['outcome']]}", classes=[f"outcome-{piece['outcome']}"])
    content: list[nodes.Node] = [line]
    if piece["detail"]:
        content.append(nodes.paragraph("", piece["detail"], classes=["claim-detail"]))
    if piece["pieces"]:
        rows = [
            ([nodes.Text(part["name"])], [nodes.Text(part["tool"])], [nodes.Text(part["detail"])])
            for part in piece["pieces"]
        ]
        opened = details("", nodes.inline("", f"its {len(rows)} steps"))
        opened += table(("step", "checked by", "result"), rows)
        content.append(opened)
    return content


def _links(claim: str, page: str) -> nodes.bullet_list:
    found = [("claim and evidence", place) for place in (code(claim),) if place]
    found += [("test", place) for place in tests(claim)]
    return nodes.bullet_list("", *(nodes.list_item("", _link(title, place, page)) for title, place in found))


def _link(title: str, place: Place, page: str) -> nodes.paragraph:
    link = nodes.reference("", place.name, internal=False, refuri=sources.href(page, place.path, place.line))
    return nodes.paragraph("", f"{title}: ", link)


def _about(known: Ledger) -> nodes.paragraph:
    about = known.about
    versions = ", ".join(f"{name} {version}" for name, version in about["versions"].items())
    stale = "" if known.fresh else " These outcomes belong to other sources than this site's."
    text = f"Computed {about['computed']} with the effort “{about['effort']}”, by {versions}.{stale}"
    return nodes.paragraph("", text, classes=["ledger-about"])


def _open(self: Any, node: details) -> None:
    verdict = {"data-verdict": node["verdict"]} if "verdict" in node else {}
    self.body.append(self.starttag(node, "details", **verdict))
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
    app.add_directive("verdicts", VerdictsDirective)
    app.add_role("claim", ClaimRole())
    return {"parallel_read_safe": True, "parallel_write_safe": True}
