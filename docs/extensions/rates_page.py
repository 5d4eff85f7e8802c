"""The page of measured rates: a summary, a picture per study, and every row below it, closed."""

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from docs.extensions.ledger_data import ledger
from docs.extensions.markdown import cell, dropdown, figure, save
from theory.ledger.provenance import ROOT
from theory.ledger.stored import read
from theory.plotting import style

Row = dict[str, Any]
Study = dict[str, Any]
FOLDER = ROOT / "results" / "rates"
COMMAND = "python -m theory rates --full --out results/rates"

# Headings of the studies, and figures of the theory that are drawn from them.
_STUDIES = {
    "convex": ("Smooth convex functions, no noise", ()),
    "linear": ("Quadratics, no noise", ()),
    "floor": ("A constant step with noise", ()),
    "pl": ("Functions that satisfy the Polyak-Lojasiewicz inequality", ()),
    "nonconvex": ("Non-convex functions with noise", ("gradient-norm",)),
    "batch": ("The batch size", ("gradient-norm",)),
    "regret": ("Online regret", ("regret",)),
}
_WORDS = (
    (r"\|grad f\|\^2", r"$\\Vert\\nabla f\\Vert^2$"),
    (r"f\((last|mean) iterate\) - f\*", r"$f - f^*$ at the \1 iterate"),
    (r"f - f\*", r"$f - f^*$"),
    (r"sigma\^2 V / b", r"$\\sigma^2 V/b$"),
    (r"V\(eta / sqrt G\)", r"$V(\\eta/\\sqrt G)$"),
    (r"\|gap \(4 S_N \+ 2\) - 1\|", r"$\\vert (f-f^*)\\,(4 S_N + 2) - 1\\vert$"),
    (r"2 \(C - n \+ 1\) / n", r"$2(C-n+1)/n$"),
    (r"T\^\((-?)1/2\)", r"$T^{\1 1/2}$"),
    (r"1/eps\b", r"$1/\\varepsilon$"),
    (r"eps\^-4", r"$\\varepsilon^{-4}$"),
    (r"eps1", r"$\\varepsilon_1$"),
    (r"\beta lambda\b", r"$\\eta\\lambda$"),
    (r"\beta\b", r"$\\eta$"),
    (r"\bin (T|N)\b", r"in $\1$"),
)


def write(folder: Path) -> str:
    """The page's text; its pictures go to ``folder``."""
    studies = {name: read(FOLDER / f"{name}.json") for name in _STUDIES}
    rows = [row for study in studies.values() for row in study["rows"]]
    agree = sum(row["verdict"] == "agrees" for row in rows)
    return f"""# Rates: measured beside predicted

{len(studies)} studies measure how fast E and ALTO converge, and compare {len(rows)} numbers with theory: {agree} agree.
Each prediction was fixed before the run, and so was the tolerance that widens its 95 % interval. A proved bound must
never lie below the measurement. {_throughput()}

| study | what theory says | rows | agree | smallest bound / measured |
|---|---|--:|--:|--:|
{"".join(_summary(name, study) for name, study in studies.items())}
In the pictures each dot is one setting of $(\\alpha, \\beta_1)$, coloured by $\\alpha$, and its bar is the 95 %
interval of the measurement. The dotted lines are the tolerance. A dot at the
left edge lies far below an upper bound.

{figure("How loose the proved bounds are", "looseness")}

{"".join(_study(name, study, folder) for name, study in studies.items())}"""


def _summary(name: str, study: Study) -> str:
    """The study's row of the table."""
    rows = study["rows"]
    bounds = [row["bound_over_measured"] for row in rows if row["proved"] and row["bound_over_measured"]]
    smallest = f"{min(bounds):.3g}" if bounds else "no bound"
    agree = sum(row["verdict"] == "agrees" for row in rows)
    return f"| [{_STUDIES[name][0]}](#rates-{name}) | {words(study['title'])} | {len(rows)} | {agree} | {smallest} |\n"


def _study(name: str, study: Study, folder: Path) -> str:
    """A study: its heading, its pictures, and its rows by quantity."""
    heading, figures = _STUDIES[name]
    rows = sorted(study["rows"], key=_quantity)
    seeds = f"{len(study['seeds'])} seeds" if study["seeds"] else "No randomness"
    save(lambda: _picture(rows), folder / f"rates-{name}.png")
    shown = "\n".join(f"{figure(name, name)}\n" for name in figures)
    tables = "\n\n".join(
        f"**{words(quantity)}**\n\n" + "\n".join(_table(members)) for quantity, members in groupby(rows, key=_quantity)
    )
    return f"""(rates-{name})=
## {heading}

{words(study["title"])}. {seeds}, {study["wall_s"]:.0f} s.

![Measured minus predicted: {heading}](rates-{name}.png)

{shown}
{dropdown(f"All {len(rows)} rows", tables, "filtered")}
"""


