"""``python -m theory conform``: another implementation compared with the paper."""

import argparse
import json
import sys
from dataclasses import asdict
from typing import Any

from rich.console import Console

from theory.commands import tables
from theory.commands.shared import errors


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Describe the command to the command line."""
    parser = commands.add_parser(
        "conform", help="run another implementation against the paper; exit code 1 if it departs"
    )
    parser.add_argument("target", metavar="MODULE:OPTIMIZER")
    parser.add_argument("--kwargs", type=_object, default={}, metavar="JSON", help="more constructor arguments")
    parser.add_argument("--json", action="store_true", help="JSON alone on stdout")
    parser.set_defaults(run=run)


def _object(text: str) -> dict[str, Any]:
    """The JSON object, or an error that argparse prints."""
    try:
        found = json.loads(text)
    except json.JSONDecodeError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is not JSON ({error}); names are in double quotes") from error
    if not isinstance(found, dict):
        raise argparse.ArgumentTypeError(f'{text!r} is no JSON object, such as {{"decoupled": true}}')
    return found


def run(options: argparse.Namespace) -> int:
    """Run the check; exit code 1 if the target departs, 2 if it cannot be checked."""
    from theory.conform import recursion

    try:
        subject = recursion.load(options.target, options.kwargs)
    except ValueError as error:
        errors.print(str(error), highlight=False)
        return 2
    try:
        observations = recursion.conform(subject)
    except Exception as error:  # the code of somebody else can raise anything, and that is no departure from the paper
        said = f"{options.target} failed in a step: {type(error).__name__}: {error}"
        errors.print(said, highlight=False, markup=False)
        return 2
    if options.json:
        json.dump([asdict(observation) for observation in observations], sys.stdout, indent=1, ensure_ascii=False)
        sys.stdout.write("\n")
    else:
        Console().print(tables.conformance_table(options.target, observations))
    return 0 if all(observation.agrees for observation in observations) else 1
