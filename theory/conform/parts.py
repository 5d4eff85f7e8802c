"""The parts of the contract that every torch optimizer should keep: one function each, which raises where it is broken.

A part raises :class:`~theory.conform.search.NotOfferedError` if the optimizer does not have what the part is about.
"""

import copy
import io
import logging
import pickle
import tempfile
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.optim.lr_scheduler import LambdaLR, OneCycleLR
from torch.optim.optimizer import register_optimizer_step_post_hook, register_optimizer_step_pre_hook

from theory.conform.invariances import INVARIANCES
from theory.conform.search import NotOfferedError
from theory.conform.trial import (
    CLOSE,
    LATE,
    Make,
    Part,
    Run,
    Trial,
    apart,
    numbers,
    require,
    same,
    seed,
    state_tensors,
)  # fmt: skip


def resume(make: Make, trial: Trial) -> None:
    """A run that is saved by ``state_dict`` and loaded goes on bit for bit."""
    half = trial.steps // 2
    whole = Run(make, trial).steps(0, trial.steps)
    first = Run(make, trial).steps(0, half)
    file = io.BytesIO()
    torch.save(first.optimizer.state_dict(), file)
    file.seek(0)
    second = Run(make, trial, params=first.values())
    second.optimizer.load_state_dict(torch.load(file, weights_only=False))
    second.train()
    second.steps(half, trial.steps)
    require(
        same(second.values(), whole.values()), f"the resumed run differs by {apart(whole.params, second.params):.2g}"
    )


@contextmanager
def _silent(logger: str) -> Iterator[None]:
    """Nothing is logged there: pytest prints what it logs, line by line, below a test that fails."""
    found = logging.getLogger(logger)
    before, found.disabled = found.disabled, True
    try:
        yield
    finally:
        found.disabled = before


def checkpoint(make: Make, trial: Trial) -> None:
    """The same through torch.distributed.checkpoint."""
    import torch.distributed.checkpoint as dcp
    from torch.distributed.checkpoint.state_dict import get_optimizer_state_dict, set_optimizer_state_dict

    half = trial.steps // 2
    whole = Run(make, trial).steps(0, trial.steps)
    first = Run(make, trial).steps(0, half)
    second = Run(make, trial, params=first.values())
    models = [torch.nn.ParameterList(run.params) for run in (first, second)]
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings(), _silent("c10d-NullHandler-dcp_logger"):
        warnings.simplefilter("ignore")  # torch's, on the missing process group
        dcp.save({"optimizer": get_optimizer_state_dict(models[0], first.optimizer)}, checkpoint_id=folder)
        state = {"optimizer": get_optimizer_state_dict(models[1], second.optimizer)}
        dcp.load(state, checkpoint_id=folder)
        set_optimizer_state_dict(models[1], second.optimizer, state["optimizer"])
    second.train()
    second.steps(half, trial.steps)
    require(
        same(second.values(), whole.values()), f"the loaded run differs by {apart(whole.params, second.params):.2g}"
    )


def _copied(make: Make, trial: Trial, copied: Callable[[Any], Any]) -> None:
    half = trial.steps // 2
    run = Run(make, trial).steps(0, half)
    twin = Run(make, trial)
    twin.params, twin.optimizer = copied((run.params, run.optimizer))
    run.steps(half, trial.steps)
    twin.steps(half, trial.steps)
    require(same(run.values(), twin.values()), f"the copy's run differs by {apart(run.params, twin.params):.2g}")


def deepcopied(make: Make, trial: Trial) -> None:
    """A deep copy of parameters and optimizer goes on like the original, and apart from it."""
    _copied(make, trial, copy.deepcopy)


def pickled(make: Make, trial: Trial) -> None:
    """The same for a pickled and unpickled copy."""
    _copied(make, trial, lambda both: pickle.loads(pickle.dumps(both)))


def closures(make: Make, trial: Trial) -> None:
    """``step(closure)`` evaluates it once, with gradients enabled, returns its value, and steps with its gradients."""
    run, plain = Run(make, trial), Run(make, trial)
    for k in range(trial.steps):
        called: list[bool] = []
        evaluate, values = run.closure(k), []

        def counted(
            evaluate: Callable[[], Tensor] = evaluate, called: list[bool] = called, values: list[Tensor] = values
        ) -> Tensor:
            called.append(torch.is_grad_enabled())
            with torch.enable_grad():
                values.append(evaluate().detach())
            return values[-1]

        seed(k)
        returned = run.optimizer.step(counted)
        require(all(called), "the closure is evaluated with gradients disabled")
        if not run.needs_closure:
            require(len(called) == 1, f"the closure is evaluated {len(called)} times in one step")
        require(returned is not None and float(returned) == float(values[0]), f"step(closure) returns {returned!r}")
        plain.step(k)
    require(same(run.values(), plain.values()), "steps by a closure differ from steps without")


