"""What is measured on: a registered objective, or a Python function with a start and a noise model."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch.fx.experimental.proxy_tensor import make_fx

from theory import objectives
from theory.objectives.base import Noise, Objective
from theory.objectives.noise import Gaussian, Multiplicative, Sign, Skewed
from theory.rates import user_code

Function = Callable[..., Any]
Rows = Callable[[np.ndarray], np.ndarray]
Draw = Callable[[np.random.Generator, np.ndarray, np.ndarray, int], np.ndarray]
"""(generator, theta, gradient, batch) -> the gradient with noise, all of shape (R, d)."""


@dataclass(frozen=True)
class Problem:
    """A function over R replicas at once, with what is known of it.

    Attributes:
        name: how messages call it.
        start: shape (d,).
        value: (R, d) -> (R,).
        gradient: (R, d) -> (R, d), without noise.
        noisy: the gradient with noise; None without noise.
        noise: the noise model in words.
        variance: E |noise|^2 of one sample where it is the same everywhere, else None.
        infimum: f*; None if it is not known.
        L: a Lipschitz constant of the gradient on the domain; None if it is not known.
        domain: (low, high) of every coordinate.
        eigenvalues: those of the Hessian if f is a quadratic, else None.
        notes: how the numbers were found.
    """

    name: str
    start: np.ndarray
    value: Rows
    gradient: Rows
    noisy: Draw | None
    noise: str
    variance: float | None
    infimum: float | None
    L: float | None
    domain: tuple[float, float] = (-np.inf, np.inf)
    eigenvalues: np.ndarray | None = None
    notes: tuple[str, ...] = field(default=())


def make(
    objective: str | Objective | Function,
    *,
    start: Sequence[float] | None = None,
    noise: float | Noise | None = None,
    gradient: Function | None = None,
    infimum: float | None = None,
    L: float | None = None,
    name: str | None = None,
) -> Problem:
    """Build a problem; see :func:`theory.rates.measure` for the arguments.

    Raises:
        ValueError: an argument that is needed is missing or out of range.
    """
    if isinstance(objective, str):
        objective = objectives.make(objective)
    if isinstance(objective, Objective):
        if gradient is not None:
            raise ValueError(f"gradient must not be given: the objective {objective.name} has its own")
        return _registered(objective, start, noise, infimum, L)
    if not callable(objective):
        raise ValueError(f"objective = {objective!r} must be a name, an Objective or a function")
    called = name or str(getattr(objective, "__name__", "objective"))
    if start is None:
        raise ValueError(f"start must be given for the function {called}: a list of its d coordinates")
    return _function(objective, called, _point(start), noise, gradient, infimum, L)


def with_infimum(problem: Problem) -> Problem:
    """The same with f*, found by L-BFGS from the start where it is not known."""
    from dataclasses import replace

    from scipy.optimize import minimize

    if problem.infimum is not None:
        return problem
    found = minimize(
        lambda x: (problem.value(x[None])[0], problem.gradient(x[None])[0]), problem.start, jac=True,
        method="L-BFGS-B", options={"maxiter": 20_000, "maxfun": 40_000, "gtol": 1e-12, "ftol": 0.0},
    )  # fmt: skip
    if not np.isfinite(found.fun):
        raise ValueError(f"infimum must be given: L-BFGS found none for {problem.name} from this start")
    note = f"infimum {found.fun:.12g} was measured (L-BFGS from the start); it is the least value only if f is convex"
    return replace(problem, infimum=float(found.fun), notes=(*problem.notes, note))


def _point(start: Sequence[float]) -> np.ndarray:
    point = np.array(start, dtype=np.float64)
    if point.ndim != 1 or not len(point) or not np.isfinite(point).all():
        raise ValueError(f"start = {start} must be a list of one or more finite numbers")
    return point


def _model(noise: float | Noise) -> Noise | None:
    """A noise model; None for no noise."""
    if isinstance(noise, int | float):
        if not (np.isfinite(noise) and noise >= 0):
            raise ValueError(f"noise = {noise} must be a finite standard deviation of at least 0, or a noise model")
        return Gaussian(float(noise)) if noise else None
    if not hasattr(noise, "draw"):
        raise ValueError(f"noise = {noise!r} must be a number, or a model with draw(rng, theta, batch)")
    return noise


def _words(model: Noise | None) -> str:
    match model:
        case None:
            return "none"
        case Gaussian(sigma=sigma):
            return f"normal, standard deviation {sigma:g} per coordinate and sample"
        case Sign(sigma=sigma):
            return f"plus or minus {sigma:g} per coordinate and sample"
        case Multiplicative(rho=rho):
            return f"relative, {rho:g} times the gradient"
    return f"{type(model).__name__}"


def _noisy(model: Noise | None) -> Draw | None:
    return None if model is None else lambda rng, theta, g, batch: g + model.draw(rng, theta, batch)


def _variance(model: Noise | None, start: np.ndarray) -> float | None:
    if model is None:
        return 0.0
    return float(model.variance(start[None])[0]) if isinstance(model, Gaussian | Sign | Skewed) else None


def _registered(
    f: Objective, start: Sequence[float] | None, noise: float | Noise | None, infimum: float | None, L: float | None
) -> Problem:
    point = f.start if start is None else _point(start)
    if len(point) != f.dimension:
        raise ValueError(f"start has {len(point)} coordinates: {f.name} has {f.dimension}")
    model = _model(f.noise or 1.0) if noise is None else _model(noise)
    eigenvalues = np.linalg.eigvalsh(f.hessian(point[None])[0]) if f.name == "quadratic" else None
    return Problem(
        f.name, point, f.value, f.gradient, _noisy(model), _words(model), _variance(model, point),
        f.infimum if infimum is None else infimum, f.L if L is None else L, f.domain, eigenvalues,
    )  # fmt: skip


def _function(
    f: Function, name: str, start: np.ndarray, noise: float | Noise | None, gradient: Function | None,
    infimum: float | None, L: float | None,
) -> Problem:  # fmt: skip
    whose = f"the objective {name}"
    if gradient is not None:
        value, slope, notes = _numpy(f, gradient, whose, start)
        terms = 1
    else:
        value, slope, notes, terms = _torch(f, whose, start)
    if noise is None and terms > 1:
        draw, words, variance = _minibatch(f, whose, terms), f"a batch of the {terms} terms, with replacement", None
    else:
        model = _model(1.0 if noise is None else noise)
        draw, words, variance = _noisy(model), _words(model), _variance(model, start)
    return Problem(name, start, value, slope, draw, words, variance, infimum, L, notes=notes)


def _numpy(f: Function, gradient: Function, whose: str, start: np.ndarray) -> tuple[Rows, Rows, tuple[str, ...]]:
    """A function with its own gradient, both of one point at a time, shape (d,), which they cannot write."""

    def value(theta: np.ndarray) -> np.ndarray:
        with user_code.of(whose):
            return np.array([float(f(x)) for x in _read_only(theta)])

    def slope(theta: np.ndarray) -> np.ndarray:
        with user_code.of(f"the gradient of {whose}"):
            return np.stack([np.asarray(gradient(x), dtype=np.float64) for x in _read_only(theta)])

    if (shape := slope(start[None]).shape[1:]) != start.shape:
        raise ValueError(f"the gradient of {whose} has shape {shape}: expected {start.shape}, as start")
    for function, what in ((value, whose), (slope, f"the gradient of {whose}")):
        _same_twice(what, function(start[None])[0], function(start[None])[0])
    return value, slope, ("the gradient is the one given, one seed at a time",)


def _torch(f: Function, whose: str, start: np.ndarray) -> tuple[Rows, Rows, tuple[str, ...], int]:
    """A torch function of one point, shape (d,): one number, or the n terms whose mean is f; autograd."""
    points = [torch.from_numpy(start.copy()).requires_grad_() for _ in range(2)]
    with user_code.of(whose):
        out = f(points[0])
    if not isinstance(out, torch.Tensor) or out.ndim > 1 or not out.numel() or out.is_complex():
        raise ValueError(
            f"{whose} must return a torch tensor: one real number, or shape (n,) for the n terms of a mean"
        )
    if not np.array_equal(points[0].detach(), start):
        raise ValueError(f"{whose} changes the point that it gets: it must leave it as it is (work on x.clone())")
    with user_code.of(whose):
        again = f(points[1])
    _same_twice(whose, out.detach().numpy(), again.detach().numpy())
    if not out.requires_grad:
        raise ValueError(f"{whose} has no torch gradient (detached, or NumPy inside): pass gradient=")
    pair = torch.func.grad_and_value(lambda x: f(x).mean())

    def loop(theta: torch.Tensor) -> Any:
        gradients, values = zip(*(pair(x) for x in theta), strict=True)
        return torch.stack(gradients), torch.stack(values)

    points = torch.from_numpy(np.stack([start, start * 0.9 + 0.01]))
    with user_code.of(whose):
        exact = loop(points)
    at_once: Any = _Traced(torch.func.vmap(pair))
    how = "autograd, all seeds at once"
    try:  # what cannot be vectorised (a branch on a value, say) still has a gradient
        pairs = zip(at_once(points), exact, strict=True)
        same = all(torch.allclose(a, b, rtol=1e-9, atol=1e-12, equal_nan=True) for a, b in pairs)
    except Exception:
        same = False
    if not same:
        at_once, how = loop, "autograd, one seed at a time: torch.func.vmap does not take this function"

    def at(theta: np.ndarray, which: int) -> np.ndarray:
        with user_code.of(whose):
            return at_once(torch.from_numpy(theta))[which].detach().numpy().astype(np.float64)

    coarse = () if out.dtype is torch.float64 else (f"the objective computes in {out.dtype}, and rounds there",)
    return (lambda x: at(x, 1)), (lambda x: at(x, 0)), (how, *coarse), out.numel()


def _read_only(theta: np.ndarray) -> np.ndarray:
    view = theta.view()
    view.flags.writeable = False
    return view


def _same_twice(whose: str, one: np.ndarray, other: np.ndarray) -> None:
    """Refuse what is no fixed function: its noise would be in the quantities, too.

    Raises:
        ValueError: if the two values at the same point differ by more than rounding in float32.
    """
    if one.shape != other.shape or not np.allclose(one, other, rtol=1e-5, atol=0.0, equal_nan=True):
        raise ValueError(
            f"{whose} returns {one.ravel()[0]:.9g}, and then {other.ravel()[0]:.9g} at the same point: it must be a "
            "fixed function; describe noise by noise=, or return the terms of a mean, of which batches are drawn"
        )


class _Traced:
    """A function of tensors, recorded once per shape: replay costs a seventh of torch.func's overhead per call."""

    def __init__(self, f: Function) -> None:
        self._f = f
        self._recorded: dict[tuple[torch.Size, ...], Function] = {}

    def __call__(self, *tensors: torch.Tensor) -> Any:
        shapes = tuple(one.shape for one in tensors)
        if shapes not in self._recorded:
            self._recorded[shapes] = make_fx(self._f)(*tensors)
        return self._recorded[shapes](*tensors)


def _minibatch(f: Function, whose: str, n: int) -> Draw:
    """The gradient of the mean of ``batch`` of the terms, drawn afresh for every seed."""
    one = torch.func.grad(lambda x, chosen: f(x)[chosen].mean())
    at_once = _Traced(torch.func.vmap(one))

    def draw(rng: np.random.Generator, theta: np.ndarray, _: np.ndarray, batch: int) -> np.ndarray:
        x, chosen = torch.from_numpy(theta), torch.from_numpy(rng.integers(n, size=(len(theta), batch)))
        with user_code.of(whose):
            try:
                return at_once(x, chosen).numpy()
            except Exception:  # what cannot be vectorised; an error of the function itself comes again
                return torch.stack([one(*pair) for pair in zip(x, chosen, strict=True)]).numpy()

    return draw
