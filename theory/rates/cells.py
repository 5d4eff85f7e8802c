"""Studies run cell by cell: each finished cell is kept, so that a long run that was cut off continues from there."""

import hashlib
import json
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from theory.ledger import provenance
from theory.ledger.files import parquet, to_json, write
from theory.ledger.provenance import Code
from theory.ledger.stored import own, read
from theory.rates.records import Cell

TOOLS = ("numpy", "numba", "scipy")
LONG = ("rows", "curves")
"""The keys of a stored study that get one line per item."""

CELLS = provenance.RUNS / "theory" / "rates" / "cells"
"""Finished cells of full runs, whatever folder the results go to."""


class RateStudy(Protocol):
    """What a module of ``theory.rates.studies`` has."""

    @property
    def NAME(self) -> str:
        """The name of its file and of its results."""
        ...

    @property
    def TITLE(self) -> str:
        """What it finds, in one sentence."""
        ...

    def cells(self, full: bool) -> list[Cell]:
        """Its parts, at full or at quick size."""
        ...


def code_of(name: str) -> Code:
    """The code that runs a study: its own file, and what that imports."""
    return provenance.code(f"theory.rates.studies.{name}")


def _mark(code: Code, cell: Cell) -> str:
    """SHA-256 of a cell's config and seeds and of the code that runs it."""
    fixed = json.dumps([code.digest, cell.config, list(cell.seeds)], sort_keys=True, default=float)
    return hashlib.sha256(fixed.encode()).hexdigest()


def write_json(path: Path, data: Mapping[str, Any]) -> None:
    """Write a result, one line per row or curve: differences can be read, and files stay small."""
    write(path, to_json(data, LONG))


def run_study(
    study: RateStudy,
    folder: Path,
    *,
    full: bool,
    code: Code | None = None,
    cells: Path = CELLS,
    done: Callable[[int], None] = lambda _: None,
    starting: Callable[[str], None] = lambda _: None,
    finished: Callable[[Cell], None] = lambda _: None,
) -> dict[str, Any]:
    """Run a study, or with ``full`` what is left of it, and write ``folder/<study>.json``.

    Args:
        study: a module of ``theory.rates.studies``.
        folder: where the result goes.
        full: the full sizes; finished cells of the same code and config are then not run again.
        code: what the study runs; by default it is read now.
        cells: where finished cells of full runs are kept.
        done: gets the number of coordinate updates.
        starting: gets the name of each cell before it runs.
        finished: gets each cell that has run, or need not run again.

    Returns:
        The study as stored.
    """
    parts, config, seeds, code = [], {}, set(), code or code_of(study.NAME)
    for cell in study.cells(full):
        path, mark = cells / f"{study.NAME}-{cell.name}.json", _mark(code, cell)
        part = _kept(path, mark) if full else None
        if part is None:
            starting(f"{study.NAME}: {cell.name}")
            begin = time.perf_counter()
            rows, curves = cell.run(done)
            seconds = round(time.perf_counter() - begin, 2)
            part = {"fingerprint": mark, "provenance": provenance.record(code, TOOLS), "wall_s": seconds, "rows": rows,
                    "curves": curves}  # fmt: skip
            if full:
                write_json(path, part)
        finished(cell)
        parts.append(part)
        seeds |= set(cell.seeds)
        config[cell.name] = {
            **cell.config,
            "seeds": len(cell.seeds),
            "wall_s": part["wall_s"],
            "commit": part["provenance"]["commit"],
        }
    result = {
        "study": study.NAME,
        "title": study.TITLE,
        "mode": "full" if full else "quick",
        "config": json.loads(json.dumps(config, default=float)),
        "seeds": sorted(seeds),
        "provenance": max((part["provenance"] for part in parts), key=lambda entry: entry["computed"]),
        "wall_s": round(sum(part["wall_s"] for part in parts), 2),
        "rows": [row for part in parts for row in part["rows"]],
        "curves": [curve for part in parts for curve in part["curves"]],
    }
    write_json(folder / f"{study.NAME}.json", result)
    return result


def _kept(path: Path, mark: str) -> dict[str, Any] | None:
    """The finished cell in a file, if it is of this code and config."""
    try:
        with own(path):
            part = read(path)
            return part if part["fingerprint"] == mark else None
    except FileNotFoundError:
        return None


def stored_studies(folder: Path, names: Sequence[str]) -> list[dict[str, Any]]:
    """Those of these studies that the folder holds."""
    paths = [folder / f"{name}.json" for name in names]
    return [read(path) for path in paths if path.exists()]


def write_parquet(studies: Sequence[dict[str, Any]], folder: Path) -> None:
    """``rows.parquet`` and ``curves.parquet``; every line carries its study's config, seeds and provenance."""
    rows, points = [], []
    for study in studies:
        carried = {
            "mode": study["mode"],
            "seeds": study["seeds"],
            "config": json.dumps(study["config"], sort_keys=True),
            "commit": study["provenance"]["commit"],
            "versions": json.dumps(study["provenance"]["versions"], sort_keys=True),
            "hardware": f"{study['provenance']['processor']}, {study['provenance']['cores']} cores",
            "wall_s": study["wall_s"],
        }
        rows += [{**row, **carried} for row in study["rows"]]
        for curve in study["curves"]:
            labels = {key: value for key, value in curve.items() if not isinstance(value, list)}
            columns = ("x", "measured", "low", "high", "bound", "predicted")
            labels = {key: value for key, value in labels.items() if key not in columns}
            for i in range(len(curve["x"])):
                point = {key: curve[key][i] if curve[key] is not None else None for key in columns}
                points.append({"study": study["study"], **labels, **point, "commit": carried["commit"]})
    for name, lines in (("rows", rows), ("curves", points)):
        write(folder / f"{name}.parquet", parquet(lines))
