"""Measure the rate of an optimizer on an objective: :func:`measure`."""

import time
from collections.abc import Callable, Sequence
from math import isfinite, sqrt
from pathlib import Path
from typing import Any

import numpy as np
import torch

from theory.ledger import provenance
from theory.objectives.base import Noise, Objective
from theory.rates import kept_runs, user_code, walkers
from theory.rates import problem as problems
from theory.rates.measured import NAMES, Hypothesis, Rates, Theory
from theory.rates.problem import Problem
from theory.rates.records import Prediction
from theory.rates.walkers import Method
from theory.stability import linear
from theory.theorems import bounds

TOOLS = ("numpy", "torch", "scipy")
SCHEDULES = ("1/sqrt(T)", "constant")
TOLERANCE = 0.0
"""Of an exponent: an interval that leaves out the prediction does not agree with it."""
DIGITS = 5e-4
"""Tolerance of a linear factor, as in the study of linear rates: the fit's own error, as there are no seeds."""

Schedule = str | Callable[[int, int], float]


def measure(
    method: str | type[torch.optim.Optimizer],
    objective: str | Objective | Callable[[Any], Any],
    *,
    lr: float,
    start: Sequence[float] | None = None,
    noise: float | Noise | None = None,
    gradient: Callable[[Any], Any] | None = None,
    infimum: float | None = None,
    L: float | None = None,
    batch: int = 1,
    schedule: Schedule = "1/sqrt(T)",
    T: Sequence[int] = (100, 316, 1_000, 3_162, 10_000),
    seeds: int = 16,
    quantity: str = "grad2",
    window: tuple[float, float] | None = None,
    stacked: bool | None = None,
    name: str | None = None,
    keep: str | Path | None = None,
    done: Callable[[int, int], None] = lambda _done, _all: None,
    **hyper: Any,
) -> Rates:
    """Run an optimizer for several numbers of steps T and many seeds, and fit how a quantity falls with T.

    Args:
        method: "ESGD", "EAdam", "ALTO vanilla" or "ALTO" (the paper's algorithms in float64), or a
            ``torch.optim.Optimizer`` class.
        objective: a name of :func:`theory.objectives.names`, an ``Objective``, or a function of one point, shape (d,).
            The function takes a float64 torch tensor and returns one number, or shape (n,) for n terms whose mean is f;
            the gradient is autograd's. With ``gradient``, it and the gradient take NumPy arrays.
        lr: learning rate as the method writes it; for "1/sqrt(T)" that of the smallest T.
        start: the first point, shape (d,); needed for a function.
        noise: standard deviation per coordinate of normal gradient noise, 0 for none, or a model of
            :mod:`theory.objectives.noise`. By default the objective's own: a batch of terms for a function
            with n terms, and 1.0 for other functions.
        gradient: gradient of a function, shape (d,) -> (d,).
        infimum: f*, for "gap" and "last"; measured by L-BFGS where it is not known.
        L: a Lipschitz constant of the gradient, for the theorems; none is predicted for a function without it.
        batch: samples per step.
        schedule: "1/sqrt(T)" (constant in a run, lr sqrt(T_1 / T)), "constant", or a function (k, T) -> the factor of
            lr in step k = 1, ..., T.
        T: at least three numbers of steps.
        seeds: how many; 1 is used where there is no noise.
        quantity: "grad2", "gap" or "last": see :data:`theory.rates.measured.NAMES`.
        window: smallest and largest T of the fits; by default the last decade, or the three largest T.
        stacked: whether the seeds of a torch optimizer share one parameter; by default only for torch's elementwise
            optimizers.
        name: what to call a function.
        keep: folder for the finished run of every T (with "constant" there is one run): the same call with the same
            files continues there.
        done: gets the number of steps done, and of all.
        **hyper: arguments of the method.

    Returns:
        The rates.

    Raises:
        ValueError: an argument is missing or out of range, or the run diverged.
        UserCodeError: a function or an optimizer class from outside raised.
    """
    begin, code = time.perf_counter(), provenance.code("theory.rates.measuring", "theory.objectives")
    sizes = _sizes(T)
    _check(batch, seeds, quantity, schedule)
    window = _window(sizes, window)
    chosen = walkers.make(method, lr, hyper, stacked)
    problem = problems.make(
        objective, start=start, noise=noise, gradient=gradient, infimum=infimum, L=L, name=name
    )  # fmt: skip
    _finite(problem)
    if quantity != "grad2" or (problem.L and chosen.setting):
        problem = problems.with_infimum(problem)
    replicas, notes = (seeds, ()) if problem.noisy else (1, ("there is no noise: one seed",))
    used = {
        "optimizer": chosen.name,
        "lr": _rate_words(chosen.lr, schedule, sizes),
        **{key: value for key, value in chosen.arguments.items() if value is not None and value is not False},
        "schedule": schedule if isinstance(schedule, str) else getattr(schedule, "__name__", "a function"),
        "objective": f"{problem.name}, d = {len(problem.start)}",
        "noise": problem.noise,
        "batch": batch,
        "T": ", ".join(str(one) for one in sizes),
        "seeds": f"{replicas} (0 to {replicas - 1}), {chosen.engine}" if replicas > 1 else "none: no noise",
        "quantity": f"{quantity}: {NAMES[quantity]}",
        "infimum": "not needed" if problem.infimum is None else problem.infimum,
        "L": "not known" if problem.L is None else problem.L,
    }
    if replicas == 1 and problem.noisy:
        used["seeds"] = "1 (0)"
    folder = None
    if keep is not None:
        mine = (objective, gradient, noise, method, schedule)
        brought = [one for one in mine if one is not None and not isinstance(one, str | int | float)]
        settings = {**used, "start": problem.start.tolist(), "lr": chosen.lr, "smallest T": int(sizes[0])}
        changing = {"seeds"} if schedule == "constant" else {"T", "seeds"}  # else each T has a run of its own
        told = {key: value for key, value in settings.items() if key not in changing} | {"replicas": replicas}
        folder = Path(keep) / kept_runs.identity(told, code.digest, provenance.versions(TOOLS), brought)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # tensors this small gain nothing from more, and lose where cores are shared
    try:
        per_seed, inside = _run(problem, chosen, sizes, schedule, batch, replicas, quantity, done, folder)
    finally:
        torch.set_num_threads(threads)
    theory, why_not = _theory(problem, chosen, sizes, schedule, batch, quantity, inside)
    return Rates(
        sizes, per_seed, quantity, used, window, theory, why_not, (*problem.notes, *notes),
        provenance.record(code, TOOLS), time.perf_counter() - begin,
    )  # fmt: skip


