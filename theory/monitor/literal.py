"""Monitors of a run: the constants of the theorems, how often Assumption 3.5 held, and both sides of each bound.

Attach one to any training with the library's ALTO, in three lines::

    run = follow(optimizer)             # before training
    ...                                           # train as usual; run.note_loss(loss) where the loss is at hand
    print(run.report())                         # afterwards

or feed :class:`Monitor` step by step. It keeps a few float64 copies of the parameters: meant for small networks.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import torch

from theory.method.algorithms import ALTO
from theory.method.filters import Filter
from theory.method.trajectory import parts, split
from theory.monitor.bound import tracking
from theory.theorems import bounds


@dataclass(frozen=True)
class Report:
    """What was measured. Shares are of (step, coordinate) pairs; sums run over the whole run.

    Attributes:
        steps, coordinates: size of the run.
        L: largest secant |g_k - g_{k-1}| / |theta_k - theta_{k-1}|; with minibatches it holds their noise as well.
        G: sup |g_k|_inf; D: sup |theta_k|_2; kappa: |1-c| + |c|.
        monotone: share at which H_k did not decrease: Assumption 3.5 with eps1.
        monotone_as_written: the same for 3.5 as the paper writes it, without eps1.
        downward: sum over coordinates of the total decrease of H, over sum_j H_{1,j}.
        departure: largest deviation of a parameter from the literal update, relative to the largest parameter.
        regret: sum <g_k, theta_k - theta_1>; regret_bound: the chain S2 ... S5 with measured H (always applies).
        gradient: (1/T) sum |g_k|^2.
        gradient_bound: Theorem N's right-hand side with the measured constants; None without losses. With noisy
            gradients it bounds the expectation, not one run.
        not_claimed: why Theorem N does not bound this run; empty where its conditions hold with the measured constants.
        step_allowed: whether eta satisfied Theorem N's conditions with the measured L.
        variance: sigma^2 / batch that was used in Theorem N's bound.
    """

    steps: int
    coordinates: int
    L: float
    G: float
    D: float
    kappa: float
    monotone: float
    monotone_as_written: float
    downward: float
    departure: float
    regret: float
    regret_bound: float
    gradient: float
    gradient_bound: float | None
    not_claimed: str
    step_allowed: bool
    variance: float

    @property
    def claimed(self) -> bool:
        """Whether Theorem N bounds this run, with the measured constants."""
        return not self.not_claimed


class Monitor:
    """Follows one parameter group of ALTO, given each step's parameters, gradients and learning rate.

    Args:
        literal: the literal algorithm with the group's hyper-parameters; it is run alongside, on the given gradients.
        layers: sizes of the parameters.
        variance: sigma^2 / batch of the gradients (0 for full batches); see :func:`minibatch_variance`.
        lower_bound: a number that the loss cannot fall below; finite. It stands for inf f in Theorem N.

    Raises:
        ValueError: ``lower_bound`` is not a finite number.
    """

    def __init__(self, literal: ALTO, layers: Sequence[int], variance: float = 0.0, lower_bound: float = 0.0) -> None:
        if not np.isfinite(lower_bound):
            raise ValueError(
                f"lower_bound is {lower_bound}: allowed are finite numbers that the loss cannot fall below"
            )
        self.literal, self.layers, self.variance = literal, tuple(layers), variance
        self.lower_bound = lower_bound
        self._losses: list[float] = []
        self._noted_late = False
        self._steps: list[_Step] = []
        d = sum(self.layers)
        literal.init(split(np.zeros((1, d)), self.layers))
        self._expected = np.zeros(d)
        self._L = self._G = self._D = self._departure = 0.0
        self._eta, self._least_eta, self._count = 0.0, np.inf, 0
        self._falls, self._rises, self._width = np.zeros(d), np.zeros(d), np.zeros(d)
        self._held = self._held_as_written = self._pairs = 0
        self._regret = self._squares = self._quadratic = self._pull = self._path = 0.0

    def observe(self, theta: np.ndarray, g: np.ndarray, eta: float) -> None:
        """Take step k: the parameters before it and the gradient there, both of shape (d,), and eta_k.

        A step with eta_k = 0, such as the last one of a schedule, updates the averages and is not counted.
        """
        x, g = np.asarray(theta, dtype=np.float64), np.asarray(g, dtype=np.float64)
        literal = self.literal
        literal.step(split(x[None], self.layers), split(g[None], self.layers), eta)
        if eta == 0:  # nothing moves, and H would be infinite: the theorems are about steps with eta > 0
            return
        *rows, scale = parts(literal, x[None], self.layers)
        _, v, r, W, M, s = (row[0] for row in rows)
        now = _Step(x, g, H=W * scale / (eta * s), written=np.sqrt(v) / (eta * s))
        first = self._steps[0] if self._steps else now
        offset = x - first.theta
        if self._steps:
            self._compare(self._steps[-1], now)
        self._expected = x - eta * s * r
        self._G, self._D = max(self._G, float(np.abs(g).max())), max(self._D, float(np.linalg.norm(x)))
        self._eta, self._least_eta = max(self._eta, eta), min(self._least_eta, eta)
        self._width = np.maximum(self._width, np.abs(offset))
        self._regret += float(g @ offset)
        self._squares += float(g @ g)
        self._quadratic += float((M**2 / now.H).sum()) / 2
        self._pull += float((scale * literal.weight_decay * W * first.theta**2).sum()) / 4
        self._steps = [first, now]
        self._count += 1

    def note_loss(self, loss: float) -> None:
        """Note the loss at the current parameters. Note the first one, f(theta_1), before the second step."""
        if not self._losses:
            self._noted_late = self._count > 1
        self._losses.append(loss)

    def _compare(self, before: "_Step", now: "_Step") -> None:
        moved = now.theta - before.theta
        distance = float(np.linalg.norm(moved))
        if distance > 0:
            self._L = max(self._L, float(np.linalg.norm(now.g - before.g)) / distance)
        self._path += float(np.abs(moved).sum())
        scale = max(float(np.abs(now.theta).max()), 1e-300)
        self._departure = max(self._departure, float(np.abs(now.theta - self._expected).max()) / scale)
        change = now.H - before.H
        self._falls += np.maximum(-change, 0)
        self._rises += np.maximum(change, 0)
        self._held += int((change >= 0).sum())
        self._held_as_written += int((now.written >= before.written).sum())
        self._pairs += len(change)

    def report(self) -> Report:
        """The report so far.

        Raises:
            ValueError: fewer than two steps were observed.
        """
        if len(self._steps) < 2 or self._pairs == 0:
            raise ValueError(f"a report needs at least two observed steps with lr > 0, got {self._count}")
        first, last = self._steps
        T, literal = self._count, self.literal
        F = Filter(literal.alpha, literal.beta1, literal.beta2)
        lag = F.K * self._G * (self._path + float(np.abs(last.theta - first.theta).sum()))
        distance = float((self._width**2 * (first.H + self._rises)).sum()) / 2
        bound, allowed = self._gradient_bound(F, first)
        return Report(
            steps=T,
            coordinates=len(first.g),
            L=self._L,
            G=self._G,
            D=self._D,
            kappa=F.kappa,
            monotone=self._held / self._pairs,
            monotone_as_written=self._held_as_written / self._pairs,
            downward=float(self._falls.sum() / first.H.sum()),
            departure=self._departure,
            regret=self._regret,
            regret_bound=distance + self._quadratic + self._pull + lag,
            gradient=self._squares / T,
            gradient_bound=bound,
            not_claimed=self._not_claimed(allowed),
            step_allowed=allowed,
            variance=self.variance,
        )

    def _gradient_bound(self, F: Filter, first: "_Step") -> tuple[float | None, bool]:
        """Theorem N with the measured L and G, and ``lower_bound`` in place of the infimum.

        The best loss seen would not do: it lies above the infimum, so that the gap and the bound were too small.
        """
        o = self.literal
        if o.layerwise:
            eps = o.eps1, o.eps2, o.eps3
            Q = bounds.alto(F, o.beta3, eps, self._G, max(self.layers), o.weight_decay, corrected=o.bias_correction)
        else:
            Q = bounds.eadam(F, o.eps1, self._G, corrected=o.bias_correction)
        triple = tracking(F)
        allowed = self._L > 0 and self._eta <= bounds.largest_step(triple, Q, self._L)
        if not self._losses:
            return None, allowed
        gap = self._losses[0] - self.lower_bound
        bound = bounds.mean_square_gradient(
            triple, Q, eta=self._eta, T=self._count, gap=gap, first=float(first.g @ first.g), variance=self.variance
        )
        return bound, allowed

    def _not_claimed(self, allowed: bool) -> str:
        """The first condition of Theorem N that the run does not meet; empty if it meets all."""
        if self.literal.weight_decay != 0:
            return "the weight decay is constant and not 0; the theorem has none, or lambda / (1 + mu)^k"
        if self._least_eta < self._eta:
            return "the learning rate changed; the theorem has a constant one"
        if not self._losses:
            return "no loss was noted"
        if self._noted_late:
            return "the first loss was noted too late to be f(theta_1)"
        if not np.isfinite(self._losses).all():
            return "a loss is not finite"
        if min(self._losses) < self.lower_bound:
            return f"a loss lies below lower_bound = {self.lower_bound:g}"
        return "" if allowed else "eta is above its limit"


@dataclass(frozen=True)
class _Step:
    theta: np.ndarray
    g: np.ndarray
    H: np.ndarray = field(repr=False)
    written: np.ndarray = field(repr=False)


class Following:
    """Monitors of all groups of a torch optimizer, attached to its steps; see :func:`follow`."""

    def __init__(self, optimizer: torch.optim.Optimizer, variance: float, lower_bound: float) -> None:
        self._monitors = [
            Monitor(_literal(group), [p.numel() for p in group["params"]], variance, lower_bound)
            for group in optimizer.param_groups
        ]
        self._hook = optimizer.register_step_pre_hook(self._before)

    def _before(self, optimizer: torch.optim.Optimizer, *_: object) -> None:
        for monitor, group in zip(self._monitors, optimizer.param_groups, strict=True):
            if any(p.grad is None for p in group["params"]):
                raise ValueError("a parameter has no gradient: the monitor follows whole groups")
            theta = np.concatenate([_flat(p) for p in group["params"]])
            g = np.concatenate([_flat(p.grad) for p in group["params"]])
            monitor.observe(theta, g, float(group["lr"]))

    def note_loss(self, loss: float | torch.Tensor) -> None:
        """Note the loss at the current parameters: Theorem N's bound needs the one before the first step."""
        for monitor in self._monitors:
            monitor.note_loss(loss.item() if isinstance(loss, torch.Tensor) else loss)

    def report(self) -> list[Report]:
        """One report per parameter group. With several groups Theorem N, a statement about one, is not claimed."""
        reports = [monitor.report() for monitor in self._monitors]
        if len(reports) == 1:
            return reports
        reason = f"the optimizer has {len(reports)} parameter groups; the theorem has one, and f moves with all"
        return [report if report.not_claimed else replace(report, not_claimed=reason) for report in reports]

    def detach(self) -> None:
        """Stop observing."""
        self._hook.remove()


