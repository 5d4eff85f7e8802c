"""``python -m theory figures``: the theory's figures, from stored studies or from fresh ones."""

import argparse
from pathlib import Path
from typing import Any

from theory.ledger.provenance import Code

OUT = Path(__file__).resolve().parents[2] / "results" / "figures"
FRESH_OUT = OUT.parents[1] / "runs" / "theory" / "figures"


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Describe this command to the command line."""
    parser = commands.add_parser("figures", help="draw the theory's figures as PDF and PNG, and a page of them")
    parser.add_argument("names", nargs="*", metavar="NAME", help="only these figures; all by default")
    parser.add_argument("--list", action="store_true", help="list the figures and what to see in each, draw nothing")
    parser.add_argument(
        "--out", type=Path, metavar="DIR",
        help="where the pictures go: by default results/figures, and runs/theory/figures with --fresh",
    )  # fmt: skip
    parser.add_argument(
        "--fresh", action="store_true",
        help="first compute the studies; those that are there for the same code are kept, so that a run continues",
    )  # fmt: skip
    parser.add_argument("--thorough", action="store_true", help="with --fresh: longer runs and more seeds (20 minutes)")
    parser.add_argument("--studies", type=Path, metavar="DIR",
                        help="with --fresh: where the studies go (default: runs/theory/studies)")  # fmt: skip
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Draw; exit code 1 if a figure's data are missing, 2 if a name is unknown or options do not fit together."""
    from theory import figures
    from theory.commands.shared import errors

    unknown = [name for name in options.names if name not in figures.ALL]
    if unknown:
        errors.print(f"unknown figure {', '.join(unknown)}; known: {', '.join(figures.ALL)}", highlight=False)
        return 2
    if not options.fresh and (options.thorough or options.studies):
        wrong = "--thorough" if options.thorough else "--studies"
        errors.print(f"{wrong} needs --fresh: without it stored studies are drawn as they are", highlight=False)
        return 2
    names = options.names or list(figures.ALL)
    if options.list:
        return _list(names)
    try:
        return _draw(names, options)
    except KeyboardInterrupt:
        errors.print("stopped; the figures and studies that were finished are kept, and the same command continues",
                     highlight=False)  # fmt: skip
        return 130


def _list(names: list[str]) -> int:
    from rich.console import Console
    from rich.table import Table

    from theory.figures import gallery

    table = Table("figure", "reads", "what you should see", title="Figures", title_justify="left")
    for name in names:
        about = gallery.about(name)
        table.add_row(name, "\n".join(about.STUDIES), about.SEE)
    Console().print(table)
    return 0


def _draw(names: list[str], options: argparse.Namespace) -> int:
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    from theory import studies
    from theory.commands.shared import errors
    from theory.figures import gallery
    from theory.ledger.files import write
    from theory.studies import store

    out = options.out or (FRESH_OUT if options.fresh else OUT)
    reads = {name: gallery.about(name).STUDIES for name in names}
    wanted = dict.fromkeys(study for name in names for study in reads[name])
    # read before anything runs: what is edited while it runs is not what ran
    code = {study: store.code_of(study) for study in wanted if options.fresh and study in studies.ALL}
    missing = 0
    with Progress(
        SpinnerColumn(), TextColumn("{task.completed}/{task.total} {task.description}"), TimeElapsedColumn(),
        console=errors, transient=True,
    ) as progress:  # fmt: skip
        task = progress.add_task("", total=len(names))
        for name in names:
            progress.update(task, description=name)
            try:
                data = {study: _data(study, code.get(study), options) for study in reads[name]}
            except FileNotFoundError as error:
                errors.print(f"[red]{name}[/] not drawn: {error}", highlight=False)
                missing += 1
            else:
                gallery.draw(name, data, out)
            progress.advance(task)
    write(out / "README.md", gallery.page(out))
    Console().print(f"{len(names) - missing} figures in {out}, listed in {out / 'README.md'}", highlight=False)
    return 1 if missing else 0


def _data(study: str, code: Code | None, options: argparse.Namespace) -> dict[str, Any]:
    """A study's data: computed if they are to be fresh, else stored; results of other commands are always read."""
    from theory import studies
    from theory.ledger.effort import QUICK, THOROUGH
    from theory.studies import store

    if code is None:
        return store.load(study)
    effort = THOROUGH if options.thorough else QUICK
    return store.run(study, studies.ALL[study].compute, effort, code, options.studies)
