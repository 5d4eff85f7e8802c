"""What measured intervals say: the one rule by which they support, contradict or leave open."""

from collections.abc import Iterable

from theory.ledger.evidence import Outcome


def decided_by(margins: Iterable[tuple[float, float]]) -> Outcome:
    """The outcome for a statement that each of some quantities is positive.

    Args:
        margins: the two ends of each quantity's interval, the lower one first.

    Returns:
        It supports where every interval lies above 0, contradicts where one lies below 0, and is inconclusive
        otherwise: where an interval contains 0, where an end is nan, and where there is none.
    """
    ends = list(margins)
    if any(high < 0 for _, high in ends):
        return Outcome.CONTRADICTS
    return Outcome.SUPPORTS if ends and all(low > 0 for low, _ in ends) else Outcome.INCONCLUSIVE
