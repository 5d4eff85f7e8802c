"""``python -m theory formal``: ask the kernel of Rocq again, and keep its answer."""

import argparse
import sys


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Describe this command to the command line."""
    parser = commands.add_parser(
        "formal",
        help="compile the proofs in theory/rocq with coqc and store the kernel's answer; exit code 1 if it refuses one",
    )
    parser.add_argument("--check", action="store_true", help="change nothing; exit code 1 if the stored answer differs")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Compile, print each theorem with what it rests on, and store; the exit code is 2 without coqc."""
    from theory.ledger.files import ready
    from theory.ledger.formal import AXIOMS, KernelError
    from theory.rocq import LIBRARY

    if not options.check:
        ready(LIBRARY.stored)
    try:
        answer = LIBRARY.check() if options.check else LIBRARY.store()
    except KernelError as error:
        sys.stderr.write(f"{error}\n")
        return 2 if "not installed" in str(error) else 1
    refused = answer["refused"]
    lines = [
        f"{name}: {LIBRARY.theorems[name]}"
        + (f" REFUSED: it rests on {', '.join(refused[name])}" if name in refused else "")
        for name in answer["theorems"]
    ]
    accepted = len(answer["theorems"]) - len(refused)
    lines.append(f"Rocq {answer['version']} accepts {accepted} theorems, on no axioms but {', '.join(sorted(AXIOMS))}")
    differs = False
    if options.check:
        try:
            differs = LIBRARY.answer() != answer
        except KernelError:
            differs = True
        lines.append("the stored answer " + ("differs: run python -m theory formal" if differs else "is the same"))
    else:
        lines.append(f"stored in {LIBRARY.stored}")
    sys.stdout.write("\n".join(lines) + "\n")
    return 1 if refused or differs else 0
