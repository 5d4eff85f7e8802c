"""Does a third-party optimizer do what the paper says? The update rule, its bounds and its habits, as a black box.

The subject is a class with a torch optimizer's interface: ALTO itself, or an adaptor whose first argument is a base
optimizer. Its arguments are recognised by name (``alpha`` or ``alp``, ``betas`` of two or three, ``beta1`` or ``beta``,
``eps`` of one or three). Every check runs float64 tensors through it and through the literal algorithm.
"""

import importlib
import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import torch

from theory.method import algorithms
from theory.method.algorithms import Layers
from theory.method.filters import Filter

ALPHA, BETA1, BETA2, BETA3, LR = -5.0, 0.9, 0.8, 0.95, 0.02
EPS, DECAY = (1e-6, 1e-6, 1e-10), 1e-2
ADAPTOR_ARGUMENTS = ("base", "base_optimizer", "optimizer")


@dataclass(frozen=True)
class Observation:
    """One check: its name, whether the subject agrees with the paper, and what was seen instead."""

    check: str
    claim: str
    agrees: bool
    detail: str


@dataclass(frozen=True)
class Subject:
    """A class under test and how to call it."""

    cls: Callable[..., Any]
    kwargs: dict[str, Any]

    @property
    def names(self) -> dict[str, inspect.Parameter]:
        """Its constructor's parameters."""
        return dict(inspect.signature(self.cls).parameters)

    @property
    def is_adaptor(self) -> bool:
        """Whether it wraps a base optimizer."""
        return next(iter(self.names)) in ADAPTOR_ARGUMENTS

    @property
    def has_three_eps(self) -> bool:
        """Whether its ``eps`` is the paper's triple."""
        return isinstance(self.names["eps"].default, tuple) if "eps" in self.names else False

    def build(self, parameters: Sequence[torch.Tensor], decay: float) -> Any:
        """The optimizer with the paper's hyper-parameters of this module, in its own names."""
        own: dict[str, Any] = {"alpha" if "alpha" in self.names else "alp": ALPHA}
        if self.is_adaptor:
            base = torch.optim.SGD(parameters, lr=LR)
            own["beta1" if "beta1" in self.names else "beta"] = BETA1
            return self.cls(base, **{**own, **self.kwargs})
        three = len(self.names["betas"].default) == 3
        own |= {"betas": (BETA1, BETA2, BETA3)} if three else {"beta1": BETA1, "betas": (BETA2, BETA3)}
        own |= {"lr": LR, "eps": EPS if self.has_three_eps else EPS[0], "weight_decay": decay}
        return self.cls(parameters, **{**own, **self.kwargs})


SET_HERE = frozenset({"alpha", "alp", "beta", "beta1", "betas", "lr", "eps", "weight_decay"})
"""The arguments that the checks set themselves, so that the subject and the literal algorithm agree on them."""


def load(target: str, kwargs: dict[str, Any] | None = None) -> Subject:
    """The subject named ``module:Class``.

    Args:
        target: the class.
        kwargs: more arguments of its constructor, none of :data:`SET_HERE`.

    Returns:
        The subject; it was built once.

    Raises:
        ValueError: not of that form, not importable, not of a known kind, or it refuses its arguments.
    """
    module, _, name = target.partition(":")
    if not name:
        raise ValueError(f"{target!r} is not of the form module:Optimizer")
    try:
        cls = getattr(importlib.import_module(module), name)
    except Exception as error:  # a module that fails can raise anything
        raise ValueError(f"{target!r} cannot be imported: {type(error).__name__}: {error}") from error
    try:
        inspect.signature(cls)
    except (TypeError, ValueError) as error:  # no callable, or one in C
        raise ValueError(f"{target!r} is no optimizer: {error}") from error
    subject, given = Subject(cls, kwargs or {}), set(kwargs or {})
    if not {"alpha", "alp"} & set(subject.names):
        raise ValueError(f"{target!r} has no argument alpha (or alp): it is no optimizer of this family")
    needed = {"betas", "lr", "eps", "weight_decay"} - set(subject.names)
    if not subject.is_adaptor and needed:
        raise ValueError(
            f"{target!r} has no argument {', '.join(sorted(needed))}: known are optimizers with the arguments of ALTO, "
            f"and adaptors whose first argument is called {', '.join(ADAPTOR_ARGUMENTS)}"
        )
    takes_any = any(one.kind is inspect.Parameter.VAR_KEYWORD for one in subject.names.values())
    free = sorted(set(subject.names) - SET_HERE - set(ADAPTOR_ARGUMENTS) - {"params"})
    if own := given & SET_HERE:
        raise ValueError(f"kwargs has {', '.join(sorted(own))}, which the checks set; allowed: {', '.join(free)}")
    if (unknown := given - set(subject.names)) and not takes_any:
        named = ", ".join(sorted(unknown))
        raise ValueError(f"kwargs has {named}, which {target!r} does not take; allowed: {', '.join(free)}")
    try:
        built = subject.build([torch.zeros(2, dtype=torch.float64, requires_grad=True)], DECAY)
    except Exception as error:
        raise ValueError(
            f"{target!r} refuses alpha = {ALPHA}, beta1 = {BETA1}: {type(error).__name__}: {error}"
        ) from error
    if not callable(getattr(built, "step", None)):
        raise ValueError(f"{target!r} makes a {type(built).__name__}, which has no step(): it is no optimizer")
    return subject


