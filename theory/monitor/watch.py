"""``theory.watch``: the theorems' constants and assumptions along any training, by hooks of its optimizer alone."""

import math
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor
from torch.nn.parallel import DistributedDataParallel

from theory.monitor import edge, secants
from theory.monitor.assumptions import Checks
from theory.monitor.bound import tracking
from theory.monitor.known import SETTINGS, Known, read, unwrapped
from theory.monitor.noise import Noise, why_not
from theory.monitor.report import Report
from theory.theorems import bounds

ROWS = 1000
"""How many measured rows are kept."""
N, C, STABLE = "Theorem N", "Theorem C", "stability"
SAME_RATE = "the learning rate is constant, and one for all groups"
ROOT_RATE = "the learning rate is eta / sqrt(k)"
FRESH = "the momentum starts at 0: the watch was attached before the first step"
NO_DECAY = "there is no constant weight decay"
SMALL_STEP = "eta is within its limit for the measured L and Q"
GROWS = "H = 1/Q decreases in no coordinate (Assumption 3.5 with eps1)"
CONVEX = "the measured gradients are monotone along the path, as for a convex loss"
LOSS = "the loss is finite and not below lower_bound"
FINITE = "the gradients are finite"
BELOW = "x is below the threshold"


class Watch:
    """What was measured so far; made by :func:`watch`."""

    def __init__(
        self, optimizer: torch.optim.Optimizer, every: int, variance: float | None, lower_bound: float,
        loss: Callable[[], Tensor] | None, curvature_every: int, sinks: Iterable[Callable[[dict[str, float]], None]],
        ddp: DistributedDataParallel | None,
    ) -> None:  # fmt: skip
        self.rows: deque[dict[str, float]] = deque(maxlen=ROWS)
        self._optimizer, self._every, self._variance, self._lower = optimizer, every, variance, lower_bound
        self._curvature = edge.Curvature(loss) if loss else None
        self._curvature_every, self._sinks = curvature_every, tuple(sinks)
        self._noise = Noise(ddp)
        self._noise.start(self._params())
        self._checks, self._step, self._spent, self._begun = Checks(), 0, 0.0, time.perf_counter()
        self._vectors: secants.Vectors | None = None
        self._now: secants.Snapshot | None = None
        self._past: secants.Snapshot | None = None
        self._known: Known | None = None
        self._groups: list[Known] = []
        self._read: list[list[Any]] = []
        self._checked = 0
        self._first_rate = self._first_loss = self._first_g2 = math.nan
        self._L = self._G = self._D = self._q_max = self._inverse_q_min = 0.0
        self._squares, self._measured, self._held, self._held_steps = 0.0, 0, 0.0, 0
        self._variances: list[float] = [0.0, 0.0]
        self._x = {"secant": math.nan, "Hessian": math.nan}
        self._hooks = [
            optimizer.register_step_pre_hook(self._before),
            optimizer.register_step_post_hook(self._after),
        ]

    def note_loss(self, loss: float | Tensor) -> None:
        """Note the loss of the step that comes next; Theorem N's bound needs the first one.

        Raises:
            ValueError: ``loss`` is neither a number nor a tensor that holds exactly one.
        """
        try:
            if isinstance(loss, Tensor) and loss.numel() != 1:
                raise ValueError("it holds several numbers, or none")
            value = float(loss.item() if isinstance(loss, Tensor) else loss)
        except (TypeError, ValueError) as error:
            given = f"a tensor of shape {tuple(loss.shape)}" if isinstance(loss, Tensor) else repr(loss)
            raise ValueError(f"loss is {given}: allowed are numbers, and tensors that hold exactly one") from error
        if self._step == 0:
            self._first_loss = value
        self._checks.note(N, LOSS, self._step + 1, math.isfinite(value) and value >= self._lower)

    def detach(self) -> None:
        """Stop: all hooks are removed, and the copies freed. The report stays."""
        for hook in self._hooks:
            hook.remove()
        self._noise.remove()
        self._now = self._past = self._vectors = None
        for sink in self._sinks:
            if close := getattr(sink, "close", None):
                close()

    def report(self) -> Report:
        """The report so far; ``print`` shows it as a page.

        Raises:
            ValueError: no two consecutive steps were measured yet.
        """
        if self._measured == 0:
            raise ValueError(f"a report needs two consecutive measured steps, and {self._step} steps were taken")
        self._settings(self._step)
        F = self._known.filter if self._known else None
        spent = self._spent + self._noise.seconds
        variance = self._variance
        if variance is None and self._variances[1]:
            variance = self._variances[0] / self._variances[1]
        found = Report(
            steps=self._step, measured=self._measured, L=self._L, G=self._G, D=self._D,
            gradient=self._squares / self._measured, variance=variance,
            age=None if F is None else F.b - F.alpha, total_age=None if F is None else F.K,
            noise_gain=None if F is None else F.omega2,
            threshold=None if F is None else edge.threshold(F),
            secant_x=self._x["secant"], hessian_x=self._x["Hessian"],
            monotone=self._held / self._held_steps if self._held_steps else math.nan,
            checks=self._checks.all(), not_claimed={}, bound=None, filter=F, first_loss=self._first_loss,
            first_gradient=self._first_g2, Q=self._matrix() if self._q_max else None,
            unknown=self._known.unknown if self._known else "",
            no_variance=why_not(self._params()) if variance is None else "",
            seconds=spent, share=spent / max(time.perf_counter() - self._begun - spent, 1e-9),
        )  # fmt: skip
        reasons = {N: self._not_n(found), C: self._not_c(found)}
        bound = None if reasons[N] else self._bound(found)
        return replace(found, not_claimed={name: why for name, why in reasons.items() if why}, bound=bound)

    def _params(self) -> list[Any]:
        return [p for group in self._optimizer.param_groups for p in group["params"] if p.requires_grad]

    def _before(self, _: Any, args: tuple, kwargs: dict) -> tuple[tuple, dict] | None:
        closure = args[1] if len(args) > 1 else kwargs.get("closure")  # args[0] is the optimizer
        if not callable(closure):
            self._observe()
            return None
        fresh = True

        def observed() -> Any:
            nonlocal fresh
            loss: Any = closure()
            if fresh:  # gradients exist only now; later evaluations are at other points
                fresh = False
                if loss is not None:
                    self.note_loss(loss)
                self._observe()
            return loss

        return ((args[0], observed, *args[2:]), kwargs) if len(args) > 1 else (args, {**kwargs, "closure": observed})

    def _observe(self) -> None:
        """Before step k: compare with step k - 1 where that was measured, and copy where this one is."""
        if getattr(self._optimizer, "grad_scale", None) is not None:  # torch's fused optimizers divide in their step
            raise RuntimeError(
                "the gradients are still scaled by a GradScaler: call scaler.unscale_(optimizer) before "
                "scaler.step(optimizer), or take an optimizer without fused=True"
            )
        begin = time.perf_counter()
        self._step += 1
        step, groups = self._step, self._optimizer.param_groups
        settings = [[float(group["lr"]), *group.get("betas", ()), *map(group.get, SETTINGS)] for group in groups]
        if settings != self._read:
            self._settings(step - 1)
            self._groups, self._read = [read(self._optimizer, group) for group in groups], settings
            self._known = self._one(self._groups)
        measured, self._now = self._now, None
        if not measured and (step - 1) % self._every:
            self._spent += time.perf_counter() - begin
            return
        self._settings(step)
        if measured:
            self._pair(measured.compare(), step)
        if (step - 1) % self._every == 0:
            if self._vectors is None or not self._vectors.fit(groups):
                self._vectors = secants.Vectors(groups)
            if not self._vectors.buckets:
                raise ValueError("no parameter has a gradient: call backward() before step(), or give step a closure")
            self._now = secants.Snapshot(self._vectors)
            self._sizes(step, self._now.sizes())
        self._spent += time.perf_counter() - begin

    def _after(self, *_: Any) -> None:
        if not (self._now or self._past or self._step % self._every == 0):
            return
        begin = time.perf_counter()
        if self._now or self._past:
            self._matrices()
        if self._step % self._every == 0:
            self._noise.start(self._params())
        self._spent += time.perf_counter() - begin

    @torch.no_grad()
    def _matrices(self) -> None:
        """After step k: read Q there, compare it with that of step k - 1, and measure the Hessian where it is due."""
        now, before, Q = self._now, self._past, None
        at = now or before
        if at and self._known and not self._known.unknown:
            Q = self._step_matrices(at)
        if before and at and Q is not None and at.vectors is before.vectors:
            share = before.increases(Q)
            self._held, self._held_steps = self._held + share, self._held_steps + 1
            self._checks.note(C, GROWS, self._step, share == 1)
        self._past = now if Q is not None else None
        if now:
            now.Q = Q
        if self._curvature and now and Q is not None and (self._step - 1) % self._curvature_every == 0:
            x = self._x["Hessian"] = self._curvature.estimate(*now.shaped())
            self._edge(self._step, x)

    def _step_matrices(self, at: secants.Snapshot) -> secants.Matrix | None:
        groups, found = self._optimizer.param_groups, []
        for bucket in at.buckets:
            known = self._groups[bucket.group]
            states = [self._optimizer.state.get(p, {}) for p in bucket.params]
            if known.adam and any("exp_avg_sq" not in state for state in states):
                return None  # its state was dropped, and this step had no gradient of it
            found.append((known, groups[bucket.group], states))
        types = [
            states[0]["exp_avg_sq"].dtype if known.adam else bucket.params[0].dtype
            for bucket, (known, _, states) in zip(at.buckets, found, strict=True)
        ]
        S = at.vectors.next_S(types)
        scales = [
            known.step_matrix(group, states, vector, at.vectors.parts[id(vector)])
            for vector, (known, group, states) in zip(S, found, strict=True)
        ]
        return None if any(map(math.isnan, scales)) else secants.Matrix(S, scales)

    def _one(self, rows: list[Known]) -> Known:
        """What is known, if all groups have the same filter."""
        if reason := next((row.unknown for row in rows if row.unknown), ""):
            return replace(rows[0], filter=None, unknown=reason)
        if len({(row.filter, row.gain, row.adam, row.corrected) for row in rows}) > 1:
            return replace(rows[0], filter=None, unknown="its parameter groups have different momentum or alpha")
        return replace(rows[0], decay=max(row.decay for row in rows))

    def _settings(self, last: int) -> None:
        """Check the settings of the steps since the last call up to this one, at all of which they were the same."""
        rates = [row[0] for row in self._read]
        for step in range(self._checked + 1, last + 1):
            assert self._known
            if step == 1:
                self._first_rate = rates[0]
                for theorem in (N, C):
                    self._checks.note(theorem, FRESH, step, not self._optimizer.state)
            first = self._first_rate
            self._checks.note(N, SAME_RATE, step, first > 0 and rates.count(first) == len(rates))
            for theorem in (N, C):
                self._checks.note(theorem, NO_DECAY, step, self._known.decay == 0)
            root = first / math.sqrt(step)
            self._checks.note(C, ROOT_RATE, step, all(math.isclose(rate, root, rel_tol=1e-6) for rate in rates))
        self._checked = last

    def _sizes(self, step: int, found: dict[str, float]) -> None:
        g2, G = found["g2"], found["G"]
        if step == 1:
            self._first_g2 = g2
        for theorem in (N, C):
            self._checks.note(theorem, FINITE, step, math.isfinite(g2))
        self._G, self._D = secants.largest((self._G, G)), secants.largest((self._D, math.sqrt(found["theta2"])))
        self._latest = {"step": step, "gradient": math.sqrt(g2), "G": G, "D": math.sqrt(found["theta2"])}
        noise = self._noise.take(g2)
        if noise is not None and math.isfinite(noise):  # not of passes that a GradScaler has skipped
            self._variances = [self._variances[0] + noise, self._variances[1] + 1]
            self._latest["variance"] = noise

    def _pair(self, sums: dict[str, float], step: int) -> None:
        """Take the sums of one pair of steps (k - 1, k)."""
        if not sums["d2"] > 0:  # nothing moved, as at a learning rate of 0
            return
        secant = math.sqrt(sums["y2"] / sums["d2"])
        if not math.isfinite(secant):
            return
        row = {**self._latest, "L": secant, "curvature": sums["yd"] / sums["d2"]}
        self._L = max(self._L, secant)
        self._squares, self._measured = self._squares + row["gradient"] ** 2, self._measured + 1
        self._checks.note(C, CONVEX, step - 1, sums["yd"] >= 0)
        if self._known and self._known.filter and math.isfinite(sums["q_max"]):
            self._q_max = max(self._q_max, sums["q_max"])
            self._inverse_q_min = max(self._inverse_q_min, sums["inverse_q_min"])
            row["x"] = self._x["secant"] = sums["yd"] / sums["weighted"]
            row["threshold"] = edge.threshold(self._known.filter)
            self._edge(step - 1, row["x"])
            largest = (
                bounds.largest_step(tracking(self._known.filter), self._matrix(), self._L) if self._L else math.inf
            )
            self._checks.note(N, SMALL_STEP, step - 1, largest >= 1)
        self.rows.append(row)
        for sink in self._sinks:
            sink(row)

    def _edge(self, step: int, x: float) -> None:
        assert self._known
        assert self._known.filter
        self._checks.note(STABLE, BELOW, step, x < edge.threshold(self._known.filter))

    def _matrix(self) -> bounds.Preconditioner:
        """The measured bounds of Q with the learning rate in it: Theorem N at eta = 1."""
        return bounds.Preconditioner(1 / self._inverse_q_min, self._q_max)

    def _not_n(self, found: Report) -> str:
        if found.unknown:
            return found.unknown
        if broken := self._checks.broken(N):
            return f"it does not hold that {broken[0].assumption} (step {broken[0].first_broken})"
        if not self._q_max:
            return "Q was not measured"
        if math.isnan(self._first_loss):
            return "no loss was noted before the first step: call note_loss"
        if found.variance is None:
            return f"the variance is not known: {found.no_variance}"
        return ""

    def _not_c(self, found: Report) -> str:
        if found.unknown:
            return found.unknown
        broken = self._checks.broken(C)
        return f"it does not hold that {broken[0].assumption} (step {broken[0].first_broken})" if broken else ""

    def _bound(self, found: Report) -> float:
        assert found.variance is not None
        assert found.filter
        return bounds.mean_square_gradient(
            tracking(found.filter), self._matrix(), eta=1.0, T=found.steps, gap=self._first_loss - self._lower,
            first=self._first_g2, variance=found.variance,
        )  # fmt: skip


