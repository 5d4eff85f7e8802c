"""Pages made from ``results/`` before the build starts: figures, rates, worst cases, experiments. No number is typed.

They are written to ``docs/generated/``, whose Markdown files are read like any other page.
"""

import json
import shutil
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx
from sphinx.util import logging

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
    if source.is_dir():
        shutil.copytree(source, folder / "figures", ignore=shutil.ignore_patterns("*.md"))
    yield "figures/index.md", gallery.page(figures.ALL, source)


def _rates() -> Iterator[tuple[str, str]]:
    """One table a study: each measured number beside its prediction."""
    studies = [json.loads(path.read_text()) for path in sorted((RESULTS / "rates").glob("*.json"))]
    studies = [study for study in studies if "rows" in study]
    if not studies:
        _missing("results/rates/*.json", "python -m theory rates --full")
    lines = [
        "# Rates: measured beside predicted",
        "",
        "Each number was compared with a prediction that was fixed before the run. “bound / measured” is the smallest",
        "quotient along the curve: a proved bound never goes below 1.",
    ]
    for study in studies:
        machine = study["provenance"]
        seeds = f"{len(study['seeds'])} seeds" if study["seeds"] else "no randomness"
        lines += [
            "",
            f"## {study['study']}",
            "",
            f"{study['title']} Mode {study['mode']}, {seeds}, {study['wall_s']:.0f} s on {machine['cpu']}.",
        ]
        for quantity, rows in groupby(study["rows"], key=lambda row: (row["objective"], row["quantity"])):
            lines += ["", f"### {quantity[0]}: {quantity[1]}", "", *_rate_rows(list(rows))]
    yield "rates.md", "\n".join(lines) + "\n"


def _rate_rows(rows: list[dict[str, Any]]) -> list[str]:
    lines = [
        "| method | α | β₁ | theorem | predicted | measured [95 %] | bound / measured | verdict |",
        "|---|--:|--:|---|--:|--:|--:|---|",
    ]
    for row in rows:
        method = f"{row['method']} {row['variant']}".strip()
        predicted = "" if row["predicted"] is None else f"{row['relation']} {row['predicted']:.4g}"
        measured = f"{row['measured']:.4g}" + (
            "" if row["low"] == row["high"] else f" [{row['low']:.4g}, {row['high']:.4g}]"
        )
        bound = "" if row["bound_over_measured"] is None else f"{row['bound_over_measured']:.3g}"
        cells = (method, f"{row['alpha']:g}", f"{row['beta1']:g}", row["theorem"], predicted, measured, bound)
        lines.append("| " + " | ".join(cell.replace("|", r"\|") for cell in (*cells, row["verdict"])) + " |")
    return lines


def _worst_cases() -> Iterator[tuple[str, str]]:
    """The certificates that exact arithmetic accepts, and the numerical worst cases beside the closed forms."""
    from theory.worst_case import settled, store

    stored = store.COMMITTED / "rows.json"
    if not stored.is_file():
        _missing("results/worst-case/rows.json", "python -m theory worst-case --full --out results/worst-case")
        return
    lines = [
        "# Worst cases",
        "",
        "What can happen at worst after N steps, over all functions of a class: estimated by semidefinite programs",
        "(numerical, no proof), and for small cases certified: the dual is rounded and checked in exact arithmetic",
        "(a proof for that setting).",
        "",
        "## Certificates",
        "",
        "| setting | exact check |",
        "|---|---|",
    ]
    for name, refusal in settled.refusals(store.COMMITTED):
        if refusal:
            logger.warning("the certificate %s is refused: %s", name, refusal)
        lines.append(f"| {name} | {refusal or 'accepted'} |")
    yield "worst-case.md", "\n".join(lines) + "\n"


def _experiments(folder: Path) -> Iterator[tuple[str, str]]:
    """One page an experiment that is kept, and the answers drawn from them."""
    from experiments import render, summary
    from experiments.errors import DataError

    kept = sorted((RESULTS / "experiments").glob("*.json"))
    if not kept:
        _missing("results/experiments/*.json", "python -m experiments report digits --results results")
    for path in kept:
        try:
            yield f"experiments/{path.stem}.md", render.markdown(summary.read(path))
        except DataError as error:
            logger.warning("%s", error)
    answers = RESULTS / "README.md"
    if answers.is_file():
        (folder / "experiments").mkdir(parents=True, exist_ok=True)
        yield "experiments/answers.md", answers.read_text()
    else:
        _missing("results/README.md", "python -m experiments answers")


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect to Sphinx."""
    app.connect("builder-inited", write_pages)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
