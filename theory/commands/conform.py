"""``python -m theory conform``: property tests of an optimizer from anywhere."""

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from rich.console import Console

from theory.commands import tables
from theory.commands.shared import errors


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Describe the command to the command line."""
    parser = commands.add_parser(
        "conform",
        help="compare an optimizer with the paper, or test it as any torch optimizer",
        description="Compare an implementation with the paper's algorithms in drawn settings, and print the simplest "
        "case of each departure. Exit code 0: no departure; 1: some; 2: it cannot be judged.",
    )
    parser.add_argument("target", metavar="MODULE:OPTIMIZER", help="or FILE.py:OPTIMIZER")
    parser.add_argument("--kwargs", nargs="+", default=[], metavar="KEY=VALUE",
                        help="constructor arguments, such as alpha=-5 'betas=(.9,.99)'; the reference gets them too, "
                             "where it knows them")  # fmt: skip
    parser.add_argument(
        "--reference", metavar="NAME", help="E, ESGD, EAdam, EAdamW, ALTO or LAMB (by the class's name)"
    )
    parser.add_argument("--examples", type=int, metavar="N", help="how many settings each check draws (25)")
    parser.add_argument("--seed", type=int, default=0, metavar="S", help="of the draws (0)")
    parser.add_argument("--json", action="store_true", help="JSON alone on stdout")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Run the check; exit code 1 if the target departs, 2 if it cannot be checked."""
    from theory.rates import user_code

    try:
        if options.examples is not None and options.examples < 1:
            raise ValueError(f"--examples = {options.examples} must be at least 1")
        kwargs = user_code.keywords(options.kwargs)
        cls = user_code.load(options.target, "the optimizer")
        return _recursion(options, cls, kwargs)
    except user_code.UserCodeError as error:
        sys.stderr.write(user_code.their_traceback(error))
        errors.print(f"cannot be judged: {error}", highlight=False, markup=False, soft_wrap=True)
    except ValueError as error:
        errors.print(str(error), highlight=False, markup=False, soft_wrap=True)
    return 2


def _recursion(options: argparse.Namespace, cls: Any, kwargs: Mapping[str, Any]) -> int:
    from theory.conform import recursion, subject

    found = recursion.conform(
        subject.recognise(cls, kwargs, reference=options.reference, name=options.target),
        examples=options.examples or recursion.EXAMPLES,
        seed=options.seed,
    )
    if options.json:
        _write([asdict(observation) for observation in found])
    else:
        Console().print(tables.conformance_table(options.target, found))
    return int(not all(observation.agrees for observation in found))


def _write(rows: Sequence[Mapping[str, Any]]) -> None:
    json.dump(rows, sys.stdout, indent=1, ensure_ascii=False)
    sys.stdout.write("\n")
