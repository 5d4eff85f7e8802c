"""Does a third-party optimizer do what the paper says? The update rule, its bounds and its habits, as a black box.

Every check draws settings and numbers, runs them through the optimizer and through the literal algorithm in float64,
and reports the simplest case in which they differ.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from hypothesis import strategies as st

from theory.conform import search
from theory.conform.case import Case, cases
from theory.conform.search import NotOfferedError
from theory.conform.subject import REFERENCES, SWITCHES, Subject
from theory.method.algorithms import Layers
from theory.method.filters import Filter
from theory.rates import user_code

EXACT, SINGLE = 1e-9, 2e-5
"""Largest difference that counts as agreement, over the largest parameter: float64, and float32 parameters."""
EXAMPLES = 25
ALPHA_KEYS = ("alpha", "alp", "explore_alpha")
"""What the exploration strength of a parameter group may be called."""


class DepartureError(AssertionError):
    """The optimizer does something else; the message says what."""


@dataclass(frozen=True)
class Observation:
    """One check: its name, whether the subject agrees with the paper, what was seen, and the simplest case of it."""

    check: str
    claim: str
    agrees: bool
    detail: str
    case: str = ""


@dataclass(frozen=True)
class Check:
    """A check of the comparison.

    Args:
        name: what it is about.
        claim: of the ledger.
        run: raises :class:`DepartureError` in a case in which the subject departs.
        own: fields of the case that it fixes, or strategies for them.
        agreed: what is said where no case departs.
    """

    name: str
    claim: str
    run: Callable[[Subject, Case], None]
    own: Mapping[str, Any]
    agreed: str = ""


def _tensors(layers: Layers, case: Case, dtype: torch.dtype) -> list[torch.Tensor]:
    return [torch.tensor(x[0], dtype=dtype).reshape(shape).requires_grad_()
            for x, shape in zip(layers, case.shapes, strict=True)]  # fmt: skip


def _rates(case: Case, *, groups: bool, moving: bool) -> Callable[[int, int], tuple[float, float]]:
    """The learning rate and alpha of parameter ``i`` in step ``k``."""

    def at(k: int, i: int) -> tuple[float, float]:
        lr = case.lr * (4.0 if groups and i else 1.0) * (1 + k % 3 if moving else 1)
        return lr, case.alpha / (1 + k % 2) if moving else case.alpha

    return at


def observed(
    subject: Subject, case: Case, *, groups: bool = False, moving: bool = False, resume_at: int | None = None,
    by_closure: bool = False, dtype: torch.dtype = torch.float64, gradients: list[Layers] | None = None,
) -> tuple[list[Layers], bool]:  # fmt: skip
    """Run the subject.

    Args:
        subject: which.
        case: in which case.
        groups: whether the parameters after the first are in a second group, of four times the rate.
        moving: whether rates change from step to step, and alpha where groups have it.
        resume_at: the step before which state is moved into a new optimizer.
        by_closure: whether a closure sets the gradients.
        dtype: of the parameters.
        gradients: other gradients than the case's.

    Returns:
        The parameters after each step as (1, n) float64 arrays, and whether alpha was changed too.
    """
    start, own = case.numbers(np.float32 if dtype is torch.float32 else np.float64)
    rate = _rates(case, groups=groups, moving=moving)

    def build(layers: Layers) -> tuple[list[torch.Tensor], Any]:
        params = _tensors(layers, case, dtype)
        split = [{"params": params[:1]}, {"params": params[1:], "lr": 4 * case.lr}] if groups else params
        return params, subject.build(split, case)

    params, optimizer = build(start)
    explores = [key for key in ALPHA_KEYS if key in optimizer.param_groups[0]][:1]
    thetas = []
    for k, g in enumerate(own if gradients is None else gradients):
        if k == resume_at:
            with user_code.of(f"{subject.name}.state_dict"):
                saved = optimizer.state_dict()
            params, optimizer = build([p.detach().double().numpy().reshape(1, -1) for p in params])
            with user_code.of(f"{subject.name}.load_state_dict"):
                optimizer.load_state_dict(saved)
        if moving:
            for i, group in enumerate(optimizer.param_groups):
                group["lr"], alpha = rate(k, i)
                group.update(dict.fromkeys(explores, alpha))

        def assign(g: Layers = g, params: list[torch.Tensor] = params) -> torch.Tensor:
            for p, value in zip(params, g, strict=True):
                p.grad = torch.tensor(value[0], dtype=dtype).reshape(p.shape)
            return torch.zeros(())

        if not by_closure:
            assign()
        with user_code.of(f"{subject.name}.step"):
            optimizer.step(assign) if by_closure else optimizer.step()
        thetas.append([p.detach().double().numpy().reshape(1, -1).copy() for p in params])
    return thetas, bool(explores)


def expected(
    subject: Subject, case: Case, *, groups: bool = False, moving: bool = False, alpha_moves: bool = False,
    gradients: list[Layers] | None = None, dtype: type = np.float64, **literal: Any,
) -> list[Layers]:  # fmt: skip
    """The same by the literal algorithm, one per parameter: the paper's layers do not interact."""
    start, own = case.numbers(dtype)
    rate = _rates(case, groups=groups, moving=moving)
    sign = -1.0 if subject.fixed.get("maximize") else 1.0
    runs = [subject.literal(case, **literal) for _ in start]
    thetas = [run.init([x])[0] for run, x in zip(runs, start, strict=True)]
    seen = []
    for k, g in enumerate(own if gradients is None else gradients):
        for i, run in enumerate(runs):
            lr, alpha = rate(k, i)
            if alpha_moves:
                run.alpha = alpha
            thetas[i] = run.step([thetas[i]], [sign * g[i]], lr)[0]
        seen.append(list(thetas))
    return seen


