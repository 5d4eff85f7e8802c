"""Pages made from ``results/`` before the build starts: figures, rates, worst cases, experiments. No number is typed.

They are written to ``docs/generated/``, whose Markdown files are read like any other page.
"""

import json
import re
import shutil
from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx
from sphinx.util import logging

from docs.extensions.ledger_data import ledger

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "results"

logger = logging.getLogger(__name__)


def write_pages(app: Sphinx) -> None:
    """Write all generated pages afresh."""
    folder = Path(app.srcdir) / "generated"
    shutil.rmtree(folder, ignore_errors=True)
    for name, text in (*_figures(folder), *_rates(), *_worst_cases(), *_experiments(folder)):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def _missing(what: str, command: str) -> None:
    logger.warning("%s is missing: run `%s`", what, command)


def _figures(folder: Path) -> Iterator[tuple[str, str]]:
    """The gallery of the theory's figures, with the files that it shows."""
    from theory import figures
    from theory.figures import gallery

    source = RESULTS / "figures"
    for name in figures.ALL:
        if not (source / f"{name}.png").is_file():
            _missing(f"results/figures/{name}.png", f"python -m theory figures {name}")
    for name in gallery.stale(figures.ALL, source, RESULTS):
        logger.warning("results/figures/%s was drawn from other data: run `python -m theory figures %s`", name, name)
    if source.is_dir():
        shutil.copytree(source, folder / "figures", ignore=shutil.ignore_patterns("*.md"))
    yield "figures/index.md", gallery.page(figures.ALL, source)


def _rates() -> Iterator[tuple[str, str]]:
    """A heading a study, a table a quantity: each measured number beside its prediction."""
    studies = [json.loads(path.read_text()) for path in sorted((RESULTS / "rates").glob("*.json"))]
    studies = [study for study in studies if "rows" in study]
    if not studies:
        _missing("results/rates/*.json", "python -m theory rates --full --out results/rates")
    lines = [
        "# Rates: measured beside predicted",
        "",
        "Every number stands beside a prediction that was fixed before the kept run, as was the tolerance that widens",
        "its 95 % interval; what trials with other seeds changed before it is said in the source of `theory.rates`.",
        "“Bound / measured” is the smallest quotient along a curve: a proved bound never goes below 1.",
        "`=` is what theory says exactly, `<=` at most, `~` a heuristic.",
        *_throughput(),
    ]
    for study in studies:
        machine = study["provenance"]
        seeds = f"{len(study['seeds'])} seeds" if study["seeds"] else "no randomness"
        words = f"{study['title']} ({study['mode']}, {seeds}, {study['wall_s']:.0f} s on {machine['cpu']})"
        lines += ["", f"## {study['study']}", "", f"{_cell(words[0].upper() + words[1:])}."]
        rows = sorted(study["rows"], key=lambda row: row["quantity"])
        for quantity, members in groupby(rows, key=lambda row: row["quantity"]):
            lines += ["", f"### {_cell(quantity)}", "", *_rate_rows(members)]
    lines += ["", "## Values that were corrected", "", *_corrected()]
    yield "rates.md", "\n".join(lines) + "\n"


def _throughput() -> Iterator[str]:
    """How much faster the compiled runner is than a loop over the optimizers."""
    path = RESULTS / "rates" / "throughput.json"
    if not path.is_file():
        _missing("results/rates/throughput.json", "python -m theory rates --full --out results/rates")
        return
    stored = json.loads(path.read_text())
    yield ""
    yield (
        f"The runs hold all seeds in one compiled loop. With {stored['seeds']} seeds it makes at least "
        f"{stored['at_least']:.0f} times as many {stored['unit']} as a loop over the package's optimizers; the two are "
        "timed beside each other."
    )


def _corrected() -> Iterator[str]:
    """The numbers that were worked out beside the derivation, and were wrong there."""
    from theory import regressions

    mended = [check for check in regressions.ALL if check.mended]
    yield f"`python -m theory stability` computes {len(regressions.ALL)} groups of values again that were once worked"
    yield f"out beside the derivation, by other code. {len(mended)} held a wrong one:"
    yield ""
    for check in mended:
        yield f"- {check.id}, {_cell(check.title)}: {_cell(check.mended or '')}."