def _literal(subject: Subject, *, decay: float, layerwise: bool = True, factor_one: bool = True) -> Any:
    if subject.is_adaptor:
        return algorithms.E(lambda theta, u, lr: [x - lr * d for x, d in zip(theta, u, strict=True)], ALPHA, BETA1)
    eps1, eps2, eps3 = EPS if subject.has_three_eps else (EPS[0], 0.0, 0.0)
    return algorithms.ALTO(
        ALPHA, BETA1, BETA2, BETA3, eps1, eps2, eps3, decay,
        bias_correction=True, layerwise=layerwise, zero_norm_factor_one=factor_one,
    )  # fmt: skip


def _problem(sizes: Sequence[int], scale: float, steps: int = 12, seed: int = 0) -> tuple[Layers, list[Layers]]:
    rng = np.random.default_rng(seed)
    gradients = [[scale * rng.normal(size=(1, n)) for n in sizes] for _ in range(steps)]
    return [rng.normal(size=(1, n)) for n in sizes], gradients


def _expected(literal: Any, start: Layers, gradients: list[Layers]) -> list[Layers]:
    thetas = [literal.init(start)]
    for g in gradients:
        thetas.append(literal.step(thetas[-1], g, LR))
    return thetas[1:]


def _tensors(layers: Layers) -> list[torch.Tensor]:
    return [torch.tensor(x[0], requires_grad=True) for x in layers]


def _observed(
    subject: Subject, start: Layers, gradients: list[Layers], *, decay: float, resume_at: int | None = None,
    by_closure: bool = False,
) -> list[Layers]:  # fmt: skip
    parameters = _tensors(start)
    optimizer = subject.build(parameters, decay)
    thetas = []
    for k, g in enumerate(gradients):
        if k == resume_at:
            saved = optimizer.state_dict()
            parameters = _tensors([p.detach().numpy()[None] for p in parameters])
            optimizer = subject.build(parameters, decay)
            optimizer.load_state_dict(saved)

        def assign(g: Layers = g, parameters: list[torch.Tensor] = parameters) -> torch.Tensor:
            for p, value in zip(parameters, g, strict=True):
                p.grad = torch.tensor(value[0])
            return torch.zeros(())

        if by_closure:
            optimizer.step(assign)
        else:
            assign()
            optimizer.step()
        thetas.append([p.detach().numpy()[None].copy() for p in parameters])
    return thetas


def _distance(left: list[Layers], right: list[Layers]) -> float:
    """The largest difference between two trajectories, relative to the largest parameter."""
    pairs = [(x, y) for a, b in zip(left, right, strict=True) for x, y in zip(a, b, strict=True)]
    size = max(float(np.maximum(np.abs(x), np.abs(y)).max()) for x, y in pairs)
    return max(float(np.abs(x - y).max()) for x, y in pairs) / size if size > 0 else 0.0


def _same(left: list[Layers], right: list[Layers]) -> bool:
    return _distance(left, right) < 1e-10


def _update_rule(subject: Subject) -> Observation:
    start, gradients = _problem((3, 4), scale=0.05)
    seen = _observed(subject, start, gradients, decay=DECAY)
    distance = _distance(seen, _expected(_literal(subject, decay=DECAY), start, gradients))
    note = "" if subject.is_adaptor or subject.has_three_eps else "; one epsilon, compared at eps2 = eps3 = 0"
    rule = "Algorithm 5 on SGD" if subject.is_adaptor else "Algorithm 2"
    return Observation(
        "update rule", "identity-slow-average", distance < 1e-10, f"{rule}: deviation {distance:.1e}{note}"
    )


def _clipping(subject: Subject) -> Observation:
    start, gradients = _problem((3, 4), scale=10.0)
    seen = _observed(subject, start, gradients, decay=DECAY)
    if _same(seen, _expected(_literal(subject, decay=DECAY), start, gradients)):
        return Observation("large gradients", "clipping-confound", True, "used as they are")
    norms = [np.sqrt(sum(float((x**2).sum()) for x in g)) for g in gradients]
    clipped = [[x * min(1.0, 1 / (n + 1e-6)) for x in g] for g, n in zip(gradients, norms, strict=True)]
    matches = _same(seen, _expected(_literal(subject, decay=DECAY), start, clipped))
    how = "clipped to a global norm of 1 inside the step" if matches else "changed in an unknown way"
    return Observation("large gradients", "clipping-confound", False, how)


