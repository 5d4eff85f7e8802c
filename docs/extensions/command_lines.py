"""Checks that a command line in the documentation is one that exists, without running it.

``make -n`` checks targets; the parsers of ``python -m theory`` and ``python -m experiments`` check their commands.
"""

import contextlib
import io
import shlex
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from unittest import mock

ROOT = Path(__file__).resolve().parents[2]


def check(line: str) -> None:
    """Check one line.

    Args:
        line: as in a shell; a comment is allowed.

    Raises:
        ValueError: no such command, target or option.
    """
    words = shlex.split(line, comments=True)
    if not words:
        return
    if words[0] == "torchrun":
        words = ["python", *words[words.index("-m", 1) :]]
    if words[0] == "make":
        _make(words[1:])
    elif words[:2] == ["python", "-m"] and words[2] in {"theory", "experiments"}:
        _python_module(words[2], words[3:])
    elif words[:2] == ["pip", "install"]:
        _pip(words[2:])
    elif words[0] not in {"git", "cd"}:
        raise ValueError(f"{line!r}: nothing here knows {words[0]!r}; make it a console block, which is run")


def _make(words: Sequence[str]) -> None:
    done = subprocess.run(["make", "-n", *words], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ValueError(f"make {' '.join(words)}: {done.stderr}")


def _python_module(package: str, words: Sequence[str]) -> None:
    """Parse the words as the package does, and stop before it acts."""
    said = io.StringIO()
    try:
        with contextlib.redirect_stderr(said), contextlib.redirect_stdout(said):
            _parse(package, words)
    except SystemExit as refusal:
        if refusal.code:
            raise ValueError(f"python -m {package} {' '.join(words)}: {said.getvalue()}") from None


def _parse(package: str, words: Sequence[str]) -> None:
    if package == "theory":
        import argparse

        from theory import __main__ as theory_main

        # Nothing but the last line of main acts: with the parsed command replaced, main is the parser alone.
        parse = argparse.ArgumentParser.parse_args

        def parsed(parser: argparse.ArgumentParser, *arguments: object) -> argparse.Namespace:
            options = parse(parser, *arguments)  # pyright: ignore[reportCallIssue, reportArgumentType]
            options.run = lambda _: 0
            return options

        with mock.patch.object(argparse.ArgumentParser, "parse_args", parsed):
            theory_main.main(list(words))
    else:
        import sys

        import tyro

        from experiments import __main__ as experiments_main

        understand = tyro.extras.subcommand_cli_from_dict

        class Understood(Exception):  # noqa: N818
            """The words make a command; it is not acted on."""

        def understood(*arguments: Any, **options: Any) -> None:
            understand(*arguments, **options)
            raise Understood

        with (
            mock.patch.object(sys, "argv", ["experiments", *words]),
            mock.patch.object(tyro.extras, "subcommand_cli_from_dict", understood),
            contextlib.suppress(Understood),
        ):
            experiments_main.main()


def _pip(words: Sequence[str]) -> None:
    import tomllib

    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    for word in words:
        if word.startswith(".["):
            unknown = set(word[2:-1].split(",")) - set(extras)
            if unknown:
                raise ValueError(f"pip install {word}: no extra {', '.join(sorted(unknown))}")
