"""What the stored benchmark says about two contestants: the ratio of their times, round by round."""

from dataclasses import dataclass
from typing import Any

from experiments.errors import DataError


@dataclass(frozen=True)
class Race:
    """The time of one contestant's step over another's, on the parameters of one network."""

    case: str
    contestant: str
    rival: str


def ratios(stored: dict[str, dict[str, Any]], race: Race) -> list[float]:
    """Time over time in each round; the two of a round were taken next to each other.

    Args:
        stored: What `experiments.bench.store.read` returns.
        race: Who against whom.

    Returns:
        One ratio a round.

    Raises:
        DataError: the benchmark has no such case or contestant.
    """
    cases = {case["name"]: case for case in stored.get("step", {}).get("cases", [])}
    rows = {row["name"]: row for row in cases.get(race.case, {}).get("contestants", [])}
    for name in (race.contestant, race.rival):
        if name not in rows:
            raise DataError(
                f"the stored benchmark has no {name!r} on {race.case!r}; first: bench step --out results/bench"
            )
    pairs = zip(rows[race.contestant]["each_round"], rows[race.rival]["each_round"], strict=True)
    return [own / other for own, other in pairs]


def protocol(stored: dict[str, dict[str, Any]]) -> str:
    """How the times were taken, in a sentence.

    Args:
        stored: As in `ratios`.

    Returns:
        The sentence.
    """
    step = stored["step"]
    load = step["load_average"]["before"]
    return (
        f"bench step, {step['dtype']}, {step['threads']} threads, {step['rounds']} rounds, {step['hardware']['name']}, "
        f"load average {load:.1f} before; interval over rounds"
    )