def _layerwise_without_decay(subject: Subject) -> Observation:
    start, gradients = _problem((3, 4), scale=0.05)
    seen = _observed(subject, start, gradients, decay=0.0)
    if _same(seen, _expected(_literal(subject, decay=0.0), start, gradients)):
        return Observation("no weight decay", "lemma-9", True, "the layer factor stays")
    plain = _same(seen, _expected(_literal(subject, decay=0.0, layerwise=False), start, gradients))
    how = "the layer factor is dropped: it is tied to weight decay" if plain else "another rule"
    return Observation("no weight decay", "lemma-9", False, how)


def _small_models(subject: Subject) -> Observation:
    wrong = []
    for size in (1, 2, 3):
        start, gradients = _problem((size,), scale=0.05)
        if not _same(
            _observed(subject, start, gradients, decay=DECAY),
            _expected(_literal(subject, decay=DECAY), start, gradients),
        ):
            wrong.append(str(size))
    detail = f"other rule with {', '.join(wrong)} scalars" if wrong else "1, 2 and 3 scalars start from g_0 = 0"
    return Observation("small models", "identity-slow-average", not wrong, detail)


def _zero_layer(subject: Subject) -> Observation:
    """A layer at zero: the literal phi, or the factor 1 of every LAMB in use. Both count as agreeing; which is said."""
    _, gradients = _problem((3,), scale=0.05, steps=1)
    start = [np.zeros((1, 3))]
    seen = _observed(subject, start, gradients, decay=DECAY)
    one = _same(seen, _expected(_literal(subject, decay=DECAY), start, gradients))
    frozen = _same(seen, _expected(_literal(subject, decay=DECAY, factor_one=False), start, gradients))
    detail = "factor 1" if one else "the literal phi" if frozen else "neither phi nor 1"
    return Observation("a layer at zero", "lemma-9", one or frozen, detail)


def _bounded(subject: Subject) -> Observation:
    """Lemma 9: a layer moves by at most eta phi; Lemma 3 for an adaptor on SGD: by at most eta kappa G."""
    start, gradients = _problem((3, 4), scale=0.05, steps=40)
    seen = [start, *_observed(subject, start, gradients, decay=DECAY)]
    worst = 0.0
    for before, after in pairwise(seen):
        for x, y in zip(before, after, strict=True):
            if subject.is_adaptor:
                G = max(float(np.abs(v).max()) for g in gradients for v in g)
                worst = max(worst, float(np.abs(y - x).max()) / (LR * Filter(ALPHA, BETA1, 0.0).kappa * G))
            else:
                worst = max(worst, float(np.linalg.norm(y - x)) / (LR * (float(np.linalg.norm(x)) + EPS[2])))
    claim = "lemma-3" if subject.is_adaptor else "lemma-9"
    return Observation("largest step", claim, worst <= 1 + 1e-9, f"{worst:.4f} of the bound")


def _gradient_left_alone(subject: Subject) -> Observation:
    start, gradients = _problem((3, 4), scale=10.0, steps=1)
    parameters = _tensors(start)
    optimizer = subject.build(parameters, DECAY)
    for p, g in zip(parameters, gradients[0], strict=True):
        p.grad = torch.tensor(g[0])
    optimizer.step()
    kept = all(
        p.grad is not None and np.array_equal(p.grad.numpy(), g[0])
        for p, g in zip(parameters, gradients[0], strict=True)
    )
    return Observation("p.grad after step()", "identity-slow-average", kept, "the user's" if kept else "overwritten")


def _resume(subject: Subject) -> Observation:
    start, gradients = _problem((3, 4), scale=0.05)
    whole = _observed(subject, start, gradients, decay=DECAY)
    resumed = _observed(subject, start, gradients, decay=DECAY, resume_at=6)
    same = _distance(resumed, whole) == 0
    return Observation(
        "resume from state_dict", "identity-slow-average", same, "exact" if same else "E's state is lost"
    )


def _closure(subject: Subject) -> Observation:
    start, gradients = _problem((3, 4), scale=0.05)
    detail = "evaluated before the gradients are read"
    try:
        same = _same(_observed(subject, start, gradients, decay=DECAY, by_closure=True),
                     _observed(subject, start, gradients, decay=DECAY))  # fmt: skip
    except (RuntimeError, TypeError, AttributeError) as error:
        return Observation("closure", "identity-slow-average", False, f"fails: {type(error).__name__}: {error}")
    if not same:
        detail = "the gradients are read before the closure is evaluated"
    return Observation("closure", "identity-slow-average", same, detail)


def conform(subject: Subject) -> list[Observation]:
    """All checks that apply to the subject, in order."""
    checks = [_update_rule, _clipping, _small_models, _bounded, _gradient_left_alone, _resume, _closure]
    if not subject.is_adaptor:
        checks += [_layerwise_without_decay, _zero_layer]
    return [check(subject) for check in checks]
