"""``python -m theory rates --optimizer``: the rate of any optimizer on any objective."""

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

OUT = Path("runs") / "theory" / "rates" / "full" / "own"
"""Where --full keeps finished runs."""
EVERY = 5.0
"""Seconds between two lines of progress where stderr is no terminal."""
SIZES, QUICK_SIZES = "100:10000", "30:1000"
FULL_SIZES = "100:100000"
SEEDS, QUICK_SEEDS, FULL_SEEDS = 16, 8, 32
MOST_STEPS, MOST_SEEDS, MOST_BATCH = 10**9, 10_000, 10**6


def add(parser: argparse.ArgumentParser) -> None:
    """Describe the options to the command line."""
    own = parser.add_argument_group("your optimizer on your objective (--optimizer and --objective are needed)")
    own.add_argument("--optimizer", metavar="NAME",
                     help="ESGD, EAdam, ALTO, or a torch optimizer as module:Class or FILE.py:Class")  # fmt: skip
    own.add_argument("--kwargs", nargs="+", action="extend", default=[], metavar="KEY=VALUE",
                     help="its arguments, such as lr=.1 'betas=(.9,.99)'; lr is needed")  # fmt: skip
    own.add_argument("--T", metavar="FROM:TO[:COUNT]",
                     help=f"numbers of steps, evenly spaced in the logarithm, or a list 10,20,40 ({SIZES}; two per "
                          f"factor of ten)")  # fmt: skip
    own.add_argument("--seeds", type=int, metavar="N", help=f"how many seeds ({SEEDS})")
    own.add_argument("--batch", type=int, default=1, metavar="N", help="samples per step (1)")
    own.add_argument("--schedule", default="1/sqrt(T)", metavar="NAME", help="1/sqrt(T) (the default) or constant")
    own.add_argument("--quantity", default="grad2", metavar="NAME",
                     help="grad2: mean of |grad f|^2 (the default), gap: mean of f - f*, or last")  # fmt: skip
    own.add_argument("--noise", type=float, metavar="SIGMA",
                     help="standard deviation of normal gradient noise, 0 for none (the objective's own)")  # fmt: skip
    own.add_argument("--start", metavar="X,X,...", help="first point of a function (the file's variable `start`)")
    own.add_argument("--quick", action="store_true", help=f"T = {QUICK_SIZES} and {QUICK_SEEDS} seeds, where not given")
    own.add_argument("--plot", type=Path, metavar="FILE", help="draw to this file; its ending is the format")
    own.add_argument("--save", type=Path, metavar="FILE.json", help="store numbers, settings and provenance")


def wanted(options: argparse.Namespace) -> bool:
    """Whether the options are about one optimizer on one objective."""
    own = (options.optimizer, options.kwargs, options.T, options.seeds, options.start, options.plot, options.save)
    return any(own) or options.noise is not None or options.quick


def run(options: argparse.Namespace) -> int:
    """Measure and print; exit code 1 if a bound was violated or their code raised, 2 for a wrong argument."""
    from theory.commands.shared import errors
    from theory.ledger import files
    from theory.rates import measuring, user_code
    from theory.rates.records import Verdict

    try:
        if options.plot:
            _format(options.plot)
        files.ready(*(path for path in (options.plot, options.save) if path))
        with progress("measuring") as show:
            rates = measuring.measure(**_arguments(options), done=show)
        text = "\n".join(rates.lines())
        if options.plot:
            _draw(rates, options.plot)
        if options.save:
            rates.save(options.save)
    except user_code.UserCodeError as error:
        sys.stderr.write(user_code.their_traceback(error))
        errors.print(str(error), highlight=False, markup=False, soft_wrap=True)
        return 1
    except ValueError as error:
        errors.print(str(error), highlight=False, markup=False, soft_wrap=True)
        return 2
    sys.stdout.write(f"{text}\n  took          {rates.seconds:.1f} s\n")
    return 1 if rates.verdict == Verdict.VIOLATED else 0


