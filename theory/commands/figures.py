"""``python -m theory figures``: the theory's figures, from stored studies or from fresh ones."""

import argparse
from pathlib import Path

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from theory.commands.shared import errors
from theory.ledger.evidence import QUICK, THOROUGH

ROOT = Path(__file__).resolve().parents[2]
OUT = ROOT / "results" / "figures"


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Tell the command line of this command."""
    parser = commands.add_parser("figures", help="draw the theory's figures as PDF and PNG, and a page of them")
    parser.add_argument("names", nargs="*", metavar="NAME", help="only these figures; all by default")
    parser.add_argument("--list", action="store_true", help="list the figures and what to see in each, draw nothing")
    parser.add_argument(
        "--out", type=Path, metavar="DIR", help="default results/figures, with --fresh runs/theory/figures"
    )
    parser.add_argument(
        "--fresh", action="store_true",
        help="compute the studies first, into runs/theory/studies; those that this source has there are kept",
    )  # fmt: skip
    parser.add_argument("--thorough", action="store_true", help="with --fresh: longer runs and more seeds")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Draw; exit code 1 if a figure's data are missing, 2 if a name is unknown or options do not fit together."""
    from theory import figures
    from theory.figures import gallery
    from theory.studies import store

    unknown = [name for name in options.names if name not in figures.ALL]
    if unknown:
        errors.print(f"unknown figure {', '.join(unknown)}; known: {', '.join(figures.ALL)}", highlight=False)
        return 2
    if options.thorough and not options.fresh:
        errors.print("--thorough needs --fresh: stored studies are drawn as they are")
        return 2
    chosen = {name: figures.ALL[name] for name in options.names or figures.ALL}
    if options.list:
        table = Table("figure", "reads", "what you should see", title="Figures", title_justify="left")
        for name, drawing in chosen.items():
            table.add_row(name, "\n".join(drawing.STUDIES), drawing.SEE)
        Console().print(table)
        return 0
    out = options.out or (ROOT / "runs" / "theory" / "figures" if options.fresh else OUT)
    missing = 0
    with Progress(
        SpinnerColumn(), TextColumn("{task.completed}/{task.total} {task.description}"), TimeElapsedColumn(),
        console=errors, transient=True,
    ) as progress:  # fmt: skip
        task = progress.add_task("", total=len(chosen))
        for name, drawing in chosen.items():
            progress.update(task, description=name)
            try:
                data = {study: _data(study, options) for study in drawing.STUDIES}
            except FileNotFoundError as error:
                errors.print(f"[red]{name}[/] not drawn: {error}", highlight=False)
                missing += 1
            else:
                gallery.write(name, drawing, data, out)
                gallery.note(name, data, out)
            progress.advance(task)
    store.write(out / "README.md", gallery.page(figures.ALL, out))
    Console().print(f"{len(chosen) - missing} figures in {out}, listed in {out / 'README.md'}", highlight=False)
    return 1 if missing else 0


def _data(study: str, options: argparse.Namespace) -> dict:
    """A study's data: computed if they are to be fresh, else stored; results of other commands are always read."""
    from theory import studies
    from theory.studies import store

    if options.fresh and study in studies.ALL:
        return store.run(study, studies.ALL[study], THOROUGH if options.thorough else QUICK)
    return store.load(study)