def groups(make: Make, trial: Trial) -> None:
    """Two groups with equal options step as one; each group's own rate is used; a group that is added is trained."""
    trial = Trial((trial.shapes * 2)[:2], trial.steps, trial.seed)
    one, two = Run(make, trial), Run(make, trial, split=True)
    added = torch.nn.Parameter(torch.ones(trial.shapes[0]))
    if one.needs_closure and len(one.optimizer.param_groups) == 1:
        raise NotOfferedError("one group only")
    for run in (one, two):
        run.steps(0, LATE)
    away = apart(one.params, two.params)
    require(away <= CLOSE, f"two groups with equal options differ from one by {away:.2g}")
    if two.has_rate:
        third = Run(make, trial, split=True)
        third.optimizer.param_groups[1]["lr"] = 0.5 * third.optimizer.param_groups[1]["lr"]
        third.steps(0, LATE)
        require(not same(two.values()[1:], third.values()[1:]), "a group's own learning rate has no effect")
    one.optimizer.add_param_group({"params": [added]})
    one.params.append(added)
    one.train()
    one.steps(LATE, 2 * LATE)
    require(not torch.equal(added.detach(), torch.ones_like(added)), "a group that was added is not trained")


@contextmanager
def _order_kept() -> Iterator[None]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield
    for one in caught:
        require("lr_scheduler.step()" not in str(one.message), "a scheduler does not see that the optimizer stepped")


def _needs_a_rate(run: Run) -> None:
    if not run.has_rate:
        raise NotOfferedError("no learning rate in its groups")


def schedulers(make: Make, trial: Trial) -> None:
    """A learning rate that a scheduler writes has an effect, and the scheduler sees the steps."""
    run, constant = Run(make, trial), Run(make, trial)
    _needs_a_rate(run)
    with _order_kept():
        scheduler = LambdaLR(run.optimizer, lambda k: 0.5**k)
        for k in range(LATE):
            run.step(k)
            scheduler.step()
    constant.steps(0, LATE)
    require(not same(run.values(), constant.values()), "a scheduled learning rate has no effect")


def one_cycle(make: Make, trial: Trial) -> None:
    """OneCycleLR runs to its end: it writes the learning rate, and momentum or betas[0] where there is one."""
    run, constant = Run(make, trial), Run(make, trial)
    _needs_a_rate(run)
    rate = float(run.optimizer.param_groups[0]["lr"])
    momentum = bool({"momentum", "betas"} & set(run.optimizer.defaults))
    with _order_kept():
        scheduler = OneCycleLR(run.optimizer, max_lr=rate, total_steps=LATE + 1, cycle_momentum=momentum)
        for k in range(LATE):
            run.step(k)
            scheduler.step()
    constant.steps(0, LATE)
    require(all(bool(p.isfinite().all()) for p in run.params), "parameters are not finite")
    require(not same(run.values(), constant.values()), "the cycle has no effect")


def grad_scaler(make: Make, trial: Trial) -> None:
    """A step that GradScaler skips changes nothing, and scaled steps equal plain ones bit for bit."""
    run, plain = Run(make, trial), Run(make, trial)
    if run.needs_closure:
        raise NotOfferedError("its step needs a closure, which GradScaler refuses")
    scaler = torch.amp.GradScaler("cpu", init_scale=2.0**10)  # pyright: ignore[reportPrivateImportUsage]

    def step(k: int, factor: float) -> None:
        for p in run.params:
            p.grad = None
        scaler.scale(factor * run.loss(k)).backward()
        seed(k)
        scaler.step(run.optimizer)
        scaler.update()

    step(0, 1.0)
    before, state = run.values(), state_tensors(run.optimizer)
    step(1, float("inf"))
    require(same(before, run.values()), "a step that GradScaler skips moves the parameters")
    require(same(state, state_tensors(run.optimizer)), "a step that GradScaler skips changes the state")
    step(2, 1.0)
    plain.step(0)
    plain.step(2)
    require(same(run.values(), plain.values()), "scaled steps differ from plain ones")


