"""The contract as a suite: for pytest, for the command line, and for the table of packages."""

import traceback
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from theory.conform import parts, search
from theory.conform.trial import Make, Part, Run, Trial, trials
from theory.rates import user_code

PROFILES = {"quick": 5, "ci": 20, "thorough": 200}
"""How many problems each part draws."""


class State(StrEnum):
    """What became of a part of the contract."""

    KEPT = "kept"
    BROKEN = "broken"
    RAISED = "raised"
    NOT_OFFERED = "not offered"


@dataclass(frozen=True)
class Outcome:
    """A part of the contract: what became of it, what was seen, and the simplest problem in which it breaks."""

    part: str
    state: State
    detail: str = ""
    case: str = ""
    error: Exception | None = None

    @property
    def fails(self) -> bool:
        """Whether the contract is broken here."""
        return self.state in {State.BROKEN, State.RAISED}

    def to_json(self) -> dict[str, str]:
        """The outcome as plain data."""
        return {"part": self.part, "state": self.state, "detail": self.detail, "case": self.case}


def judge(
    name: str, part: Part, make: Make, *, dims: Sequence[int] | None = None, budget: int | None = None,
    seed: int | None = None, shrink: bool = True,
) -> Outcome:  # fmt: skip
    """Run one part of the contract on drawn problems.

    Args:
        name: of the part.
        part: its function.
        make: from parameters or groups to an optimizer.
        dims: how many dimensions parameters may have; 0, 1 and 2 by default.
        budget: how many problems; the current Hypothesis profile's number by default.
        seed: of the draws; by default the profile and ``--hypothesis-seed`` decide.
        shrink: whether to look for a simpler problem once one is found.

    Returns:
        The outcome.
    """
    failure = search.smallest(trials(dims), lambda trial: part(make, trial), examples=budget, seed=seed, shrink=shrink)
    if failure is None:
        return Outcome(name, State.KEPT)
    if isinstance(failure.error, search.NotOfferedError):
        return Outcome(name, State.NOT_OFFERED, str(failure.error))
    if isinstance(failure.error, AssertionError) and _is_ours(failure.error):
        return Outcome(name, State.BROKEN, str(failure.error), str(failure.case), failure.error)
    said = f"raises {type(failure.error).__name__}: {str(failure.error).splitlines()[0] if str(failure.error) else ''}"
    return Outcome(name, State.RAISED, said, str(failure.case), failure.error)


def _is_ours(error: Exception) -> bool:
    """Whether a part asserted it, and not the optimizer."""
    return traceback.extract_tb(error.__traceback__)[-1].filename.startswith(user_code.PACKAGE)


def probe(make: Make, dims: Sequence[int] | None = None) -> None:
    """A plain run of two steps.

    Args:
        make: from parameters to an optimizer.
        dims: how many dimensions parameters may have.

    Raises:
        ValueError: ``make`` returns no optimizer.
        UserCodeError: it or the run raised, so that nothing can be judged.
    """
    shapes = tuple(shape for shape in ((3,), (2, 3), ()) if len(shape) in (dims or (0, 1, 2))) or ((2, 2, 2),)
    with user_code.of("a plain run of two steps"):
        made = make(list(Run(_Nothing, Trial(shapes)).params))
    missing = [name for name in ("step", "state_dict", "param_groups") if not hasattr(made, name)]
    if missing:
        raise ValueError(f"it makes a {type(made).__name__}, which has no {', '.join(missing)}: it is no optimizer")
    with user_code.of("a plain run of two steps"):
        Run(make, Trial(shapes)).steps(0, 2)


class _Nothing:
    """In the place of an optimizer, for its parameters' sake."""

    def __init__(self, _: Any) -> None:
        """Keep nothing."""


def _chosen(
    make: Make, dims: Sequence[int] | None, invariances: Sequence[str], without: Sequence[str], budget: int | None
) -> dict[str, Part]:
    """The parts to run, once every argument is one to run with."""
    if not callable(make):
        raise ValueError(f"make = {make!r}: must be a function from parameters to an optimizer")
    if dims is not None and not (isinstance(dims, Collection) and dims and set(dims) <= {0, 1, 2, 3}):
        raise ValueError(f"dims = {dims!r}: must hold some of 0, 1, 2, 3, and nothing else")
    if budget is not None and (not isinstance(budget, int) or budget < 1):
        raise ValueError(f"budget = {budget!r}: must be a whole number of at least 1")
    return parts.chosen(invariances, without)


def check(
    make: Make, *, dims: Sequence[int] | None = None, invariances: Sequence[str] = (), without: Sequence[str] = (),
    budget: int | None = None, seed: int | None = None, shrink: bool = True,
) -> list[Outcome]:  # fmt: skip
    """The whole contract.

    Args:
        make: from parameters or groups to an optimizer.
        dims: how many dimensions parameters may have; 0, 1 and 2 by default.
        invariances: what the optimizer declares, of :data:`theory.conform.invariances.INVARIANCES`.
        without: parts to leave out.
        budget: problems per part.
        seed: of the draws.
        shrink: whether to look for simpler problems.

    Returns:
        One outcome per part.

    Raises:
        ValueError: an unknown name, a number out of its range, or ``make`` returns no optimizer.
        UserCodeError: a plain run raised.
    """
    named = _chosen(make, dims, invariances, without, budget)
    probe(make, dims)
    return [judge(name, part, make, dims=dims, budget=budget, seed=seed, shrink=shrink) for name, part in named.items()]


def contract(
    make: Make, *, dims: Sequence[int] | None = None, invariances: Sequence[str] = (), without: Sequence[str] = (),
    budget: int | None = None, seed: int | None = None,
) -> Callable[..., None]:  # fmt: skip
    """A pytest test of the contract of torch optimizers, one case per part.

    Args:
        make: from parameters, or parameter groups, to the optimizer: ``lambda params: Mine(params, lr=0.1)``. On a
            quadratic of curvature 1 its steps must be stable.
        dims: how many dimensions parameters may have; 0, 1 and 2 by default.
        invariances: what the optimizer declares: "scale", "sign", "permutation", "layer rescaling".
        without: parts to leave out, by name.
        budget: problems per part. By default the Hypothesis profile decides; ``--hypothesis-seed`` counts.
        seed: of the draws.

    Returns:
        A function for a module of tests, to be bound to a name that starts with ``test``.

    Raises:
        ValueError: an unknown invariance or part, a number out of its range, or ``make`` is no function.

    Example:
        >>> import torch
        >>> test_sgd = contract(lambda params: torch.optim.SGD(params, lr=0.1), without=["sparse gradients"])
        >>> test_sgd("resume")
    """
    import pytest

    named = _chosen(make, dims, invariances, without, budget)

    @pytest.mark.parametrize("part", list(named))
    def test(part: str) -> None:
        outcome = judge(part, named[part], make, dims=dims, budget=budget, seed=seed)
        if outcome.state is State.NOT_OFFERED:
            pytest.skip(outcome.detail)
        if outcome.fails:
            pytest.fail(f"{part}: {outcome.detail}\nat {outcome.case}{theirs(outcome)}", pytrace=False)

    test.__doc__ = "The contract of torch optimizers."
    return test


def theirs(outcome: Outcome) -> str:
    """The traceback of what the optimizer raised, or "" if it raised nothing."""
    if outcome.state is not State.RAISED or outcome.error is None:
        return ""
    wrapped = user_code.UserCodeError()
    wrapped.__cause__ = outcome.error
    return f"\n\n{user_code.their_traceback(wrapped)}".rstrip()
