"""The command line: ``python -m theory COMMAND``; ``--help`` lists the commands."""

import argparse
import atexit
import io
import os
import shutil
import sys
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from pathlib import Path

from theory.commands import HELP
from theory.ledger.stored import DamagedError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code."""
    os.environ["MPLBACKEND"] = "agg"  # files are drawn; a notebook's or a wrong one would fail at the import
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # it was closed by the shell, as in >&-
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115 (until the process ends)
        if isinstance(stream := getattr(sys, name), io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # names of files may hold what its encoding has not
    _give_kernels_a_place()
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given[:1] == ["monitor"]:
        sys.stderr.write("monitor is now called watch: python -m theory watch\n")
        return 2
    parser = argparse.ArgumentParser(prog="python -m theory", description="Evidence for every claim of the paper.")
    subparsers = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, line in HELP.items():
        if given[:1] == [name]:
            import_module(f"theory.commands.{name.replace('-', '_')}").add(subparsers)
        else:
            subparsers.add_parser(name, help=line)
    options = parser.parse_args(_joined(given))
    try:
        for name, value in vars(options).items():
            if isinstance(value, Path):
                setattr(options, name, value.expanduser())  # a shell leaves --out=~/x as it is
        status = options.run(options)
        sys.stdout.flush()  # here, where a closed pipe or a full disk is still answered
        return status
    except BrokenPipeError:  # the reader of a pipe, such as head, has what it wanted
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except SystemExit as end:
        if isinstance(end.__context__, BrokenPipeError):  # rich ends with 1 then
            return 141
        raise
    except DamagedError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except MemoryError as error:
        sys.stderr.write(f"there is not enough memory for this ({error}): choose smaller sizes\n")
        return 2
    except OSError as error:
        place = error.filename2 or error.filename or "the place of the output"
        sys.stderr.write(f"{place} cannot be used ({error.strerror or error}): mend it, or name another place\n")
        return 2
    except RuntimeError as error:
        if "home directory" not in str(error):
            raise
        sys.stderr.write(f"{error} Write the folder in full\n")
        return 2


def _give_kernels_a_place() -> None:
    """A temporary folder for Numba's kernels where neither the package nor the user's cache can be written to."""
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")  # as it is where there is no home
    places = [folder for folder in (Path(__file__).resolve().parent, Path(cache)) if folder.is_absolute()]
    there = [next(folder for folder in (place, *place.parents) if folder.exists()) for place in places]
    if "NUMBA_CACHE_DIR" in os.environ or any(os.access(folder, os.W_OK) for folder in there):
        return
    with suppress(OSError):  # there is no place at all; what needs none still works
        os.environ["NUMBA_CACHE_DIR"] = folder = tempfile.mkdtemp(prefix="theory-kernels-")
        atexit.register(shutil.rmtree, folder, ignore_errors=True)


def _joined(given: Sequence[str]) -> list[str]:
    """``--alpha -1e-3`` as ``--alpha=-1e-3``: before Python 3.14 argparse takes such a number for an option."""
    joined: list[str] = []
    for word in given:
        before = joined[-1] if joined else ""
        if word.startswith("-") and _is_number(word) and before.startswith("--") and "=" not in before:
            joined[-1] = f"{before}={word}"
        else:
            joined.append(word)
    return joined


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True


if __name__ == "__main__":
    sys.exit(main())
