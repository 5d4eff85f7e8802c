"""The smallest case in which a check fails, drawn and shrunk by Hypothesis."""

from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Generic, TypeVar

from theory.ledger.draws import of_their_seed

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

T = TypeVar("T")


class NotOfferedError(Exception):
    """The optimizer does not have what a check is about; the message says what."""


@dataclass(frozen=True)
class Failure(Generic[T]):
    """A case, and what the check raised in it."""

    case: T
    error: Exception
    trace: TracebackType | None = None


def smallest(
    cases: "SearchStrategy[T]",
    check: Callable[[T], None],
    *,
    examples: int | None = None,
    seed: int | None = None,
    shrink: bool = True,
) -> Failure[T] | None:
    """Draw cases until a check raises, then look for a simpler case in which it raises.

    Args:
        cases: what to draw from.
        check: raises in a case that fails. A :class:`NotOfferedError` ends the search at once, unless a case has failed
            before: then that case stands.
        examples: how many cases at most; the number of the current Hypothesis profile by default.
        seed: of the draws. By default the current profile decides, and pytest's ``--hypothesis-seed``.
        shrink: whether to look for a simpler case.

    Returns:
        The simplest failing case, or None.
    """
    import hypothesis
    from hypothesis import HealthCheck, Phase, given

    found: Failure[T] | None = None

    def attempt(case: T) -> None:
        nonlocal found
        if found and isinstance(found.error, NotOfferedError):
            return
        try:
            check(case)
        except NotOfferedError as error:
            found = found or Failure(case, error)
        except Exception as error:
            found = Failure(case, error, error.__traceback__)
            raise

    test = hypothesis.settings(
        max_examples=hypothesis.settings().max_examples if examples is None else examples,
        database=None,
        deadline=None,
        report_multiple_bugs=False,
        print_blob=False,
        phases=(Phase.generate, Phase.shrink) if shrink else (Phase.generate,),
        suppress_health_check=(HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much),
    )(given(cases)(attempt))
    try:
        with of_their_seed():
            (test if seed is None else hypothesis.seed(seed)(test))()
    except Exception:
        if found is None:  # not the check's
            raise
    if found and found.trace:  # without Hypothesis's frames and notes
        found.error.with_traceback(found.trace)
        found.error.__notes__ = []
    return found
