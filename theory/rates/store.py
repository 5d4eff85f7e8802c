"""Studies run cell by cell: each finished cell is kept, and a long run that was cut off goes on from there.

Everything is written to a temporary file first and then renamed, so that a file is whole or absent.
"""

import hashlib
import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from theory.rates.provenance import ROOT, provenance
from theory.rates.records import Cell
from theory.rates.runner import CORES

SOURCES = (
    "bounds.py", "filters.py", "stability.py", "objectives",
    *(f"rates/{name}.py" for name in ("bounds", "fit", "kernels", "records", "resting", "runner", "settings")),
)  # fmt: skip
"""What every cell's outcome depends on, in the theory package; in addition its study's own file."""

CELLS = ROOT / "runs" / "theory" / "rates" / "cells"
"""Finished cells of full runs, whatever folder the results go to."""


def fingerprint(study: ModuleType, cell: Cell) -> str:
    """SHA-256 of a cell's config and seeds and of the sources that it depends on."""
    digest = hashlib.sha256(json.dumps([cell.config, list(cell.seeds)], sort_keys=True, default=float).encode())
    for name in (*SOURCES, f"rates/studies/{study.NAME}.py"):
        path = ROOT / "theory" / name
        for file in sorted(path.rglob("*.py")) if path.is_dir() else [path]:
            digest.update(str(file.relative_to(ROOT)).encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()


def write_json(path: Path, data: dict[str, Any]) -> None:
    """Write one JSON object: the lists of numbers in one line each, infinities refused."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    partial.write_text(_pretty(data) + "\n")
    partial.replace(path)


def _pretty(data: dict[str, Any]) -> str:
    """Indented at the top, a line for each row or curve: diffs stay readable and files small."""
    parts = []
    for key, value in data.items():
        if key in {"rows", "curves"}:
            lines = ",\n  ".join(json.dumps(item, ensure_ascii=False, allow_nan=False) for item in value)
            parts.append(f'"{key}": [\n  {lines}\n ]')
        else:
            parts.append(f'"{key}": {json.dumps(value, ensure_ascii=False, allow_nan=False, default=float)}')
    return "{\n " + ",\n ".join(parts) + "\n}"


def run_study(
    study: ModuleType,
    folder: Path,
    *,
    full: bool,
    cells: Path = CELLS,
    done: Callable[[int], None] = lambda _: None,
    starting: Callable[[str], None] = lambda _: None,
    finished: Callable[[Cell], None] = lambda _: None,
) -> dict[str, Any]:
    """Run a study, or with ``full`` what is left of it, and write ``folder/<study>.json``.

    Args:
        study: a module of ``theory.rates.studies``.
        folder: where the result goes.
        full: the full sizes; finished cells of the same sources and config are then not run again.
        cells: where finished cells of full runs are kept.
        done: told of coordinate updates.
        starting: told the name of each cell before it runs.
        finished: told of each cell that has run, or need not run again.

    Returns:
        The study as stored.
    """
    parts, config, seeds = [], {}, set()
    for cell in study.cells(full):
        path, mark = cells / f"{study.NAME}-{cell.name}.json", fingerprint(study, cell)
        part = json.loads(path.read_text()) if full and path.exists() else None
        if part is None or part["fingerprint"] != mark:
            starting(f"{study.NAME}: {cell.name}")
            begin = time.perf_counter()
            rows, curves = cell.run(done)
            seconds = round(time.perf_counter() - begin, 2)
            part = {"fingerprint": mark, "provenance": provenance(CORES), "wall_s": seconds, "rows": rows,
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
        "provenance": max((part["provenance"] for part in parts), key=lambda entry: entry["finished"]),
        "wall_s": round(sum(part["wall_s"] for part in parts), 2),
        "rows": [row for part in parts for row in part["rows"]],
        "curves": [curve for part in parts for curve in part["curves"]],
    }
    write_json(folder / f"{study.NAME}.json", result)
    return result


def stored_studies(folder: Path, names: Sequence[str]) -> list[dict[str, Any]]:
    """Those of these studies that the folder holds."""
    paths = [folder / f"{name}.json" for name in names]
    return [json.loads(path.read_text()) for path in paths if path.exists()]


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
            "hardware": f"{study['provenance']['cpu']}, {study['provenance']['cores']} cores",
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
        partial = folder / f"{name}.partial"
        pq.write_table(pa.Table.from_pylist(lines), partial, compression="zstd")
        partial.replace(folder / f"{name}.parquet")