def _rate_rows(rows: Iterable[dict[str, Any]]) -> Iterator[str]:
    known = {claim["id"] for claim in ledger().claims}
    yield "| objective, method | α | β₁ | from | predicted | measured [95 %] | bound / measured | verdict |"
    yield "|---|--:|--:|---|--:|--:|--:|---|"
    for row in rows:
        who = ", ".join(row[key] for key in ("objective", "method", "variant") if row[key])
        origin = f"{{claim}}`{row['theorem']}`" if row["theorem"] in known else _cell(row["theorem"])
        predicted = "" if row["predicted"] is None else f"`{row['relation']}` {row['predicted']:.4g}"
        interval = "" if row["low"] == row["high"] else f" [{row['low']:.4g}, {row['high']:.4g}]"
        bound = "" if row["bound_over_measured"] is None else f"{row['bound_over_measured']:.3g}"
        numbers = (
            f"{row['alpha']:g} | {row['beta1']:g} | {origin} | {predicted} | {row['measured']:.4g}{interval} | {bound}"
        )
        verdict = f"{row['verdict']}, follows from another row" if row.get("derived") else row["verdict"]
        yield f"| {_cell(who)} | {numbers} | {verdict} |"


def _cell(text: str) -> str:
    """Plain text as a Markdown table wants it."""
    return re.sub(r"([|*_<\[\]\\^])", r"\\\1", text)


def _worst_cases() -> Iterator[tuple[str, str]]:
    """What exact arithmetic accepts, and the numerical optima beside the closed forms."""
    from theory.worst_case import settled, store

    if not (store.COMMITTED / "summary.json").is_file():
        _missing("results/worst-case/summary.json", "python -m theory worst-case --full --out results/worst-case")
        return
    summary = json.loads((store.COMMITTED / "summary.json").read_text())
    tuned = json.loads((store.COMMITTED / "rows.json").read_text())["tuned"]
    lines = [
        "# Worst cases",
        "",
        "What can happen at worst after $N$ steps, over all functions of a class. Semidefinite programs estimate it",
        "(numerical, no proof); for small cases the dual is rounded and checked in exact arithmetic (a proof for that",
        "setting).",
        "",
        "## Where the closed forms hold",
        "",
        f"Step $1/L$, no momentum. {summary['residuals'][:1].upper()}{summary['residuals'][1:]}.",
        "",
        "| class | N | β₁ | holds to 1e-4 at c = | fails at c (closed form / optimum - 1) |",
        "|---|--:|--:|---|---|",
    ]
    for entry in summary["closed_forms"]:
        fails = ", ".join(f"{c} ({relative:+.2%})" for c, relative in entry["fails"].items())
        holds = ", ".join(f"{c:g}" for c in entry["holds"])
        lines.append(f"| {entry['problem']} | {entry['N']} | {entry['beta1']:g} | {holds} | {fails} |")
    lines += ["", "## The best step", "", "Smooth convex, the step tuned for each setting; numerical.", ""]
    lines += ["| N | c | β₁ | step × L | worst case |", "|--:|--:|--:|--:|--:|"]
    for row in sorted(tuned, key=lambda row: (row["N"], row["worst_case"])):
        lines.append(f"| {row['N']} | {row['c']:g} | {row['beta1']:g} | {row['eta']:.4g} | {row['worst_case']:.5g} |")
    lines += ["", "## Certificates", "", "Checked again in exact arithmetic when this page was built.", ""]
    lines += ["| setting | exact check |", "|---|---|"]
    for name, refusal in settled.refusals(store.COMMITTED):
        if refusal:
            logger.warning("the certificate %s is refused: %s", name, refusal)
        lines.append(f"| {_cell(name)} | {refusal or 'accepted'} |")
    yield "worst-case.md", "\n".join(lines) + "\n"


def _experiments(folder: Path) -> Iterator[tuple[str, str]]:
    """One page an experiment that is kept, with its figures, and the answers drawn from them; laid out as results/."""
    from experiments.analysis import kept
    from experiments.io.errors import DataError
    from experiments.report import tables

    found = sorted((RESULTS / "experiments").glob("*.json"))
    if not found:
        _missing("results/experiments/*.json", "python -m experiments report digits --results results")
    for path in found:
        try:
            kept = kept.read(path)
        except DataError as error:
            logger.warning("%s", error)
            continue
        name, tier = kept.report.name, kept.report.tier
        place = f"experiments/{name}" if tier == "laptop" else f"experiments/{name}-{tier}"
        pictures = sorted((RESULTS / name).glob("*.png")) if tier == "laptop" else []
        (folder / place).mkdir(parents=True, exist_ok=True)
        for picture in pictures:
            shutil.copy(picture, folder / place)
        shown = [f"![{picture.stem}, {kept.report.title}]({picture.name})" for picture in pictures]
        figures = ["## Figures", *shown] if shown else []
        yield f"{place}/report.md", "\n\n".join([tables.markdown(kept), *figures])
    answers = RESULTS / "README.md"
    if answers.is_file():
        yield "experiments/report/answers.md", answers.read_text().replace("# Results", "# Answers", 1)
    else:
        _missing("results/README.md", "python -m experiments answers")


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect to Sphinx."""
    app.connect("builder-inited", write_pages)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
