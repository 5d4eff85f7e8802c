"""The command line: ``python -m theory COMMAND``; ``--help`` lists the commands."""

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module

from theory.commands import HELP


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    parser = argparse.ArgumentParser(prog="python -m theory", description="Evidence for every claim of the paper.")
    subparsers = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, line in HELP.items():
        if given[:1] == [name]:
            import_module(f"theory.commands.{name.replace('-', '_')}").add(subparsers)
        else:
            subparsers.add_parser(name, help=line)
    options = parser.parse_args(given)
    return options.run(options)


if __name__ == "__main__":
    sys.exit(main())