def _arguments(options: argparse.Namespace) -> dict[str, Any]:
    """The arguments of ``measure``."""
    from theory.rates import user_code

    if not options.optimizer or not options.objective:
        raise ValueError("--optimizer and --objective must both be given to measure a rate of your own")
    if options.full and options.quick:
        raise ValueError("--full and --quick: choose one")
    for name, most in (("seeds", MOST_SEEDS), ("batch", MOST_BATCH)):
        if (getattr(options, name) or 1) > most:
            raise ValueError(f"--{name} = {getattr(options, name)} must be at most {most}")
    kwargs = user_code.keywords(options.kwargs)
    if "lr" not in kwargs:
        raise ValueError("--kwargs must hold the learning rate, such as lr=.1")
    named = ":" in options.optimizer
    sizes = FULL_SIZES if options.full else QUICK_SIZES if options.quick else SIZES
    seeds = FULL_SEEDS if options.full else QUICK_SEEDS if options.quick else SEEDS
    found = {
        "method": user_code.load(options.optimizer, "--optimizer") if named else options.optimizer,
        "T": _sizes(options.T or sizes), "seeds": seeds if options.seeds is None else options.seeds,
        "keep": (options.out or OUT) if options.full else None,
        "batch": options.batch, "schedule": options.schedule, "quantity": options.quantity, **_objective(options),
    }  # fmt: skip
    if clash := set(kwargs) & {*found, "noise", "start", "gradient", "infimum", "L"}:
        raise ValueError(f"--kwargs holds {', '.join(sorted(clash))}, which is no argument of an optimizer here")
    return found | kwargs


def _objective(options: argparse.Namespace) -> dict[str, Any]:
    """The objective, and what its file says of it: variables named as the arguments of ``measure``."""
    from theory.objectives import Objective
    from theory.rates import user_code

    found: dict[str, Any] = {"objective": options.objective}
    if ":" in options.objective:
        f = user_code.load(options.objective, "--objective")
        found = {"objective": f}
        if not isinstance(f, Objective):
            found["name"] = options.objective
            for key in ("start", "gradient", "noise", "infimum", "L"):
                if (value := user_code.neighbour(f, key)) is not None:
                    found[key] = value
    if options.start is not None:
        found["start"] = _numbers(options.start, "--start")
    if options.noise is not None:
        found["noise"] = options.noise
    return found


def _numbers(text: str, argument: str) -> list[float]:
    try:
        return [float(one) for one in text.split(",")]
    except ValueError as error:
        raise ValueError(f"{argument} = {text!r} must be numbers with commas between them") from error


def _sizes(text: str) -> list[int]:
    """``100:10000``, ``100:10000:9`` or ``10,20,40`` as a list."""
    if ":" not in text:
        found = _numbers(text, "--T")
        if not all(1 <= one <= MOST_STEPS for one in found):
            raise ValueError(f"--T = {text!r} must be numbers from 1 to {MOST_STEPS}")
        return [int(one) for one in found]
    try:
        first, last, *count = (int(part) for part in text.split(":"))
    except ValueError as error:
        raise ValueError(f"--T = {text!r} must have the form FROM:TO, FROM:TO:COUNT or 10,20,40") from error
    if not 1 <= first < last <= MOST_STEPS or len(count) > 1 or (count and not 3 <= count[0] <= MOST_SEEDS):
        raise ValueError(f"--T = {text!r} must have 1 <= FROM < TO <= {MOST_STEPS}, and a COUNT from 3 to {MOST_SEEDS}")
    import numpy as np

    from theory.rates.runner import log_spaced

    return log_spaced(first, last, count[0] if count else max(3, round(2 * np.log10(last / first)) + 1)).tolist()


def _format(path: Path) -> str:
    """The format that the ending names; pdf without one."""
    from matplotlib.backend_bases import FigureCanvasBase

    kind, known = path.suffix.lstrip(".").lower() or "pdf", sorted(FigureCanvasBase.filetypes)
    if kind not in known:
        raise ValueError(f"--plot {path}: its ending must be one of {', '.join(f'.{one}' for one in known)}")
    return kind


def _draw(rates: Any, path: Path) -> None:
    import io

    from theory.ledger import files
    from theory.plotting import style

    drawn = io.BytesIO()
    with style.context():
        rates.plot().figure.savefig(drawn, format=_format(path), dpi=200)
    files.write(path, drawn.getvalue())


@contextmanager
def progress(what: str, total: int = 0) -> Iterator[Callable[..., None]]:
    """Yields ``show(done, total)``: a bar on a terminal, elsewhere a line every few seconds, with the time left."""
    if sys.stderr.isatty():
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

        from theory.commands.shared import errors

        columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), TextColumn("about"),
                   TimeRemainingColumn(), TextColumn("left"))  # fmt: skip
        with Progress(*columns, console=errors, transient=True) as bar:
            task = bar.add_task(what, total=total or None)
            yield lambda done, of=total: bar.update(task, completed=done, total=of)
        return
    begin = last = None

    def show(done: int, of: int = total) -> None:
        nonlocal begin, last
        now = time.monotonic()
        if begin is None or last is None:  # what came before was no step: it says nothing of the time left
            begin = last = now
        if now - last >= EVERY and done:
            last = now
            left = (now - begin) * max(of / done - 1, 0)
            sys.stderr.write(f"{what}: {done / of:.0%} in {now - begin:.0f} s, about {left:.0f} s left\n")

    yield show