def _finite(problem: Problem) -> None:
    """Refuse what no smaller lr would mend."""
    with np.errstate(all="ignore"):
        found = problem.value(problem.start[None]), problem.gradient(problem.start[None])
    if not all(np.isfinite(one).all() for one in found):
        raise ValueError(
            f"objective {problem.name}: f or its gradient is not finite at the start; choose another start"
        )


def _sizes(T: Sequence[int]) -> np.ndarray:
    sizes = np.unique(np.array(T))
    if len(sizes) < 3 or sizes[0] < 1 or (sizes != sizes.astype(np.int64)).any():
        raise ValueError(f"T = {tuple(T)} must hold at least three different whole numbers of at least 1")
    return sizes.astype(np.int64)


def _check(batch: int, seeds: int, quantity: str, schedule: Schedule) -> None:
    for argument, value in (("batch", batch), ("seeds", seeds)):
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise ValueError(f"{argument} = {value!r} must be a whole number of at least 1")
    if quantity not in NAMES:
        raise ValueError(f"quantity = {quantity!r} must be one of {', '.join(NAMES)}")
    if not callable(schedule) and schedule not in SCHEDULES:
        raise ValueError(f"schedule = {schedule!r} must be one of {', '.join(SCHEDULES)}, or a function (k, T)")


def _window(sizes: np.ndarray, window: tuple[float, float] | None) -> tuple[float, float]:
    """The given window, or the last decade, or the three largest T if it holds fewer."""
    largest = float(sizes[-1])
    if window is None:
        decade = largest / 10.001
        return (decade if (sizes >= decade).sum() >= 3 else float(sizes[-3]), largest)
    low, high = window
    held = int(((sizes >= low) & (sizes <= high)).sum())
    if held < 3:
        raise ValueError(f"window = {window} holds {held} of T = {sizes.tolist()}: a fit needs three")
    return float(low), float(high)


def _rate_words(lr: float, schedule: Schedule, sizes: np.ndarray) -> str:
    if schedule == "1/sqrt(T)":
        return f"{lr:g} at T = {sizes[0]}, {lr * sqrt(sizes[0] / sizes[-1]):.4g} at T = {sizes[-1]}"
    return f"{lr:g}" if schedule == "constant" else f"{lr:g} times the schedule"


def _run(
    problem: Problem, method: Method, sizes: np.ndarray, schedule: Schedule, batch: int, seeds: int, quantity: str,
    done: Callable[[int, int], None], folder: Path | None,
) -> tuple[np.ndarray, bool]:  # fmt: skip
    """The quantity per seed, shape (R, P), and whether all iterates stayed in the domain.

    A constant schedule needs one run; with another, each T has a run of its own with the same noise. Runs that
    ``folder`` holds are taken from there, and finished ones are kept in it.
    """
    if schedule == "constant":
        plans = [(int(sizes[-1]), sizes)]
    else:
        plans = [(int(T), sizes[i : i + 1]) for i, T in enumerate(sizes)]
    total, before, parts, inside = sum(T for T, _ in plans), 0, [], True
    for steps, stops in plans:

        def factor(k: int, steps: int = steps) -> float:
            if callable(schedule):
                with user_code.of("the schedule"):
                    return float(schedule(k, steps))
            return 1.0 if schedule == "constant" else sqrt(sizes[0] / steps)

        kept = kept_runs.load(folder, steps) if folder else None
        part, stayed = kept or _one(problem, method, stops, factor, batch, seeds, quantity,
                                    lambda k, before=before: done(before + k, total))  # fmt: skip
        if folder and not kept:
            kept_runs.save(folder, steps, part, stayed)
        before += steps
        parts.append(part)
        inside &= stayed
    return np.concatenate(parts, -1), inside


