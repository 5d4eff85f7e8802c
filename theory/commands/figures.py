"""``python -m theory figures``: the theory's figures, from stored studies or from fresh ones."""

import argparse
import shutil
from pathlib import Path
from typing import Any

from theory.ledger import provenance
from theory.ledger.provenance import Code

OWN_OUT = Path("runs") / "theory" / "figures"
FRESH_OUT = provenance.RUNS / "theory" / "figures"
OUT = FRESH_OUT if provenance.INSTALLED else provenance.RESULTS / "figures"


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
    parser.add_argument(
        "--thorough", action="store_true", help="with --fresh or --set: longer runs and more seeds (20 minutes for all)"
    )
    parser.add_argument("--studies", type=Path, metavar="DIR",
                        help="with --fresh: where the studies go (default: runs/theory/studies)")  # fmt: skip
    own = parser.add_argument_group(
        "your own figures",
        "with other parameters, sizes or styles; they go to runs/theory/figures of this folder unless --out says more",
    )
    own.add_argument("--set", action="append", nargs="+", default=[], metavar="KEY=VALUES", dest="given",
                     help="parameters, such as beta1=.95 alpha=0,-5,-15; --list names them")  # fmt: skip
    own.add_argument("--mark", action="append", nargs="+", default=[], metavar="KEY=VALUE",
                     help="mark a setting, such as alpha=-15 beta1=.95 (repeat for several)")  # fmt: skip
    own.add_argument("--width", metavar="LENGTH", help="column, page, or a length such as 5.5in, 14cm, 397pt")
    own.add_argument("--style", default="", metavar="NAME", help="a style of tueplots, such as neurips2024")
    own.add_argument("--usetex", action="store_true", help="text set by LaTeX, which must be installed")
    own.add_argument("--format", metavar="KINDS", help="png, pdf, svg; several with commas (png,pdf)")
    own.add_argument("--data", type=Path, metavar="FILE.csv", help="write what the figure shows as a table")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Draw; exit code 1 if a figure's data are missing, 2 if a name is unknown or options do not fit together."""
    from theory import figures
    from theory.commands.shared import errors

    unknown = [name for name in options.names if name not in figures.ALL]
    if unknown:
        errors.print(f"unknown figure {', '.join(unknown)}; known: {', '.join(figures.ALL)}", highlight=False)
        return 2
    if not options.fresh and ((options.thorough and not options.given) or options.studies):
        wrong = "--thorough" if options.thorough else "--studies"
        errors.print(f"{wrong} needs --fresh: without it stored studies are drawn as they are", highlight=False)
        return 2
    names = options.names or list(figures.ALL)
    if options.list:
        return _list(names)
    try:
        return _own(names, options) if _changed(options) else _draw(names, options)
    except KeyboardInterrupt:
        errors.print("stopped; the figures and studies that were finished are kept, and the same command continues",
                     highlight=False)  # fmt: skip
        return 130


def _list(names: list[str]) -> int:
    from rich.console import Console
    from rich.table import Table

    from theory.figures import gallery
    from theory.figures.parameters import TABLE

    table = Table("figure", "reads", "parameters", "what you should see", title="Figures", title_justify="left")
    for name in names:
        about = gallery.about(name)
        parameters = TABLE[name].all() if name in TABLE else ()
        table.add_row(name, "\n".join(about.STUDIES), "\n".join(parameters), about.SEE)
    Console().print(table)
    return 0


def _changed(options: argparse.Namespace) -> bool:
    """Whether something is wanted that the stored figures are not."""
    return any((
        options.given,
        options.mark,
        options.width,
        options.style,
        options.usetex,
        options.format,
        options.data,
    ))


def _own(names: list[str], options: argparse.Namespace) -> int:
    """Draw with the reader's parameters, size or style."""
    import logging

    from rich.console import Console

    from theory import figures
    from theory.commands.shared import errors
    from theory.figures import drawn_data, gallery
    from theory.ledger.files import ready, write

    logging.getLogger("fontTools").setLevel(logging.ERROR)  # it warns of the dates in fonts that it embeds
    formats = (options.format or "png,pdf").split(",")
    ready((options.out or OWN_OUT) / f"{names[0]}.{formats[0]}", *([options.data] if options.data else []))
    try:
        if options.fresh and not options.given:
            raise ValueError("--fresh draws the figures as they are: leave it out, or the options of your own figures")
        if unknown := [kind for kind in formats if kind not in gallery.UNDATED]:
            raise ValueError(f"--format {', '.join(unknown)}: must be of {', '.join(gallery.UNDATED)}")
        if options.usetex and "png" in formats and not shutil.which("dvipng"):
            raise ValueError("--usetex writes png only with the program dvipng: take --format pdf, or install it")
        if options.data and len(names) != 1:
            raise ValueError(f"--data {options.data}: name one figure; {len(names)} are drawn")
        marks = [{key: _one(key, value) for key, value in _pairs(words, "--mark")} for words in options.mark]
        given = {key: value for words in options.given for key, value in _pairs(words, "--set")}
        look = {"width": options.width, "style": options.style, "usetex": options.usetex, "thorough": options.thorough}
        for name in names:
            draw = getattr(figures, name.replace("-", "_"))
            drawn = draw(**look, **({"mark": marks} if marks else {}), **given)
            for kind, content in gallery.files(drawn, formats).items():
                path = (options.out or OWN_OUT) / f"{name}.{kind}"
                write(path, content)
                Console().print(f"{path}", highlight=False, soft_wrap=True)
            if options.data:
                write(options.data, drawn_data.table(drawn))
    except (ValueError, FileNotFoundError) as error:
        errors.print(f"{error}", highlight=False, markup=False)
        return 2
    return 0


def _pairs(words: list[str], option: str) -> list[tuple[str, list[float]]]:
    """``KEY=NUMBER,NUMBER`` as pairs."""
    found = []
    for word in words:
        key, equals, text = word.partition("=")
        try:
            found.append((key, [float(value) for value in text.split(",")]))
        except ValueError:
            equals = ""
        if not equals:
            raise ValueError(f"{option} {word}: must be KEY=NUMBER, such as beta1=.95; several numbers with commas")
    return found


def _one(key: str, values: list[float]) -> float:
    if len(values) != 1:
        raise ValueError(f"--mark {key}: one number is needed; repeat --mark for another setting")
    return values[0]


def _draw(names: list[str], options: argparse.Namespace) -> int:
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    from theory import studies
    from theory.commands.shared import errors
    from theory.figures import gallery
    from theory.ledger.files import ready, write
    from theory.studies import store

    out = options.out or (FRESH_OUT if options.fresh else OUT)
    ready(out / "README.md", *([(options.studies or store.LOCAL) / f"{names[0]}.json"] if options.fresh else []))
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
                errors.print(f"{name} is not drawn: {error}", highlight=False)
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
