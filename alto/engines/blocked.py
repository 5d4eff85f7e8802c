"""Plain torch on a CPU, in blocks that stay in the cache.

A step over whole tensors would move each operand through memory for each of some twenty operations, and touch fresh
pages for every temporary. Here memory is read twice: for the averages and the norms, then for the update. The update
follows at once where the norm is known, so that a tensor may still be in the cache. It computes r again, but of tensors
of up to half a million elements r is kept until then. The temporaries are two blocks, or one and such an r.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

import torch
from torch import Tensor

from alto._counter import advance_
from alto._rule import Rule, Tensors
from alto._sharding import unsharded
from alto.engines import foreach as launched
from alto.engines._joined import Joined, fitting
from alto.engines._layout import Blocks, Kept
from alto.engines._maths import cast, correction, layer_factor, norm, norms
from alto.engines._rounding import store_

# Elements that a thread handles at a time, the best of a scan (2^15 to 2^20): half a dozen float32 operands of it are
# 3 MB, which leaves the cache next to a core but not the shared one, and half as many would double the calls of torch.
# Tensors up to here are small: they are stepped all together, for most of their time would go into calling torch.
_GRAIN = 1 << 17
# Elements of a tensor up to which r is kept for the update: 2 MB in float32.
_KEPT = 1 << 19

# The norms of theta and of r, shape (2, number of tensors), and what then writes the parameters, given their rates.
_Begun = tuple[Tensor, Callable[[list[float]], None]]


def explore_(
    grads: list[Tensor], slow_avgs: list[Tensor], *, alpha: float, beta1: float, kept: Kept | None = None
) -> list[Tensor]:
    """Return ``u = (1 - c) g + c h`` in the gradients' dtypes, and write ``h = beta1 h + (1 - beta1) g``."""
    kept = {} if kept is None else kept
    if "us" not in kept:
        kept["us"] = Blocks(grads)
    us = kept["us"].take()
    for grad, slow_avg, out in zip(grads, slow_avgs, us, strict=True):
        for g, h, u in _blocks(grad, slow_avg, out):
            wide = g.to(h.dtype)
            if u.dtype == h.dtype:
                torch.lerp(wide, h, -alpha * (1 - beta1), out=u)
            else:
                u.copy_(torch.lerp(wide, h, -alpha * (1 - beta1)))
            h.lerp_(wide, 1 - beta1)
    return us


def alto_step_(
    tensors: Tensors,
    rule: Rule,
    lr: float | Tensor,
    whole_norms: Callable[[Tensor], Tensor],
    *,
    capturable: bool = False,
) -> None:
    """Algorithm 2 (Algorithm 1 without bias correction) for all layers; see :mod:`alto.engines`."""
    del capturable  # nothing waits for a CPU
    advance_(tensors.steps, tensors.kept)
    if "blocked" not in tensors.kept:
        tensors.kept["blocked"] = _parts(tensors)
    known = whole_norms is unsharded or not rule.layerwise
    largest = max(param.numel() for param in tensors.params)
    scratch = _Scratch(tensors.exp_avgs[0].dtype, largest, keeps=known and rule.layerwise)
    begun: list[tuple[list[int], _Begun]] = []
    for chosen, picked, first_pass_ in tensors.kept["blocked"]:
        found, second_pass_ = first_pass_(replace(picked, grads=[tensors.grads[i] for i in chosen]), rule, scratch)
        if known:
            second_pass_(_rates(found, rule, lr))
        else:
            begun.append((chosen, (found, second_pass_)))
    if begun:
        held = torch.empty(2, len(tensors.params), dtype=torch.float64, device="cpu")
        for chosen, (found, _) in begun:
            held[:, chosen] = found
        rates = _rates(whole_norms(held), rule, lr)
        for chosen, (_, second_pass_) in begun:
            second_pass_([rates[i] for i in chosen])


def _rates(found: Tensor, rule: Rule, lr: float | Tensor) -> list[float]:
    """Learning rate times factor, from the norms of theta and r, shape (2, number of tensors)."""
    if not rule.layerwise:
        return [float(lr)] * found.shape[1]
    return (lr * layer_factor(*found, eps2=rule.eps2, eps3=rule.eps3)).tolist()


def _parts(tensors: Tensors) -> list[tuple[list[int], Tensors, Callable[[Tensors, Rule, "_Scratch"], _Begun]]]:
    """Which rows are taken together, their tensors without the gradients, and how they are taken."""
    rows = range(len(tensors.params))
    large = [i for i in rows if tensors.params[i].numel() > _GRAIN]
    joined = fitting(tensors, _GRAIN)
    others = sorted({*rows}.difference(large, joined))
    chosen = [joined, others, *([i] for i in large)]
    picked = [replace(tensors.pick(each), grads=[]) for each in chosen]
    small = partial(_joined_, Joined(picked[0])) if joined else _together_, _together_
    parts = zip(chosen, picked, [*small, *[_large_] * len(large)], strict=True)
    return [part for part in parts if part[0]]


def _joined_(joined: Joined, tensors: Tensors, rule: Rule, scratch: "_Scratch") -> _Begun:
    """Copied into long tensors, if all have taken as many steps."""
    if len({step.item() for step in tensors.steps}) > 1:
        return _together_(tensors, rule, scratch)
    r, found = joined.advance_(tensors, rule)
    return found, partial(joined.apply_, r)