def distance(left: list[Layers], right: list[Layers]) -> float:
    """The largest difference between two trajectories, relative to the largest parameter; NaN counts as infinite."""
    pairs = [(x, y) for a, b in zip(left, right, strict=True) for x, y in zip(a, b, strict=True)]
    size = max(float(np.maximum(np.abs(x), np.abs(y)).max()) for x, y in pairs)
    away = max(float(np.nan_to_num(np.abs(x - y), nan=np.inf).max()) for x, y in pairs)
    return away / size if size > 0 else away


def _compare(subject: Subject, case: Case, **how: Any) -> None:
    seen, alpha_moves = observed(subject, case, **how)
    single = how.get("dtype") is torch.float32
    alike = {key: how[key] for key in ("groups", "moving") if key in how}
    dtype = np.float32 if single else np.float64
    literal = expected(subject, case, alpha_moves=alpha_moves and bool(how.get("moving")), dtype=dtype, **alike)
    if (away := distance(seen, literal)) > (SINGLE if single else EXACT):
        raise DepartureError(f"parameters differ by {away:.2g} of the largest")


def _update_rule(subject: Subject, case: Case) -> None:
    _compare(subject, case)


def _groups(subject: Subject, case: Case) -> None:
    _compare(subject, case, groups=True)


def _moving(subject: Subject, case: Case) -> None:
    _compare(subject, case, moving=True)


def _single(subject: Subject, case: Case) -> None:
    _compare(subject, case, dtype=torch.float32)


def _large_gradients(subject: Subject, case: Case) -> None:
    try:
        _compare(subject, case)
    except DepartureError as departure:
        gradients = case.numbers()[1]
        norms = [np.sqrt(sum(float((x**2).sum()) for x in g)) for g in gradients]
        clipped = [[x * min(1.0, 1 / (n + 1e-6)) for x in g] for g, n in zip(gradients, norms, strict=True)]
        if distance(observed(subject, case)[0], expected(subject, case, gradients=clipped)) <= EXACT:
            raise DepartureError("clipped to a global norm of 1 inside the step") from departure
        raise


def _without_decay(subject: Subject, case: Case) -> None:
    if not subject.layerwise:
        raise NotOfferedError("no layer factor")
    try:
        _compare(subject, case)
    except DepartureError as departure:
        if distance(observed(subject, case)[0], expected(subject, case, layerwise=False)) <= EXACT:
            raise DepartureError("the layer factor is dropped: it is tied to weight decay") from departure
        raise


def _zero_layer(subject: Subject, case: Case) -> None:
    """A layer at zero: the literal phi, or the factor 1 of every LAMB in use. Both count as agreeing."""
    if not subject.layerwise:
        raise NotOfferedError("no layer factor")
    seen = observed(subject, case)[0]
    if min(distance(seen, expected(subject, case, factor_one=one)) for one in (True, False)) > EXACT:
        raise DepartureError("neither phi nor the factor 1")


def _bounded(subject: Subject, case: Case) -> None:
    """Lemma 9: a layer moves by at most eta phi; Lemma 3, for E on SGD: by at most eta kappa G."""
    start, gradients = case.numbers()
    seen = [start, *observed(subject, case)[0]]
    eps3 = subject.seen(case).eps[2]
    worst = 0.0
    for before, after in pairwise(seen):
        for x, y in zip(before, after, strict=True):
            if subject.layerwise:
                bound = case.lr * (float(np.linalg.norm(x)) + eps3)
                worst = max(worst, float(np.linalg.norm(y - x)) / bound)
            else:
                G = max(float(np.abs(v).max()) for g in gradients for v in g)
                bound = case.lr * Filter(case.alpha, case.beta1, 0.0).kappa * G
                worst = max(worst, float(np.abs(y - x).max()) / bound)
    if not worst <= 1 + 1e-9:
        raise DepartureError(f"{worst:.4f} of the bound")