def _quantity(row: Row) -> str:
    return row["quantity"]


def words(quantity: str) -> str:
    """A name or title with its formulas as such: ``|grad f|^2`` becomes a formula."""
    for pattern, formula in _WORDS:
        quantity = re.sub(rf"(?<!\$){pattern}", formula, quantity)
    return quantity[0].upper() + quantity[1:] if not quantity.startswith("$") else quantity


def _line(row: Row) -> str:
    return ", ".join(row[key] for key in ("objective", "method", "variant") if row[key])


def _picture(rows: Sequence[Row]) -> Any:
    """Measured minus predicted, in units of the tolerance: a panel per quantity, a line per objective and method."""
    judged = [row for row in rows if row["predicted"] is not None and row["tolerance"]]
    panels = {name: list(members) for name, members in groupby(judged, key=_quantity)}
    lines = {name: sorted({_line(row) for row in members}) for name, members in panels.items()}
    heights = [len(names) + 1 for names in lines.values()]
    drawn = style.figure(style.PAGE, 0.4 + 0.14 * sum(heights) + 0.25 * len(panels))
    all_axes = drawn.subplots(len(panels), height_ratios=heights, sharex=True, squeeze=False)[:, 0]
    for axes, (name, members) in zip(all_axes, panels.items(), strict=True):
        for alpha, own in groupby(sorted(members, key=lambda row: row["alpha"]), key=lambda row: row["alpha"]):
            same = list(own)
            y = [lines[name].index(_line(row)) for row in same]
            # What lies farther away, as a measurement far below an upper bound may, stands at the edge.
            low, middle, high = (
                [min(max((row[key] - row["predicted"]) / row["tolerance"], -2.0), 2.0) for row in same]
                for key in ("low", "measured", "high")
            )
            axes.hlines(y, low, high, color=style.colour(alpha), lw=1)
            axes.plot(middle, y, style.marker(alpha), color=style.colour(alpha), alpha=0.8, clip_on=False)
        for edge in (-1, 1):
            axes.axvline(edge, color=style.GREY, ls=":", lw=1)
        axes.axvline(0, color=style.BLACK, lw=0.8)
        axes.set_yticks(range(len(lines[name])), lines[name])
        axes.set(xlim=(-2.1, 2.1), ylim=(len(lines[name]) - 0.5, -0.5))
        axes.set_title(words(name), loc="left", fontsize=7)
    all_axes[-1].set_xlabel("(measured - predicted) / tolerance")
    return drawn


def _table(rows: Iterable[Row]) -> Iterator[str]:
    """The rows of one quantity."""
    known = ledger().claims
    yield "| objective, method | α | β₁ | from | predicted | measured [95 %] | bound / measured | verdict |"
    yield "|---|--:|--:|---|--:|--:|--:|---|"
    for row in rows:
        origin = f"{{claim}}`{row['theorem']}`" if row["theorem"] in known else cell(row["theorem"])
        predicted = "" if row["predicted"] is None else f"`{row['relation']}` {row['predicted']:.4g}"
        interval = "" if row["low"] == row["high"] else f" [{row['low']:.4g}, {row['high']:.4g}]"
        bound = "" if row["bound_over_measured"] is None else f"{row['bound_over_measured']:.3g}"
        numbers = (
            f"{row['alpha']:g} | {row['beta1']:g} | {origin} | {predicted} | {row['measured']:.4g}{interval} | {bound}"
        )
        verdict = f"{row['verdict']}, follows from another row" if row.get("derived") else row["verdict"]
        yield f"| {cell(_line(row))} | {numbers} | {verdict} |"


def _throughput() -> str:
    """How much faster the compiled runner is than a loop over the optimizers."""
    stored = read(FOLDER / "throughput.json")
    return (
        f"All seeds run in one compiled loop: with {stored['seeds']} seeds it makes at least {stored['at_least']:.0f} "
        f"times as many {stored['unit']} as a loop over the package's optimizers, timed beside it."
    )
