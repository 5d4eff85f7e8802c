"""``python -m theory conform``: property tests of an optimizer from anywhere."""

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
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
        "case of each departure. Exit code 0: nothing departs or breaks; 1: something does; 2: it cannot be judged.",
    )
    parser.add_argument("target", metavar="MODULE:OPTIMIZER", nargs="?", help="or FILE.py:OPTIMIZER")
    parser.add_argument("--kwargs", nargs="+", action="extend", default=[], metavar="KEY=VALUE",
                        help="constructor arguments, such as alpha=-5 'betas=(.9,.99)'; the reference gets them too, "
                             "where it knows them")  # fmt: skip
    parser.add_argument(
        "--reference", metavar="NAME", help="E, ESGD, EAdam, EAdamW, ALTO or LAMB (by the class's name)"
    )
    parser.add_argument("--examples", type=int, metavar="N", help="how many settings each check draws (25)")
    parser.add_argument("--seed", type=int, default=0, metavar="S", help="of the draws (0)")
    parser.add_argument(
        "--contract",
        action="store_true",
        help="instead, test what every torch optimizer should keep: resume, closures, groups, ...",
    )
    parser.add_argument("--budget", type=int, metavar="N", help="problems per part of the contract (20)")
    parser.add_argument(
        "--profile",
        choices=("quick", "ci", "thorough"),
        default="ci",
        help="5, 20 or 200 problems per part of the contract (ci)",
    )
    parser.add_argument(
        "--dims",
        type=int,
        nargs="+",
        action="extend",
        choices=(0, 1, 2, 3),
        metavar="D",
        help="dimensions that parameters may have in the contract (0 1 2)",
    )
    parser.add_argument(
        "--invariances",
        nargs="+",
        action="extend",
        default=[],
        metavar="NAME",
        help="what the optimizer declares: scale, sign, permutation, 'layer rescaling'",
    )
    parser.add_argument("--lamb", action="store_true", help="instead, which of LAMB's switches it has")
    parser.add_argument(
        "--survey",
        nargs="*",
        metavar="PACKAGE",
        help="instead, the contract of all optimizers of these packages, or of all: a table",
    )
    parser.add_argument(
        "--out", help="the survey's folder; the default is runs/theory/contract, the committed table's results/contract"
    )
    parser.add_argument("--json", action="store_true", help="JSON alone on stdout")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Run the check; exit code 1 if the target departs, 2 if it cannot be checked."""
    from theory.rates import user_code

    try:
        if options.examples is not None and options.examples < 1:
            raise ValueError(f"--examples = {options.examples} must be at least 1")
        if options.budget is not None and options.budget < 1:
            raise ValueError(f"--budget = {options.budget} must be at least 1")
        _unmixed(options)
        if options.survey is not None:
            return _survey(options)
        if options.target is None:
            raise ValueError("name an optimizer, such as torch.optim:AdamW, or give --survey")
        kwargs = user_code.keywords(options.kwargs)
        cls = user_code.load(options.target, "the optimizer")
        if options.contract:
            return _contract(options, cls, kwargs)
        return (_lamb if options.lamb else _recursion)(options, cls, kwargs)
    except user_code.UserCodeError as error:
        sys.stderr.write(user_code.their_traceback(error))
        errors.print(f"cannot be judged: {error}", highlight=False, markup=False, soft_wrap=True)
    except ValueError as error:
        errors.print(str(error), highlight=False, markup=False, soft_wrap=True)
    return 2


READ = {
    "recursion": ("target", "kwargs", "reference", "examples", "seed", "json"),
    "contract": ("target", "kwargs", "budget", "seed", "profile", "dims", "invariances", "json"),
    "lamb": ("target", "kwargs", "json"),
    "survey": ("budget", "out"),
}
"""The options that each kind of check reads."""


def _unmixed(options: argparse.Namespace) -> None:
    """Refuse what another kind of check reads, rather than drop it in silence.

    Raises:
        ValueError: names the options.
    """
    kinds = [
        kind
        for kind in ("contract", "lamb", "survey")
        if getattr(options, kind) is not None and getattr(options, kind) is not False
    ]
    if len(kinds) > 1:
        raise ValueError(f"--{' and --'.join(kinds)}: choose one")
    kind = (kinds or ["recursion"])[0]
    usual = {"kwargs": [], "seed": 0, "profile": "ci", "invariances": [], "json": False}
    unread = [
        "MODULE:OPTIMIZER" if name == "target" else f"--{name}"
        for name in dict.fromkeys(name for names in READ.values() for name in names)
        if name not in READ[kind] and getattr(options, name) != usual.get(name)
    ]
    if unread:
        raise ValueError(
            f"{', '.join(unread)}: not for {'the comparison with the paper' if not kinds else f'--{kind}'}"
        )


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


def _contract(options: argparse.Namespace, cls: Any, kwargs: Mapping[str, Any]) -> int:
    from theory.conform import suite

    if not callable(cls):
        raise ValueError(f"{options.target} is no optimizer: it is a {type(cls).__name__}")
    found = suite.check(
        lambda params: cls(params, **kwargs), dims=options.dims, invariances=options.invariances,
        budget=options.budget or suite.PROFILES[options.profile], seed=options.seed,
    )  # fmt: skip
    if options.json:
        _write([outcome.to_json() for outcome in found])
    else:
        Console().print(tables.contract_table(options.target, found))
        for text in dict.fromkeys(suite.theirs(outcome) for outcome in found):
            sys.stdout.write(f"{text.strip()}\n" if text else "")
    return int(any(outcome.fails for outcome in found))


def _lamb(options: argparse.Namespace, cls: Any, kwargs: Mapping[str, Any]) -> int:
    from theory.conform import switches

    found = switches.find(cls, kwargs, name=options.target)
    if options.json:
        _write([asdict(one) for one in found])
    else:
        Console().print(tables.switches_table(options.target, found))
    return 0


def _survey(options: argparse.Namespace) -> int:
    from theory.conform import survey

    if unknown := [name for name in options.survey if name not in survey.PACKAGES]:
        raise ValueError(f"--survey has {', '.join(unknown)}; allowed: {', '.join(survey.PACKAGES)}")
    packages = {name: survey.PACKAGES[name] for name in options.survey or survey.PACKAGES}
    folder = survey.LOCAL if options.out is None else Path(options.out)
    for said in survey.write(folder, budget=options.budget or survey.BUDGET, packages=packages):
        errors.print(said, highlight=False, markup=False, soft_wrap=True)
    known = survey.read(folder)
    found = {name: known[name] for name in packages if name in known and known[name]["installed"]}
    if not found:
        return 2
    sys.stdout.write(survey.table(found))
    errors.print(f"wrote {folder / survey.TABLE}", highlight=False, markup=False, soft_wrap=True)
    return 0


def _write(rows: Sequence[Mapping[str, Any]]) -> None:
    json.dump(rows, sys.stdout, indent=1, ensure_ascii=False)
    sys.stdout.write("\n")
