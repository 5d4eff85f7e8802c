"""Finished runs of :func:`theory.rates.measure` on disk, so that the same call continues after an interruption."""

import hashlib
import inspect
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from theory.ledger import files, stored


def identity(used: Mapping[str, Any], code: str, versions: Mapping[str, str], brought: Iterable[Any]) -> str:
    """The name of all that decides a run's result, 12 hexadecimal digits.

    Args:
        used: settings, in words and numbers.
        code: digest of this package's code.
        versions: of the libraries.
        brought: functions, objects and classes of the user; the files that define them count, what these import does
            not.

    Returns:
        The digest.

    Raises:
        ValueError: a function is defined in no file.
    """
    whole = hashlib.sha256(json.dumps([dict(used), code, dict(versions)], default=str, sort_keys=True).encode())
    for one in brought:
        kind = one if inspect.isclass(one) or inspect.isroutine(one) else type(one)
        try:
            source = Path(inspect.getsourcefile(kind) or "").read_bytes()
        except (TypeError, OSError):
            raise ValueError(
                f"keep: {kind.__qualname__} is defined in no file, so its runs cannot be told apart"
            ) from None
        whole.update(f"{kind.__qualname__}\0".encode() + source)
    return whole.hexdigest()[:12]


def load(folder: Path, steps: int) -> tuple[np.ndarray, bool] | None:
    """A kept run of so many steps: the quantity, shape (R, P), and whether it stayed in the domain; or None."""
    path = folder / f"{steps}.json"
    if not path.exists():
        return None
    found = stored.read(path)
    return np.array(found["per_seed"]), found["inside"]


def save(folder: Path, steps: int, part: np.ndarray, inside: bool) -> None:
    """Keep a finished run, with its digest in the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / stored.SUMS).touch()
    files.write(folder / f"{steps}.json", json.dumps({"per_seed": part.tolist(), "inside": inside}) + "\n")