def _gradient_left_alone(subject: Subject, case: Case) -> None:
    start, gradients = case.numbers()
    params = _tensors(start, case, torch.float64)
    optimizer = subject.build(params, case)
    for g in gradients:
        given = [torch.tensor(value[0]).reshape(p.shape) for value, p in zip(g, params, strict=True)]
        for p, value in zip(params, given, strict=True):
            p.grad = value.clone()
        with user_code.of(f"{subject.name}.step"):
            optimizer.step()
        if not all(p.grad is not None and torch.equal(p.grad, value) for p, value in zip(params, given, strict=True)):
            raise DepartureError("overwritten")


def _resume(subject: Subject, case: Case) -> None:
    if distance(observed(subject, case, resume_at=case.steps // 2)[0], observed(subject, case)[0]) != 0:
        raise DepartureError("state is lost: the resumed run differs")


def _closure(subject: Subject, case: Case) -> None:
    if distance(observed(subject, case, by_closure=True)[0], observed(subject, case)[0]) > EXACT:
        raise DepartureError("the gradients are read before the closure is evaluated")


SMALL = {"shapes": st.sampled_from((((1,),), ((2,),), ((3,),)))}
LARGE = {"scale": st.sampled_from((10.0, 1000.0))}
TWO = {"shapes": st.sampled_from((((1,), (1,)), ((3,), (2, 2), (1,))))}
CHECKS = (
    Check("update rule", "identity-slow-average", _update_rule, {}),
    Check("large gradients", "clipping-confound", _large_gradients, LARGE, "used as they are"),
    Check("small models", "identity-slow-average", _update_rule, SMALL, "1, 2 and 3 scalars start from g_0 = 0"),
    Check("groups", "identity-slow-average", _groups, TWO, "each group's own learning rate"),
    Check("changing rates", "identity-slow-average", _moving, {"steps": st.integers(2, 12)},
          "learning rate and alpha, from step to step"),
    Check("float32", "identity-slow-average", _single, {}),
    Check("largest step", "lemma-9", _bounded, {"steps": 30, "base": "SGD", "beta2": 0.0}, "within the bound"),
    Check("p.grad after step()", "identity-slow-average", _gradient_left_alone, LARGE, "the user's"),
    Check("resume from state_dict", "identity-slow-average", _resume, {"steps": st.integers(2, 12)}, "exact"),
    Check("closure", "identity-slow-average", _closure, {}, "evaluated before the gradients are read"),
    Check("no weight decay", "lemma-9", _without_decay, {"weight_decay": 0.0}, "the layer factor stays"),
    Check("a layer at zero", "lemma-9", _zero_layer, {"zero": True, "steps": 1}, "phi, or the factor 1"),
)  # fmt: skip


def conform(subject: Subject, *, examples: int = EXAMPLES, seed: int | None = 0) -> list[Observation]:
    """All checks that apply to the subject, in order.

    Args:
        subject: which.
        examples: how many cases each check draws.
        seed: of the draws; None for other cases in each run.

    Returns:
        One observation per check.

    Raises:
        UserCodeError: the subject raised in a plain run. What it raises in other cases is a departure.
    """
    observed(subject, subject.plain)
    numbers = {key: value for key, value in subject.fixed.items() if key not in SWITCHES}
    seen = []
    for check in CHECKS:
        own = {key: value for key, value in check.own.items() if key not in subject.fixed}
        if check.run in {_without_decay, _zero_layer} and (not subject.layerwise or subject.fixed.get("weight_decay")):
            continue
        elementwise_bound = subject.reference in {"E", "ESGD"} and "beta2" not in subject.fixed
        if check.run is _bounded and not (subject.layerwise or elementwise_bound):
            continue
        drawn = cases(fixed=numbers, adaptor=subject.is_adaptor, **own)
        failure = search.smallest(drawn, lambda case, run=check.run: run(subject, case), examples=examples, seed=seed)
        claim = "lemma-3" if check.run is _bounded and not subject.layerwise else check.claim
        if failure is None:
            agreed = check.agreed or f"{REFERENCES[subject.reference]}, {examples} settings{_note(subject)}"
            seen.append(Observation(check.name, claim, True, agreed))
        elif isinstance(failure.error, (DepartureError, user_code.UserCodeError)):
            seen.append(Observation(check.name, claim, False, str(failure.error), str(failure.case)))
        else:
            raise failure.error
    return seen


def _note(subject: Subject) -> str:
    single = subject.reference in {"ALTO", "LAMB"} and not subject.has_three_eps
    return "; one epsilon, compared at eps2 = eps3 = 0" if single else ""
