"""``python -m theory monitor``: the theory's assumptions, watched while a small network trains."""

import argparse

from rich.console import Console

from theory.commands import tables


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Tell the command line of this command."""
    parser = commands.add_parser("monitor", help="watch a small network train: measured constants beside the bounds")
    parser.add_argument("--steps", type=int, default=300)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Watch a training, print the report."""
    from theory.monitor.demo import watched_training

    report, largest_curvature = watched_training(options.steps)
    Console().print(tables.report_table(report, largest_curvature))
    return 0
