"""``python -m theory rates``: measured convergence rates beside the predicted ones."""

import argparse
import time
from pathlib import Path
from typing import TYPE_CHECKING

from theory.commands import rates_measured

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress

    from theory.rates.records import Cell

STUDIES = ("convex", "linear", "floor", "regret", "nonconvex", "batch", "pl")
OUT = Path("runs") / "theory" / "rates"
"""The default folder holds one of each mode."""
WIDTH = 160
"""Columns to print where the output is no terminal: the tables do not fit into the usual 80."""


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Describe this command to the command line."""
    parser = commands.add_parser(
        "rates", help="measure convergence rates beside their predictions; exit code 1 if a proved bound is exceeded"
    )
    parser.add_argument("--only", nargs="+", action="extend", choices=STUDIES, default=[], metavar="NAME",
                        help=f"only these studies: {', '.join(STUDIES)}")  # fmt: skip
    parser.add_argument("--objective", metavar="NAME",
                        help="instead of the studies: one objective of theory/objectives with its own noise, with "
                             "E and without (a wrong name lists them); with --optimizer also a function, as "
                             "FILE.py:NAME")  # fmt: skip
    parser.add_argument(
        "--full",
        action="store_true",
        help="long runs (half an hour), for the studies with the whole grid of alpha, for --optimizer T up to 100,000 "
        "with 32 seeds; continues an earlier run",
    )
    parser.add_argument("--out", type=Path, metavar="DIR",
                        help=f"where results go ({OUT / 'quick'}, or {OUT / 'full'} with --full)")  # fmt: skip
    parser.add_argument("--every", action="store_true", help="print one line per setting")
    rates_measured.add(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Run, store and print.

    Exit code 1 if a proved bound was below what it bounds, 2 if DIR is not writable or holds a full run that a quick
    one would replace, or the objective is none that can be measured.
    """
    from theory.commands.shared import errors

    one = rates_measured.wanted(options) or options.objective is not None
    unread = [word for word in ("--only", "--every") if one and getattr(options, word[2:])]
    kept = options.full or not rates_measured.wanted(options)  # with --full, a rate of your own keeps its runs there
    unread += ["--out"] if options.out is not None and not kept else []
    if unread:  # it would be dropped in silence
        errors.print(f"{', '.join(unread)}: left out where one optimizer or objective is measured")
        return 2
    try:
        if rates_measured.wanted(options):
            return rates_measured.run(options)
        return _own(options) if options.objective is not None else _studies(options)
    except KeyboardInterrupt:
        kept = (
            "finished parts are kept, and the same command continues" if options.full else "a short run keeps nothing"
        )
        errors.print(f"stopped; {kept}", highlight=False)
        return 130


def _studies(options: argparse.Namespace) -> int:
    """Run, store and print the studies."""
    from theory.commands.shared import errors
    from theory.ledger import files, provenance
    from theory.rates import cells, report, throughput
    from theory.rates.records import Verdict
    from theory.rates.studies import ALL

    mode = "full" if options.full else "quick"
    out = options.out or OUT / mode
    files.ready(out / "throughput.json", *([cells.CELLS / "x.json"] if options.full else []))
    kept = [study["study"] for study in cells.stored_studies(out, STUDIES) if study["mode"] == "full"]
    if not options.full and kept:
        errors.print(f"--out {out} holds the full run of {', '.join(kept)}: add --full, or choose another folder",
                     highlight=False)  # fmt: skip
        return 2
    begin = time.perf_counter()
    chosen = [ALL[name] for name in STUDIES if name in (options.only or STUDIES)]
    code = {study.NAME: cells.code_of(study.NAME) for study in chosen}  # read before it runs
    with _bar() as progress:
        task = progress.add_task("", total=sum(cell.work for s in chosen for cell in s.cells(options.full)), updates="")
        updates = before = 0

        def done(count: int) -> None:
            nonlocal updates
            updates += count
            progress.update(task, advance=count, updates=f"{updates / 1e6:,.0f} M coordinate updates")

        def finished(cell: "Cell") -> None:
            nonlocal before
            before += cell.work  # what a cell was to do is an estimate: set the bar right
            progress.update(task, completed=before)

        def starting(name: str) -> None:
            progress.update(task, description=name)

        report_to = {"done": done, "starting": starting, "finished": finished}
        studies = [
            cells.run_study(study, out, full=options.full, code=code[study.NAME], **report_to) for study in chosen
        ]
        starting("throughput")
        speed = throughput.compare()
        cells.write_json(out / "throughput.json", speed)
    cells.write_parquet(cells.stored_studies(out, STUDIES), out)
    if len(chosen) == len(STUDIES):  # what a part of them takes is in their own files
        cells.write_json(out / f"run-{mode}.json", {
            "mode": mode, "studies": list(STUDIES), "wall_s": round(time.perf_counter() - begin, 1),
            "cells_s": round(sum(study["wall_s"] for study in studies), 1), "cpu_s": round(time.process_time(), 1),
            "provenance": provenance.record(provenance.code("theory.rates.cells"), cells.TOOLS),
        })  # fmt: skip
    console = _console()
    for study in studies:
        console.print(report.study_table(study, every=options.every))
    console.print(report.throughput_table(speed))
    console.print(report.summary(studies), highlight=False)
    broken = [row for study in studies for row in study["rows"] if row["verdict"] == Verdict.VIOLATED]
    for row in broken:
        errors.print(f"bound violated: {row['id']}: {row['bound_over_measured']:.4g}", highlight=False)
    return 1 if broken else 0


def _own(options: argparse.Namespace) -> int:
    """Measure one objective; exit code 1 if a proved bound was below what it bounds, 2 if it cannot be measured."""
    from theory import objectives
    from theory.commands.shared import errors
    from theory.ledger import files, provenance
    from theory.rates import cells, one_objective
    from theory.rates.records import Verdict

    name, mode = options.objective, "full" if options.full else "quick"
    out, code = options.out or OUT / mode, provenance.code("theory.rates.one_objective", "theory.objectives")
    try:
        study = one_objective.ObjectiveStudy(name, objectives.make(name))
        files.ready(out / f"{study.NAME}.json")
        kept = cells.stored_studies(out, [study.NAME])
        if kept and kept[0]["mode"] == "full" and not options.full:
            raise ValueError(f"--out {out} holds a full run of {name}: add --full, or choose another folder")
        parts = study.cells(options.full)
        with rates_measured.progress(name, sum(cell.work for cell in parts)) as show:
            updates = 0

            def done(count: int) -> None:
                nonlocal updates
                updates += count
                show(updates)

            result = cells.run_study(study, out, full=options.full, code=code, done=done)
    except ValueError as error:
        errors.print(str(error), highlight=False, markup=False, soft_wrap=True)
        return 2
    _console().print("\n".join(one_objective.lines(result)), highlight=False, soft_wrap=True, markup=False)
    return 1 if any(row["verdict"] == Verdict.VIOLATED for row in result["rows"]) else 0


def _bar() -> "Progress":
    from rich.progress import BarColumn, Progress, SpinnerColumn, TaskProgressColumn, TextColumn, TimeElapsedColumn

    from theory.commands.shared import errors

    return Progress(
        SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(),
        TimeElapsedColumn(), TextColumn("{task.fields[updates]}"), console=errors, transient=True,
    )  # fmt: skip


def _console() -> "Console":
    from rich.console import Console

    console = Console()
    return console if console.is_terminal else Console(width=WIDTH)
