"""``python -m theory advise``: what a setting of E does, for a user who has to choose one."""

import argparse
import json
import sys

from rich.console import Console

from theory.commands.shared import errors


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Describe the command to the command line."""
    parser = commands.add_parser("advise", help="largest stable step, lag, noise and near relatives of a setting of E")
    parser.add_argument("--lr", type=float, required=True, help="learning rate of ESGD")
    parser.add_argument("--alpha", type=float, default=-5.0)
    parser.add_argument("--beta1", type=float, default=0.99, help="decay rate of the slow average")
    parser.add_argument("--beta2", type=float, default=0.9, help="decay rate of the momentum")
    parser.add_argument(
        "--sharpness", type=float, help="a Hessian eigenvalue to judge; theory.sharpness measures a network's largest"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout; null is never or undefined")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print the advice; exit code 2 if an argument lies outside its range."""
    from theory.commands import tables
    from theory.stability.advice import advise

    try:
        advice = advise(
            lr=options.lr,
            alpha=options.alpha,
            beta1=options.beta1,
            beta2=options.beta2,
            sharpness=options.sharpness,
        )
    except ArithmeticError as error:  # a number so large, or so near to a limit, that float64 has none for the answer
        given = f"lr = {options.lr}, alpha = {options.alpha}, beta1 = {options.beta1}, beta2 = {options.beta2}"
        errors.print(f"{given}: float64 cannot hold the answer ({error}); choose values nearer to 1", highlight=False)
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
