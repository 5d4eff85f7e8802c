"""Stored benchmarks: one file with the newest object of each kind, and the ratio of two optimizers' times in it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from experiments.io import stored
from experiments.io.errors import ConfigError, DataError
from experiments.io.files import locked, write_json

NAME = "bench.json"
FORMAT = 2  # of a stored object; raised when its keys change meaning


def read(folder: Path) -> dict[str, dict[str, Any]]:
    """What is stored.

    Args:
        folder: The folder that was given to `write`.

    Returns:
        The objects by kind; none, if there is no file.

    Raises:
        ConfigError: the file is of another format.
        DataError: it is damaged, or was changed by hand.
    """
    path = folder / NAME
    try:
        found = stored.read(path)
    except FileNotFoundError:
        return {}
    if isinstance(found, dict) and all(isinstance(r, dict) and r.get("format") == FORMAT for r in found.values()):
        return found
    raise ConfigError("--out", f"{path} is not from this version of the benchmark; move it away, or name another")


def write(folder: Path, report: dict[str, Any]) -> Path:
    """Put a report in the place of the last one of its kind, atomically.

    Args:
        folder: Where; it is created.
        report: From `record.make`.

    Returns:
        The file.
    """
    with locked(folder, wait=10.0):
        write_json(folder / NAME, stored.sealed({**read(folder), report["bench"]: report}))
    return folder / NAME


@dataclass(frozen=True)
class Race:
    """The time of one contestant's step over another's, on the parameters of one network."""

    case: str
    contestant: str
    rival: str


def ratios(found: dict[str, dict[str, Any]], race: Race) -> list[float]:
    """Time over time in each round; the two of a round were taken next to each other.

    Args:
        found: What `read` returns.
        race: The two contestants and the case.

    Returns:
        One ratio a round.

    Raises:
        DataError: the benchmark has no such case or contestant.
    """
    cases = {case["name"]: case for case in found.get("step", {}).get("cases", [])}
    rows = {row["name"]: row for row in cases.get(race.case, {}).get("contestants", [])}
    for name in (race.contestant, race.rival):
        if name not in rows:
            raise DataError(
                f"the stored benchmark has no {name!r} on {race.case!r}; first: bench step --out results/bench"
            )
    pairs = zip(rows[race.contestant]["each_round"], rows[race.rival]["each_round"], strict=True)
    return [own / other for own, other in pairs]


def protocol(found: dict[str, dict[str, Any]]) -> str:
    """How the times were taken, in a sentence.

    Args:
        found: As in `ratios`.

    Returns:
        The sentence.
    """
    step = found["step"]
    load = step["load_average"]["before"]
    return (
        f"bench step, {step['dtype']}, {step['threads']} threads, {step['rounds']} rounds, {step['hardware']['name']}, "
        f"load average {load:.1f} before; interval over rounds"
    )
