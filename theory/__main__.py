"""The command line: ``python -m theory COMMAND``; ``--help`` lists the commands."""

import argparse
import sys
from collections.abc import Sequence

from theory import commands


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code."""
    parser = argparse.ArgumentParser(prog="python -m theory", description="Evidence for every claim of the paper.")
    subparsers = parser.add_subparsers(required=True, metavar="COMMAND")
    for command in commands.ALL:
        command.add(subparsers)
    options = parser.parse_args(arguments)
    return options.run(options)


if __name__ == "__main__":
    sys.exit(main())
