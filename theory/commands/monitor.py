"""``python -m theory monitor``: the theory's assumptions, watched while a small network trains."""

import argparse

from rich.console import Console

from theory.commands import tables


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Describe the command to the command line."""
    parser = commands.add_parser("monitor", help="watch a small network train: measured constants beside the bounds")
    parser.add_argument("--steps", type=_steps, default=300, help="length of the training, at least 2")
    parser.set_defaults(run=run)


def _steps(text: str) -> int:
    """The number of steps, or an error that argparse prints."""
    try:
        steps = int(text)
    except ValueError:
        steps = 0
    if steps < 2:
        raise argparse.ArgumentTypeError(f"{text}: allowed are whole numbers from 2 on; L needs two gradients")
    return steps


def run(options: argparse.Namespace) -> int:
    """Watch a training, print the report."""
    from theory.monitor.demo import watched_training

    report, largest_curvature = watched_training(options.steps)
    Console().print(tables.report_table(report, largest_curvature))
    return 0
