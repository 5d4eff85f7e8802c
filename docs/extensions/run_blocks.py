"""The process in which a page's blocks run: the work comes as JSON on stdin, the outcomes go to the file named."""

import contextlib
import io
import json
import linecache
import subprocess
import sys
import tomllib
import traceback
from pathlib import Path
from typing import Any

from docs.extensions import command_lines

SECONDS = 300


def run(work: list[dict[str, str]]) -> list[dict[str, str]]:
    """The output and the error (empty if none) of each block; after the first error the rest is not run."""
    scope: dict[str, Any] = {"__name__": "__main__"}
    outcomes: list[dict[str, str]] = []
    for number, block in enumerate(work):
        if outcomes and outcomes[-1]["error"]:
            outcomes.append({"output": "", "error": ""})
            continue
        output, error = io.StringIO(), ""
        try:
            with contextlib.redirect_stdout(output):
                _run_one(block, number, scope)
        except Exception as failure:
            error = _story(failure)
        outcomes.append({"output": output.getvalue(), "error": error})
    return outcomes


def _run_one(block: dict[str, str], number: int, scope: dict[str, Any]) -> None:
    code, language = block["code"], block["language"]
    if language == "toml":
        tomllib.loads(code)
    if block["file"] and language in {"python", "toml"}:
        if language == "python":
            compile(code, block["file"], "exec")
        Path(block["file"]).write_text(code + "\n")
    elif language == "python":
        name = f"<block {number + 1}>"
        linecache.cache[name] = (len(code), None, code.splitlines(keepends=True), name)
        exec(compile(code, name, "exec"), scope)
    elif language == "console":
        for line in _prompts(code):
            done = subprocess.run(line, shell=True, capture_output=True, text=True, timeout=SECONDS, check=False)
            if done.returncode:
                raise RuntimeError(f"$ {line}\nends with {done.returncode}\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
            sys.stdout.write(done.stdout)
    elif language == "sh":
        for line in code.splitlines():
            command_lines.check(line)


def _prompts(code: str) -> list[str]:
    lines = [line for line in code.splitlines() if line.strip()]
    if strange := [line for line in lines if not line.startswith("$ ")]:
        raise ValueError(f"a line of a console block starts with '$ '; what it prints is added here: {strange[0]!r}")
    return [line.removeprefix("$ ") for line in lines]


def _story(failure: Exception) -> str:
    return "".join(traceback.format_exception(failure)[-6:])


if __name__ == "__main__":
    outcomes = run(json.load(sys.stdin))
    finished = Path(sys.argv[1])
    partial = finished.with_suffix(".partial")
    partial.write_text(json.dumps(outcomes))
    partial.replace(finished)
