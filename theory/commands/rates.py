"""``python -m theory rates``: measured convergence rates beside the predicted ones."""

import argparse
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from theory.commands.shared import errors

STUDIES = ("convex", "linear", "floor", "regret", "nonconvex", "batch", "pl")
OUT = Path("runs") / "theory" / "rates"
WIDTH = 160
"""Columns to print where the output is no terminal: the tables do not fit into the usual 80."""


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Tell the command line of this command."""
    parser = commands.add_parser(
        "rates", help="measure convergence rates beside their predictions; exit code 1 if a proved bound is exceeded"
    )
    parser.add_argument("--only", nargs="+", choices=STUDIES, default=list(STUDIES), metavar="NAME",
                        help=f"only these studies: {', '.join(STUDIES)}")  # fmt: skip
    parser.add_argument("--full", action="store_true", help="long runs and the whole grid of alpha; resumes")
    parser.add_argument("--out", type=Path, default=OUT, metavar="DIR", help=f"where results go ({OUT})")
    parser.add_argument("--every", action="store_true", help="print a line a setting")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Run, store and print; exit code 1 if a proved bound was below what it bounds, 2 if DIR is not writable."""
    from theory.rates import report, store, throughput
    from theory.rates.records import Verdict
    from theory.rates.studies import ALL

    try:
        options.out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        errors.print(f"--out {options.out}: {error.strerror}", highlight=False)
        return 2
    studies: list[dict[str, Any]] = []
    with Progress(
        SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed}/{task.total}"),
        TimeElapsedColumn(), TextColumn("{task.fields[updates]}"), console=errors, transient=True,
    ) as progress:  # fmt: skip
        chosen = [ALL[name] for name in STUDIES if name in options.only]
        task = progress.add_task("", total=len(chosen) + 1, updates="")
        updates = 0

        def done(count: int) -> None:
            nonlocal updates
            updates += count
            progress.update(task, updates=f"{updates / 1e6:,.0f} M coordinate updates")

        def starting(name: str) -> None:
            progress.update(task, description=name)

        for study in chosen:
            studies.append(store.run_study(study, options.out, full=options.full, done=done, starting=starting))
            progress.advance(task)
        starting("throughput")
        speed = throughput.compare()
        store.write_json(options.out / "throughput.json", speed)
    store.write_parquet(studies, options.out)
    console = Console()
    console = console if console.is_terminal else Console(width=WIDTH)
    for study in studies:
        console.print(report.study_table(study, every=options.every))
    console.print(report.throughput_table(speed))
    console.print(report.summary(studies), highlight=False)
    broken = [row for study in studies for row in study["rows"] if row["verdict"] == Verdict.VIOLATED]
    for row in broken:
        errors.print(f"[red]bound violated[/] {row['id']}: {row['bound_over_measured']:.4g}", highlight=False)
    return 1 if broken else 0