def follow(optimizer: torch.optim.Optimizer, variance: float = 0.0, lower_bound: float = 0.0) -> Following:
    """Attach monitors to an optimizer whose groups hold ALTO's hyper-parameters: :class:`alto.ALTO` or LAMB.

    Args:
        optimizer: it is only read; gradients must be set before ``step()`` (no closure).
        variance: sigma^2 / batch of its gradients; 0 for full batches.
        lower_bound: a finite number that the loss cannot fall below. Theorem N's bound contains f(theta_1) - inf f,
            and this number stands for inf f. Default 0: squared errors and cross-entropies are not negative.

    Returns:
        The following: ``report()`` gives one :class:`Report` per group.

    Raises:
        ValueError: a group lacks one of ALTO's hyper-parameters, maximizes or is of an E, or ``lower_bound`` is not
            finite.
    """
    return Following(optimizer, variance, lower_bound)


def _literal(group: dict) -> ALTO:
    if "explore_alpha" in group:
        raise ValueError("the optimizer is an E: only ALTO and LAMB without another E around them can be followed")
    if group.get("maximize"):
        raise ValueError("maximize = True: ALTO of the paper descends; minimize the negative loss")
    missing = [name for name in ("alpha", "beta1", "betas", "eps", "weight_decay", "layerwise") if name not in group]
    if missing:
        raise ValueError(
            f"the optimizer's group has no {', '.join(missing)}: only ALTO and LAMB can be compared with it"
        )
    beta2, beta3 = group["betas"]
    eps1, eps2, eps3 = group["eps"]
    return ALTO(
        group["alpha"], group["beta1"], beta2, beta3, eps1, eps2, eps3, group["weight_decay"],
        bias_correction=group["bias_correction"], layerwise=group["layerwise"], zero_norm_factor_one=True,
    )  # fmt: skip


def _flat(x: torch.Tensor) -> np.ndarray:
    return x.detach().reshape(-1).to("cpu", torch.float64).numpy().copy()


def minibatch_variance(gradients: Sequence[np.ndarray]) -> float:
    """The unbiased estimate of E|g - E g|^2 from independent minibatch gradients at one point, each of shape (d,)."""
    stacked = np.stack(gradients)
    return float(stacked.var(axis=0, ddof=1).sum())
