"""``python -m theory certify FILE``: a dual of a performance estimation problem becomes a theorem."""

import argparse
import shutil
import sys
from dataclasses import replace
from pathlib import Path


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Describe this command to the command line."""
    parser = commands.add_parser(
        "certify",
        help="round a dual of a performance estimation problem to rationals, check it exactly, and prove its bound",
        description="The format of the file is on the documentation's page of kernel-checked theorems. "
        "Exit code 0: proved by the kernel, or checked exactly where coqc is missing; 1: not a proof; 2: not a dual.",
    )
    parser.add_argument("file", type=Path, metavar="FILE", help="the dual, as JSON")
    parser.add_argument("--out", type=Path, metavar="FILE.v", help="also write the theorem and its proof there")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Read, certify, and ask the kernel."""
    from theory.commands.shared import errors
    from theory.ledger.files import write
    from theory.ledger.formal import KernelError
    from theory.rocq import LIBRARY, duals

    try:
        dual = duals.read(options.file)
    except ValueError as error:
        errors.print(str(error))
        return 2
    try:
        found = duals.certify(dual)
    except ArithmeticError as error:
        errors.print(f"{options.file} proves nothing: {error}")
        return 1
    said = f"{found.performance} <= {found.tau} * {found.initial}"
    if found.tau != dual.tau:
        said += f" (the file says {float(dual.tau):.9g}; with it the rounded multipliers prove nothing)"
    sys.stdout.write(f"exact arithmetic accepts: {said}\n")
    text = duals.theorem(found)
    if options.out:
        write(options.out, text)
    if shutil.which("coqc") is None:
        sys.stdout.write("the kernel was not asked: coqc is not installed (on Debian: apt-get install coq)\n")
        return 0
    try:
        answer = replace(
            LIBRARY, modules=("Sums", "Vectors", "Smooth", "Adaptor", "Certificates"), printed=lambda: {"Dual": text},
            theorems={"bound_read": "the bound"}, definitions=(),
        ).check()  # fmt: skip
    except KernelError as error:
        errors.print(str(error))
        return 1
    if answer["refused"]:
        errors.print(f"the kernel accepts the bound on further axioms alone: {answer['refused']}")
        return 1
    statement = text[text.index("Theorem bound_read") : text.index("Proof.")].strip()
    sys.stdout.write(f"the kernel of Rocq {answer['version']} accepts:\n{statement}\n")
    return 0
