"""``python -m theory advise``: what a setting of E does, for a user who has to choose one."""

import argparse
import json
import sys

from rich.console import Console

from theory.commands.shared import errors


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Describe the command to the command line."""
    parser = commands.add_parser("advise", help="largest stable step, lag, noise and near relatives of a setting of E")
    parser.add_argument("--lr", type=float, default=1e-3, help="learning rate of ESGD, or of the method named (1e-3)")
    parser.add_argument("--alpha", type=float, help="exploration strength (-5)")
    parser.add_argument("--beta1", type=float, help="decay rate of the slow average (0.99)")
    parser.add_argument("--beta2", type=float, help="decay rate of the momentum (0.9)")
    for name, numbers, text in (
        ("grokfast", ("LAMBDA", "BETA"), "E's setting for Grokfast-EMA with this amplification and decay"),
        ("mars", ("GAMMA", "BETA"), "E's setting for MARS with this correction and momentum"),
        ("ema-nesterov", ("GAMMA", "B"), "E's setting for EMA-Nesterov over SGD with this decay and lookahead"),
    ):
        parser.add_argument(f"--{name}", type=float, nargs=2, metavar=numbers, help=text)
    parser.add_argument(
        "--sharpness", type=float, help="a Hessian eigenvalue to judge; theory.sharpness measures a network's largest"
    )
    parser.add_argument("--from", choices=("adamw", "eadamw", "lamb", "alto"), dest="source",
                        help="instead: --lr works for this method; which rate do the others need?")  # fmt: skip
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout; null is never or undefined")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print the advice; exit code 2 if an argument lies outside its range."""
    from theory.commands import tables
    from theory.stability.advice import advise

    given: dict[str, float] = {}
    try:
        if options.source:
            return _rates(options)
        given = _setting(options)
        advice = advise(**given, sharpness=options.sharpness)
    except ArithmeticError as error:  # a number so large, or so near to a limit, that float64 has none for the answer
        told = ", ".join(f"{name} = {value}" for name, value in given.items())
        errors.print(f"{told}: float64 cannot hold the answer ({error}); choose values nearer to 1", highlight=False)
        return 2
    except ValueError as error:
        errors.print(str(error), highlight=False)
        return 2
    if options.json:
        json.dump(advice.to_json(), sys.stdout, indent=1, allow_nan=False)
        sys.stdout.write("\n")
        return 0
    console = Console()
    for table in tables.advice_tables(advice):
        console.print(table)
    for warning in advice.warnings:
        console.print(f"[yellow]warning[/] {warning}", highlight=False)
    return 0


def _rates(options: argparse.Namespace) -> int:
    """Print the learning rates that follow from another method's.

    Raises:
        ValueError: an option of the other advice is given too, or the rate is out of range.
    """
    from theory.commands import advise_from

    others = ("alpha", "beta1", "beta2", "grokfast", "mars", "ema_nesterov", "sharpness")
    clash = [f"--{name.replace('_', '-')}" for name in others if getattr(options, name) is not None]
    if clash or options.json:
        raise ValueError(f"--from: leave out {', '.join(clash or ['--json'])}; it takes --lr alone")
    sys.stdout.write("\n".join(advise_from.lines(options.source, options.lr)) + "\n")
    return 0


def _setting(options: argparse.Namespace) -> dict[str, float]:
    """The arguments of :func:`advise` for the options, from another method's numbers where one is named.

    Raises:
        ValueError: two methods, or a method and a number that it decides, or a number outside the method's range.
    """
    from theory.stability import family

    own = {name: getattr(options, name) for name in ("alpha", "beta1", "beta2") if getattr(options, name) is not None}
    named = [name for name in ("grokfast", "mars", "ema_nesterov") if getattr(options, name) is not None]
    if not named:
        return {"lr": options.lr, **own}
    if len(named) > 1:
        raise ValueError(f"--{' and --'.join(named).replace('_', '-')}: name one method")
    method, (first, second) = named[0], getattr(options, named[0])
    taken = own.keys() & ({"alpha", "beta1"} if method == "grokfast" else {"alpha", "beta1", "beta2"})
    if taken:
        raise ValueError(f"--{method.replace('_', '-')} decides {', '.join(sorted(taken))}: leave it out")
    F, lr = family.named(method, first, second, options.lr, own.get("beta2", 0.9))
    return {"lr": lr, "alpha": F.alpha, "beta1": F.beta1, "beta2": F.beta2}