def watch(
    optimizer: Any,
    *,
    every: int = 10,
    variance: float | None = None,
    lower_bound: float = 0.0,
    loss: Callable[[], Tensor] | None = None,
    curvature_every: int = 100,
    sinks: Iterable[Callable[[dict[str, float]], None]] = (),
    ddp: DistributedDataParallel | None = None,
) -> Watch:
    """Watch any torch optimizer. It is only read, and the model is not touched.

    Memory: four numbers per parameter in the parameter's type, held throughout (copies of parameter and gradient, and
    Q at two steps); one more with ``loss``; and 1000 rows. Distributed: DDP's gradients are equal on all processes and
    are not reduced; for FSDP2 (DTensor parameters) sums and maxima are reduced over all shards, so every process must
    take the same steps.

    Args:
        optimizer: a torch optimizer, or Accelerate's or Lightning's wrapper of one. ``step(closure)`` works too.
        every: steps 1, 1 + every, ... are compared with the step after each; default 10, ours.
        variance: E|g - grad f|^2 of the step's gradient; 0 for full batches. None: measured from micro-batches, but not
            under FSDP2.
        lower_bound: a finite number that the loss cannot fall below; it stands for inf f in Theorem N.
        loss: evaluates the loss on a fixed batch with a graph, for Hessian-vector products; plain parameters only.
        curvature_every: steps between these products; a multiple of ``every``.
        sinks: called with each measured row; see :mod:`theory.monitor.sinks`.
        ddp: the model under DistributedDataParallel, to measure the variance from the differences between processes.
            Then every process must watch, with the same ``every``.

    Returns:
        The watch. ``note_loss(loss)`` before each step where it is at hand, ``report()`` at any time, ``detach()`` at
        the end.

    Raises:
        TypeError: ``optimizer`` holds no torch optimizer, or ``loss`` or a sink cannot be called.
        ValueError: a number is out of its range, or ``loss`` was given with sharded parameters.
    """
    inner, sinks = unwrapped(optimizer), tuple(sinks)
    if not isinstance(every, int) or every < 1:
        raise ValueError(f"every is {every!r}: allowed are whole numbers from 1 on")
    if not isinstance(curvature_every, int) or curvature_every < 1 or (loss and curvature_every % every):
        raise ValueError(f"curvature_every is {curvature_every!r}: allowed are multiples of every = {every}")
    if variance is not None and not 0 <= variance < math.inf:
        raise ValueError(f"variance is {variance}: allowed are finite numbers from 0 on, or None to measure it")
    if not math.isfinite(lower_bound):
        raise ValueError(f"lower_bound is {lower_bound}: allowed are finite numbers that the loss cannot fall below")
    for name, call in (("loss", loss), *(("sinks", sink) for sink in sinks)):
        if call is not None and not callable(call):
            raise TypeError(f"{name} holds a {type(call).__name__}: allowed are functions")
    if loss and any(hasattr(p, "placements") for group in inner.param_groups for p in group["params"]):
        raise ValueError(
            "loss was given with sharded parameters: FSDP2's gradients have no graph, so there are no Hessian-vector "
            "products; leave loss out, and call theory.monitor.sharpness.sharpness on an unsharded copy of the model"
        )
    if ddp is not None:
        if not isinstance(ddp, DistributedDataParallel):
            raise TypeError(
                f"ddp is a {type(ddp).__name__}: allowed are models under DistributedDataParallel; under FSDP2 leave "
                "ddp out and give variance="
            )
        theirs = set(ddp.parameters())
        if any(p not in theirs for group in inner.param_groups for p in group["params"]):
            raise ValueError("ddp: the optimizer has a parameter that is not in this model")
    return Watch(inner, every, variance, lower_bound, loss, curvature_every, sinks, ddp)