def maximize(make: Make, trial: Trial) -> None:
    """``maximize`` on the negative loss equals minimizing."""
    up, down = Run(make, trial), Run(make, trial)
    if "maximize" not in up.optimizer.param_groups[0]:
        raise NotOfferedError("no option maximize")
    for group in up.optimizer.param_groups:
        group["maximize"] = True
    up.steps(0, trial.steps, factor=-1.0)
    down.steps(0, trial.steps)
    away = apart(down.params, up.params)
    require(away <= CLOSE, f"differs from minimizing by {away:.2g}")


def zero_gradients(make: Make, trial: Trial) -> None:
    """Gradients that are 0 give finite parameters, also in the first step."""
    run = Run(make, trial)
    for k in range(trial.steps):
        run.apply([torch.zeros_like(p) for p in run.params], k)
    require(all(bool(p.isfinite().all()) for p in run.params), "parameters are not finite")


def none_gradients(make: Make, trial: Trial) -> None:
    """A parameter without a gradient stays as it is, and a step without any gradient changes nothing."""
    trial = Trial((trial.shapes * 2)[:2], trial.steps, trial.seed)
    run = Run(make, trial)
    start = run.values()
    run.apply([None, None])
    require(same(start, run.values()), "a step without any gradient moves the parameters")
    for k in range(LATE):
        run.apply([numbers(run.params[0].shape, trial.seed, k), None], k)
    require(same(start[1:], run.values()[1:]), "a parameter without a gradient moves")
    require(not same(start[:1], run.values()[:1]), "a parameter does not move beside one without a gradient")


def sparse_gradients(make: Make, trial: Trial) -> None:
    """Sparse gradients give the dense steps, or are refused with nothing changed."""
    trial = Trial(((4, 2),), trial.steps, trial.seed)
    dense, sparse = Run(make, trial), Run(make, trial)
    for k in range(trial.steps):
        g = numbers((4, 2), trial.seed, k)
        before, state = sparse.values(), state_tensors(sparse.optimizer)
        try:
            sparse.apply([g.to_sparse(1)], k)
        except NotOfferedError:
            raise
        except Exception as error:
            require(same(before, sparse.values()), f"changes parameters, then raises {type(error).__name__}: {error}")
            require(not k or same(state, state_tensors(sparse.optimizer)), "refuses, but has changed its state")
            return
        dense.apply([g], k)
    away = apart(dense.params, sparse.params)
    require(away <= CLOSE, f"differs from the dense steps by {away:.2g}")


def complex_parameters(make: Make, trial: Trial) -> None:
    """Steps on complex parameters follow the imaginary part of the gradient, or are refused with nothing changed."""
    shape = (2, 3) if all(len(one) == 2 for one in trial.shapes) else (3,)
    start = torch.complex(numbers(shape, trial.seed, 1), numbers(shape, trial.seed, 2)).to(torch.complex64)
    gradient = torch.complex(0 * start.real, 1 + start.imag.abs())
    run: Run | None = None
    try:
        run = Run(make, trial, params=[start])
        for k in range(LATE):
            run.apply([gradient.to(torch.complex64)], k)
    except NotOfferedError:
        raise
    except Exception:
        require(run is None or same([start], run.values()), "changes parameters, then raises")
        return
    moved = torch.view_as_real(run.params[0].detach() - start)
    down = float((moved * torch.view_as_real(gradient)).sum())
    require(down < 0, f"the movement has the inner product {down:.2g} with the gradient")


def foreach(make: Make, trial: Trial) -> None:
    """``foreach`` steps as the loop over parameters does."""
    loop, together = Run(make, trial), Run(make, trial)
    if "foreach" not in loop.optimizer.param_groups[0]:
        raise NotOfferedError("no option foreach")
    for run, value in ((loop, False), (together, True)):
        for group in run.optimizer.param_groups:
            group["foreach"] = value
        run.steps(0, trial.steps)
    away = apart(loop.params, together.params)
    require(away <= CLOSE, f"differs from the loop by {away:.2g}")


