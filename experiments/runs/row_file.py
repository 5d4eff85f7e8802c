"""Finished rows as lines of one file, to carry them from one checkout or machine to another."""

import json
from pathlib import Path

from experiments.io import stored
from experiments.io.errors import DataError
from experiments.io.files import write_atomic
from experiments.runs import rows
from experiments.runs.rows import Row


def read(path: Path) -> list[Row]:
    """The rows of a file.

    Args:
        path: The file; one that does not exist holds no rows.

    Returns:
        The rows.

    Raises:
        DataError: the file cannot be read, a line is no whole row or was changed by hand, or two lines are different
            rows of one run; file and lines are named.
    """
    try:
        with stored.own(path):
            lines = stored.text(path).splitlines()
    except FileNotFoundError:
        return []
    found, places = [], {}
    for number, line in enumerate(lines, 1):
        where = Path(f"{path}, line {number},")
        with stored.own(where, "restore it, or name a file of rows"):
            found.append(rows.from_table(stored.parsed(line), where))
        first = places.setdefault(found[-1].run.digest, number)
        if first != number and found[first - 1] != found[-1]:
            raise DataError(f"{path}, lines {first} and {number}: two rows of one run, {found[-1].run.id}: delete one")
    return found


def exchange(path: Path, out: Path, finished: list[Row]) -> tuple[int, int]:
    """Give each side what it lacks: the file the finished rows, the output folder the file's rows.

    Where both have a run, each keeps its own row, also a damaged one or one of other data.

    Args:
        path: The file; written atomically, and only when a row is added.
        out: The experiment's output folder; the caller holds its lock.
        finished: The rows that are there.

    Returns:
        How many rows the file gained, and how many the folder.
    """
    kept = {row.run.digest: row for row in read(path)}
    gained = [row for row in finished if row.run.digest not in kept]
    given = [row for row in kept.values() if not (rows.folder(out, row.run) / "row.json").exists()]
    for row in given:
        rows.write(rows.folder(out, row.run), row)
    if gained:
        lines = sorted(json.dumps(rows.to_table(row)) for row in [*kept.values(), *gained])
        write_atomic(path, "".join(f"{line}\n" for line in lines).encode())
    return len(gained), len(given)
