"""Trained networks as LaTeX tables: what each experiment found, and what the questions to them were answered."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from theory.ledger import Entry
from theory.tex.book import Book
from theory.tex.escape import fixed, interval, long_table, number, plain, statement, words
from theory.tex.results import StaleError, read


def add_experiments(book: Book, results: Path) -> None:
    """A table of means and one of differences an experiment, in one file, and each number by key.

    Raises:
        StaleError: there is none, or one has unfinished runs.
    """
    remedy = "python -m experiments run NAME, then report NAME --results results"
    paths = sorted((results / "experiments").glob("*.json"))
    if not paths:
        raise StaleError(f"{results / 'experiments'} is empty: {remedy}")
    parts = []
    for path in paths:
        report = read(path, remedy)["report"]
        if not report["complete"]:
            raise StaleError(f"{path} has unfinished runs: {remedy}")
        parts.append(_experiment(book, report, path.stem))
    book.file("experiments", "\n".join(parts))


def _experiment(book: Book, report: Mapping[str, Any], name: str) -> str:
    differences = {(entry["setting"], entry["label"]): entry for entry in report["differences"]}
    lines, before = [], ""
    for entry in report["summaries"]:
        setting, label, test = entry["setting"], entry["label"], entry["test"]
        key = f"{name}/{setting}/{label}"
        lead = differences.get((setting, label))
        mean = fixed(test["mean"]) if test else "--"
        if test:
            book.value(f"{key}/mean", mean)
        if lead and lead["difference"]:
            book.value(f"{key}/lead", f"{fixed(lead['difference']['mean'], sign=True)} {interval(lead['difference'])}")
        edge = "*" if entry["at_edge"] else ""
        lines.append([
            words(setting) if setting != before else "", words(label), f"{plain(entry['lr'])}{edge}",
            mean, interval(test) if test else "",
            f"{test['n'] if test else 0} of {entry['planned']}",
            fixed(lead["difference"]["mean"], sign=True) if lead and lead["difference"] else "",
            interval(lead["difference"]) if lead and lead["difference"] else "",
        ])  # fmt: skip
        before = setting
    caption = f"{statement(report['title'])} ({report['tier']} tier): test {report['metric']}"
    head = ["setting", "optimizer", "lr", "mean", r"95\,\%", "seeds", f"minus {words(report['baseline'])}", r"95\,\%"]
    return long_table((0.18, 0.18, "r", "r", "l", "l", "r", "l"), head, lines, caption)


def add_questions(book: Book, ledger: Sequence[Entry], results: Path) -> None:
    """What our small networks were asked, and the answers: a line a claim, its estimate from results/evidence."""
    rows = []
    for entry in ledger:
        if not entry.claim.source.startswith("ours; laptop tier"):
            continue
        path = results / "evidence" / f"{entry.claim.id}.json"
        stored = json.loads(path.read_text()) if path.exists() else None
        estimate = "--" if stored is None else f"{number(stored['estimate'], 3)} {interval(stored, 3)}"
        rows.append([
            rf"\claimref{{{entry.claim.id}}}", statement(entry.claim.statement), estimate,
            rf"\verdict{{{entry.claim.id}}}",
        ])  # fmt: skip
    head = ["claim", "what it says", r"estimate, 95\,\%", "verdict"]
    caption = r"The questions to small networks, and their answers.\label{tab:questions}"
    book.file("questions", long_table((0.26, 0.42, 0.18, 0.14), head, rows, caption))