def state_dtypes(make: Make, trial: Trial) -> None:
    """The state of bfloat16 parameters keeps its dtypes and bits through ``state_dict`` and ``load_state_dict``."""
    try:
        run = Run(make, trial, dtype=torch.bfloat16).steps(0, 2)
    except Exception as error:
        raise NotOfferedError(f"no bfloat16 parameters ({type(error).__name__})") from error
    loaded = Run(make, trial, params=run.values())
    loaded.optimizer.load_state_dict(copy.deepcopy(run.optimizer.state_dict()))
    before, after = state_tensors(run.optimizer), state_tensors(loaded.optimizer)
    changed = sorted({f"{x.dtype} to {y.dtype}" for x, y in zip(before, after, strict=False) if x.dtype != y.dtype})
    require(not changed, f"a load changes state from {', '.join(changed).replace('torch.', '')}")
    require(same(before, after), "a load changes the state")


def hooks(make: Make, trial: Trial) -> None:
    """Hooks before and after a step run once per step: the optimizer's own, and those for all optimizers."""
    run = Run(make, trial)
    counts: dict[str, int] = dict.fromkeys(("pre", "post", "pre for all", "post for all"), 0)

    def counting(name: str) -> Callable[..., None]:
        def hook(*_: Any) -> None:
            counts[name] += 1

        return hook

    handles = [
        run.optimizer.register_step_pre_hook(counting("pre")),
        run.optimizer.register_step_post_hook(counting("post")),
        register_optimizer_step_pre_hook(counting("pre for all")),
        register_optimizer_step_post_hook(counting("post for all")),
    ]
    try:
        run.steps(0, trial.steps)
    finally:
        for handle in handles:
            handle.remove()
    wrong = {name: count for name, count in counts.items() if count != trial.steps}
    require(not wrong, f"in {trial.steps} steps: {', '.join(f'{name} {count} times' for name, count in wrong.items())}")


def gradients_kept(make: Make, trial: Trial) -> None:
    """After a step ``p.grad`` is the gradient that was given: the same tensor with the same bits."""
    run = Run(make, trial)
    for k in range(trial.steps):
        run.apply([20 * numbers(p.shape, trial.seed, k, i) for i, p in enumerate(run.params)], k)
        for i, p in enumerate(run.params):
            given = (20 * numbers(p.shape, trial.seed, k, i)).to(p.dtype)
            require(p.grad is not None and torch.equal(p.grad, given), "p.grad is changed")


DESCENT_STEPS = 60


def descent(make: Make, trial: Trial) -> None:
    """On a quadratic of curvature 1, f is lower after 60 steps than at the start."""
    run = Run(
        make,
        trial,
        params=[1 + numbers(s, trial.seed, i).abs().clamp(max=1).float() for i, s in enumerate(trial.shapes)],
    )
    start = sum(float((p**2).sum()) for p in run.values()) / 2

    def evaluate() -> Tensor:
        for p in run.params:
            p.grad = None
        loss = torch.stack([(p**2).sum() / 2 for p in run.params]).sum()
        loss.backward()
        return loss

    for k in range(DESCENT_STEPS):
        seed(k)
        if run.needs_closure:
            run.optimizer.step(evaluate)
        else:
            evaluate()
            run.optimizer.step()
    if callable(getattr(run.optimizer, "eval", None)):
        run.optimizer.eval()
    end = sum(float((p**2).sum()) for p in run.values()) / 2
    require(end < start, f"f goes from {start:.3g} to {end:.3g}")


CONTRACT: dict[str, Part] = {
    "resume": resume, "distributed checkpoint": checkpoint, "deepcopy": deepcopied, "pickle": pickled,
    "closure": closures, "groups": groups, "scheduler": schedulers, "OneCycleLR": one_cycle, "GradScaler": grad_scaler,
    "maximize": maximize, "zero gradients": zero_gradients, "None gradients": none_gradients,
    "sparse gradients": sparse_gradients, "complex parameters": complex_parameters, "foreach": foreach,
    "state dtypes": state_dtypes, "hooks": hooks, "p.grad kept": gradients_kept, "descent": descent,
}  # fmt: skip
"""Every part by its name."""


def chosen(invariances: Sequence[str], without: Sequence[str]) -> dict[str, Part]:
    """The contract less ``without``, and the declared invariances.

    Raises:
        ValueError: a name is unknown.
    """
    for argument, given, known in (("invariances", invariances, INVARIANCES), ("without", without, CONTRACT)):
        if unknown := [name for name in given if name not in known]:
            raise ValueError(f"{argument} has {', '.join(map(repr, unknown))}; allowed: {', '.join(known)}")
    kept = {name: part for name, part in CONTRACT.items() if name not in without}
    return kept | {f"invariance: {name}": INVARIANCES[name] for name in invariances}
