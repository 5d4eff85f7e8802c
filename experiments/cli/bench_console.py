"""Console text of the benchmarks: progress on stderr, tables or one JSON object on stdout."""

import contextlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

_out = Console()
_err = Console(stderr=True)


@contextlib.contextmanager
def progress(title: str, turns: int) -> Iterator[Callable[[str], None]]:
    """Show how far a measurement is.

    Args:
        title: What is measured.
        turns: How many turns there will be.

    Yields:
        To be called with the title of the case after each turn.
    """
    if not _err.is_terminal:
        said: set[str] = set()

        def say(case: str) -> None:
            if case not in said:
                _err.print(f"{title}: {case}", highlight=False)
            said.add(case)

        yield say
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=_err, transient=True, refresh_per_second=2) as bar:  # it steals time from a core
        task = bar.add_task(title, total=turns)
        yield lambda case: bar.update(task, advance=1, description=f"{title}: {case}")


def show_host(report: dict[str, Any]) -> None:
    """Print the CPU time of the kinds of steps of the GPU engine."""
    title = f"{report['tensors']} tensors of a few elements: milliseconds of CPU time per step, launches replaced"
    table = Table(title=title, title_justify="left", box=box.SIMPLE, padding=(0, 1, 0, 0))
    table.add_column("step")
    for name in ("median", "quartiles", "least"):
        table.add_column(name, justify="right")
    for case in report["cases"]:
        found = case["milliseconds"]
        spread = f"{found['low']:.2f} to {found['high']:.2f}"
        table.add_row(case["title"], f"{found['median']:.2f}", spread, f"{case['least']:.2f}")
    _out.print(table)
    load = report["load_average"]
    _out.print(
        f"{report['hardware']['name']}, 1 thread, torch {report['versions']['torch']}, {report['rounds']} rounds; load "
        f"average {load['before']:.1f} before, {load['after']:.1f} after (this run included)",
        highlight=False,
        soft_wrap=True,
    )


def show_json(report: dict[str, Any]) -> None:
    """Print the report as one JSON object."""
    _out.file.write(json.dumps(report, indent=1) + "\n")


def show(report: dict[str, Any]) -> None:
    """Print a report's tables, how they were measured, and what was skipped."""
    for case in report["cases"]:
        title = f"{case['title']}: {case['parameters']:,} parameters in {case['tensors']} tensors"
        table = Table(title=title, title_justify="left", box=box.SIMPLE, padding=(0, 1, 0, 0))
        (_times if report["rounds"] else _weights)(table, case["contestants"])
        _out.print(table)
        if case.get("floor"):
            _out.print(_floor_words(case), highlight=False, soft_wrap=True)
    for skipped in report["skipped"]:
        _out.print(f"skipped: {skipped['title']}: {skipped['reason']}", highlight=False, markup=False, soft_wrap=True)
    if first := report["first_step_seconds"]:
        _out.print(
            f"ALTO fused, first step of a process: {first['compiled']:.1f} s compiling, {first['cached']:.1f} s with "
            f"kernels from the disk, of which {first['torch']:.1f} s are torch's, at the first optimizer of any kind",
            highlight=False,
            soft_wrap=True,
        )
    machine, load = report["hardware"], report["load_average"]
    rounds = f", {report['rounds']} rounds, median and quartiles" if report["rounds"] else ""
    _out.print(
        f"{machine['name']}, {report['threads']} threads, torch {report['versions']['torch']}, float32{rounds}; load "
        f"average {load['before']:.1f} before, {load['after']:.1f} after (this run included)",
        highlight=False,
        soft_wrap=True,
    )


def show_files(files: list[Path]) -> None:
    """Print what was written; on stderr, for stdout may be JSON alone."""
    for file in files:
        _err.print(f"wrote {file}", highlight=False, soft_wrap=True)


def _times(table: Table, rows: list[dict[str, Any]]) -> None:
    table.add_column("contestant", no_wrap=True)
    for heading in ("ms", "quartiles", "x AdamW\nfused", "x floor", "bytes per\nparameter"):
        table.add_column(heading, justify="right", no_wrap=True)
    for row in rows:
        spread = row["milliseconds"]
        table.add_row(
            row["title"],
            _digits(spread["median"]),
            f"{_digits(spread['low'])} to {_digits(spread['high'])}",
            *(_digits(row[key]["median"]) if row[key] else "" for key in ("times_adamw_fused", "times_floor")),
            str(row["bytes_a_parameter"]),
        )


def _weights(table: Table, rows: list[dict[str, Any]]) -> None:
    table.add_column("contestant", no_wrap=True)
    for heading in ("kept, bytes\nper parameter", "of it in a\ncheckpoint", "more at the\npeak of a step"):
        table.add_column(heading, justify="right")
    for row in rows:
        numbers = (row[f"{kind}_bytes_a_parameter"] for kind in ("held", "saved", "transient"))
        table.add_row(row["title"], *(f"{number:.2f}" for number in numbers))


def _floor_words(case: dict[str, Any]) -> str:
    speeds = ", ".join(f"{name} {found['median']:.3g} GB/s" for name, found in case["bandwidth_gb_s"].items())
    return f"floor: a method's bytes at the better of {speeds}"


def _digits(number: float) -> str:
    """Three significant digits, never in powers of ten."""
    return f"{number:.0f}" if number >= 100 else f"{number:#.3g}" if number >= 0.1 else f"{number:.4f}"
