"""``python -m theory new-claim``: a file for a claim of your own, to fill in."""

import argparse
import re
from pathlib import Path

from theory.commands.shared import errors

TEMPLATE = '''"""The claim "NAME" with its evidence. Run it with

    python -m theory verify --claims FILE

Fill in what `todo` names. Until then the claim reads "broken": a place that is not filled in shows nothing. One piece
of evidence is enough, so delete those that you do not need.
"""

from fractions import Fraction

import sympy as sp
from hypothesis.strategies import fractions

from theory.ledger import Claim, Piece, counterexample, holds_for, identity, proof


def todo(what):
    """Marks a place that is not filled in."""
    raise NotImplementedError(f"fill in {what}")


# 1. A proof holds for all reals. Each piece is checked by a machine, or is prose (a Piece without a check). An
#    induction has a base, a step and a conclusion. The symbols have the names that the statement gives them.
x = sp.symbols("x")


def conclusion():
    left, right = x, x  # the two sides, in exact numbers: sp.Rational(1, 2), not 0.5
    todo("both sides of an identity")
    return identity(left, right)


def wrong_conclusion():
    """A false relation that resembles the true one. It must fail: so the check is known to be able to."""
    todo("a false identity")
    return identity(x, x + 1)


# 2. A property draws cases and asserts. It shows that the statement held in them. Exact numbers need no tolerance.
def on_numbers(x):
    todo("an assertion about x")
    assert isinstance(x, Fraction)


# 3. A counterexample is one case in which the statement fails. Keep it only if the statement is false.
def one_case():
    fails = False
    todo("one case: whether it fails the statement, and what was seen")
    return fails, "what was seen"


CLAIMS = (
    Claim(
        id="NAME",
        source="author and year, equation or section",
        statement=r"What is claimed, with formulas: $x = x$.",
        plain="The same in one plain sentence.",
        assumptions=("what it needs",),
        evidence=(
            proof(
                "what is proved",
                Piece("the conclusion", conclusion, concludes=True, control=wrong_conclusion),
            ),
            holds_for("exact rationals", on_numbers, x=fractions(-8, 8)),
            counterexample("the case", one_case),
        ),
    ),
)
'''


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add this command to the command line."""
    parser = commands.add_parser(
        "new-claim",
        help="write a file for a claim of your own, to fill in",
        description="Write NAME.py with a proof, a property and a counterexample to fill in, which "
        "python -m theory verify --claims NAME.py runs.",
    )
    parser.add_argument("name", metavar="NAME", help="the claim's id: small letters, digits and hyphens")
    parser.add_argument("--out", type=Path, metavar="FILE.py", help="the file (NAME.py here, with _ for -)")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Write the file; exit code 2 if the name is wrong or the file is there already."""
    from theory.ledger import files

    path = options.out or Path(f"{options.name.replace('-', '_')}.py")
    if not re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", options.name):
        said = f"{options.name!r} is no id of a claim: small letters, digits and single hyphens, such as adam-bias"
    elif path.suffix != ".py":
        said = f"--out = {path} must end in .py"
    elif path.exists():
        said = f"{path} is there already: give another name, or --out FILE.py"
    else:
        files.write(path, TEMPLATE.replace("NAME", options.name).replace("FILE", str(path)))
        errors.print(f"{path} is written; run it with: python -m theory verify --claims {path}", highlight=False)
        return 0
    errors.print(said, highlight=False, markup=False)
    return 2