def _one(
    problem: Problem, method: Method, stops: np.ndarray, factor: Callable[[int], float], batch: int, seeds: int,
    quantity: str, done: Callable[[int], None],
) -> tuple[np.ndarray, bool]:  # fmt: skip
    """One run up to the last stop."""
    walker, rng = method.at(problem.start, seeds), np.random.default_rng(list(range(seeds)))
    sums, kept, inside, wanted = np.zeros(seeds), [], True, set(stops.tolist())
    with np.errstate(over="ignore", invalid="ignore"):
        for k in range(1, int(stops[-1]) + 1):
            theta = walker.theta
            gradient = problem.gradient(theta)
            if quantity == "grad2":
                sums += (gradient**2).sum(-1)
            elif quantity == "gap":
                sums += problem.value(theta) - (problem.infimum or 0.0)
            inside &= bool((theta >= problem.domain[0]).all() and (theta <= problem.domain[1]).all())
            noisy = gradient if problem.noisy is None else problem.noisy(rng, theta, gradient, batch)
            rate = method.lr * factor(k)
            if not (isfinite(rate) and rate >= 0):
                raise ValueError(
                    f"schedule gives the learning rate {rate} in step {k}: it must be finite and at least 0"
                )
            walker.step(noisy, rate)
            if k in wanted:
                last = quantity == "last"
                kept.append(problem.value(walker.theta) - (problem.infimum or 0.0) if last else sums / k)
            if k % 100 == 0 or k in wanted:
                if not (np.isfinite(walker.theta).all() and np.isfinite(sums).all()):
                    raise ValueError(f"lr = {method.lr:g}: the run diverged before step {k}; choose a smaller lr")
                done(k)
    return np.stack(kept, -1), inside


def _theory(
    problem: Problem, method: Method, sizes: np.ndarray, schedule: Schedule, batch: int, quantity: str, inside: bool
) -> tuple[Theory | None, str]:
    """What a theorem says, or why none does."""
    setting = method.setting
    if setting is None or setting.method != "ESGD":
        return None, f"none covers {method.name} with these settings"
    if problem.eigenvalues is not None and problem.noisy is None and (quantity, schedule) == ("last", "constant"):
        beta1 = setting.beta1 if setting.alpha else 0.0  # at alpha = 0 theta does not see h
        radius = max(
            float(linear.spectral_radius(method.lr * one, setting.filter.c, beta1, setting.beta2))
            for one in problem.eigenvalues
        )
        said = Prediction(radius**2, "=", "ours-stability-region", DIGITS)
        hypotheses = (
            Hypothesis("f is a quadratic, and there is no noise", True),
            Hypothesis("the slowest mode alone is left in the window", False),
        )
        return Theory("factor", said, hypotheses), ""
    if (quantity, schedule) != ("grad2", "1/sqrt(T)"):
        return None, f"none gives a rate of {quantity!r} with the schedule {schedule!r} here"
    if problem.L is None or problem.infimum is None:
        return None, "L of the objective is not known: give L"
    largest = bounds.largest_step_small_batch(setting.filter, problem.L)
    eta = setting.eta
    if eta > largest * (1 + 1e-12):
        scale = method.lr / eta
        return None, f"lr = {method.lr:g} exceeds the largest that the theorem allows here, {largest * scale:.6g}"
    gap = float(problem.value(problem.start[None])[0]) - problem.infimum
    bound = None
    if problem.variance is not None:
        bound = np.array([
            bounds.mean_square_gradient_small_batch(
                setting.filter, L=problem.L, eta=eta * sqrt(sizes[0] / T), T=int(T), gap=gap,
                variance=problem.variance / batch,
            )
            for T in sizes
        ])  # fmt: skip
    registered = bool(np.isfinite(problem.domain).all())
    hypotheses = (
        Hypothesis(f"eta = {eta:.4g} is at most {largest:.4g}", True),
        Hypothesis(f"the gradient has the Lipschitz constant L = {problem.L:g} along the run", inside and registered),
        Hypothesis("the noise is unbiased, with the same variance everywhere", problem.variance is not None),
        Hypothesis(f"f is at least {problem.infimum:g}", registered),
    )  # fmt: skip
    return Theory(
        "exponent", Prediction(-0.5, "<=", "ours-theorem-n-sgd-small-batch", TOLERANCE), hypotheses, bound
    ), ""
