"""Stored studies: one JSON file each, with what it was computed by, written whole or not at all.

    {"study": NAME, "effort": "quick" | "thorough", "seconds": ..., "provenance": {"source": digest, "commit": ...},
     "data": {"config": {...}, "seeds": [...], ...}}

``data`` is what the study's ``compute`` returned. Numbers keep six significant digits; what is infinite or undefined is
null, so that the file is strict JSON. ``source`` is the digest of exactly the code that ``compute`` runs.
"""

import math
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from theory.ledger import provenance
from theory.ledger.effort import Effort
from theory.ledger.files import to_json, write
from theory.ledger.provenance import Code
from theory.ledger.stored import own, read
from theory.studies import Compute

RESULTS = provenance.RESULTS
COMMITTED = RESULTS / "theory"
LOCAL = provenance.RUNS / "theory" / "studies"
TOOLS = ("numpy", "scipy", "torch", "numba")
COMMANDS = {
    "theory": "python -m theory figures --fresh --thorough --studies results/theory",
    "rates": "python -m theory rates --full --out results/rates",
    "worst-case": "python -m theory worst-case --full --out results/worst-case",
}
"""What computes the results of each folder of results/; what is there already for the same code is not done again."""


def code_of(name: str) -> Code:
    """The code that computes this study."""
    return provenance.code(f"theory.studies.{name.replace('-', '_')}:compute")


def plain(value: Any) -> Any:
    """Arrays and numbers as plain JSON data: six significant digits, None for what is not finite.

    Raises:
        TypeError: a value has no JSON form.
    """
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, np.ndarray | np.generic):
        return plain(value.tolist())
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, float):
        return float(f"{value:.6g}") if math.isfinite(value) else None
    if value is None or isinstance(value, str | bool | int):
        return value
    raise TypeError(f"{value!r} has no JSON form: a study returns numbers, strings, lists, arrays and dictionaries")


def run(name: str, compute: Compute, effort: Effort, code: Code, folder: Path | None = None) -> dict[str, Any]:
    """Compute a study and store it; if ``folder`` has it from this very code and effort, take that.

    So an interrupted series of studies continues where it stopped.

    Args:
        name: the study.
        compute: its function.
        effort: how much to spend.
        code: what it runs, :func:`code_of` the name.
        folder: where it is stored as ``NAME.json``; runs/theory/studies by default.

    Returns:
        The study's data.
    """
    path = (folder or LOCAL) / f"{name}.json"
    if path.exists():
        with own(path):
            stored = read(path)
            if (stored.get("provenance", {}).get("source"), stored["effort"]) == (code.digest, effort.name):
                return stored["data"]
    begin = time.perf_counter()
    data = plain(compute(effort))
    seconds = round(time.perf_counter() - begin, 2)
    record = {"study": name, "effort": effort.name, "seconds": seconds,
              "provenance": provenance.record(code, TOOLS), "data": data}  # fmt: skip
    write(path, to_json(record, long=("data",)))
    return data


def load(name: str, folder: Path | None = None, results: Path | None = None) -> dict[str, Any]:
    """The data of a stored study; a name with a folder, such as "rates/regret", is a whole file of another command.

    ``folder`` is results/theory by default, and ``results``, where other commands' files lie, results.

    Raises:
        FileNotFoundError: it is not stored; the message says how to compute it.
    """
    command, _, inner = name.rpartition("/")
    path = (results or RESULTS) / f"{name}.json" if command else (folder or COMMITTED) / f"{inner}.json"
    if not path.exists():
        raise FileNotFoundError(f"{path} does not exist: {COMMANDS[command or 'theory']} computes it")
    with own(path):
        stored = read(path)
        return stored if command else stored["data"]