def _together_(tensors: Tensors, rule: Rule, scratch: "_Scratch") -> _Begun:
    """All of them, in a few calls of torch."""
    del scratch
    rs = launched.advance_(tensors, rule, capturable=False)
    found = torch.empty(2, len(rs), dtype=torch.float64, device="cpu")
    if rule.layerwise:
        found = torch.stack((norms(cast(tensors.params, tensors.exp_avgs)), norms(rs)))

    def apply_(rates: list[float]) -> None:
        torch._foreach_mul_(rs, [-rate for rate in rates])
        torch._foreach_add_(tensors.params, rs)

    return found, apply_


def _large_(tensors: Tensors, rule: Rule, scratch: "_Scratch") -> _Begun:
    """One tensor, block by block: r = scale (m / (sqrt(v) + shift) + decay / scale theta)."""
    (param,), (grad,), (exp_avg,), (exp_avg_sq,) = tensors.params, tensors.grads, tensors.exp_avgs, tensors.exp_avg_sqs
    (step,) = tensors.steps
    scale, shift = correction(step.item(), rule)
    decay = rule.weight_decay / scale
    squares = torch.zeros(2, 1, dtype=torch.float64, device="cpu")
    first = 0
    visited: list[tuple[Tensor, Tensor, Tensor, Tensor | None]] = []  # theta, m, v, and r where it is kept
    for theta, g, m, v, *h in _blocks(param, grad, exp_avg, exp_avg_sq, *tensors.slow_avgs):
        u = -g.to(m.dtype) if rule.maximize else g.to(m.dtype)
        if h:
            old = h[0].to(m.dtype)
            mixed = torch.lerp(u, old, -rule.alpha * (1 - rule.beta1), out=scratch.mixed(m))
            store_(h[0], old.lerp_(u, 1 - rule.beta1), step, tensors.positions[0], first=first)
            u = mixed
        m.lerp_(u, 1 - rule.beta2)
        v.mul_(rule.beta3).addcmul_(u, u, value=1 - rule.beta3)
        keeps = scratch.keeps and param.numel() <= _KEPT
        r = _direction(theta, m, v, shift, decay, scratch.r(m, first if keeps else 0)) if rule.layerwise else None
        if r is not None:
            squares[:, 0] += torch.stack((norm(theta.to(m.dtype)), scale * norm(r))).square()
        visited.append((theta, m, v, r if keeps else None))
        first += m.numel()

    def apply_(rates: list[float]) -> None:
        for theta, m, v, kept in visited:
            r = _direction(theta, m, v, shift, decay, scratch.r(m)) if kept is None else kept
            theta.add_(r, alpha=-rates[0] * scale)

    return squares.sqrt(), apply_


def sums_of_squares(
    theta: Tensor, m: Tensor, v: Tensor, correction: tuple[float, float], weight_decay: float
) -> Tensor:
    """Of theta and r, float64, shape (2,); no square overflows or vanishes."""
    scale, shift = correction
    scratch = _Scratch(m.dtype, theta.numel())
    total = torch.zeros(2, dtype=torch.float64, device="cpu")
    for of_theta, of_m, of_v in _blocks(theta, m, v):
        r = _direction(of_theta, of_m, of_v, shift, weight_decay / scale, scratch.r(of_m))
        total += torch.stack((norm(of_theta.to(m.dtype)), scale * norm(r))).square()
    return total


def _blocks(*tensors: Tensor) -> Iterator[tuple[Tensor, ...]]:
    """Flat blocks of tensors of one shape, as views; the tensors themselves where their elements are ordered freely."""
    limit = _GRAIN * torch.get_num_threads()
    if tensors[0].numel() <= limit or not all(tensor.is_contiguous() for tensor in tensors):
        return iter((tensors,))
    return zip(*(tensor.view(-1).split(limit) for tensor in tensors), strict=True)


class _Scratch:
    """Memory for the temporaries of a block, made once per step.

    Args:
        dtype: of the averages.
        largest: elements of the largest tensor.
        keeps: whether there is room for r of a whole tensor of up to half a million elements.
    """

    def __init__(self, dtype: torch.dtype, largest: int, *, keeps: bool = False) -> None:
        block = min(_GRAIN * torch.get_num_threads(), largest)
        self.keeps = keeps
        self._mixed = torch.empty(block, dtype=dtype, device="cpu")
        self._r = torch.empty(max(block, min(_KEPT, largest) if keeps else 0), dtype=dtype, device="cpu")

    def mixed(self, like: Tensor) -> Tensor:
        """For the mixed gradient of a block; a tensor of its own for one that was left whole."""
        return self._view(self._mixed, like, 0)

    def r(self, like: Tensor, first: int = 0) -> Tensor:
        """As :meth:`mixed`, for r of a block; from element ``first`` on where the r of earlier blocks is kept."""
        return self._view(self._r, like, first)

    @staticmethod
    def _view(memory: Tensor, like: Tensor, first: int) -> Tensor:
        end = first + like.numel()
        if end > len(memory) or not like.is_contiguous():
            return torch.empty_like(like, dtype=memory.dtype)
        return memory[first:end].view(like.shape)


def _direction(theta: Tensor, m: Tensor, v: Tensor, shift: float, decay: float, out: Tensor) -> Tensor:
    """R / scale of a block, where r is the update before the layer factor: m / (sqrt(v) + shift) + decay theta."""
    r = torch.sqrt(v, out=out).add_(shift)
    torch.div(m, r, out=r)
    return r.add_(theta, alpha=decay) if decay else r
