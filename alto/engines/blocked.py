"""Plain torch on a CPU, in blocks that stay in the cache.

A step over whole tensors would move each operand through memory for each of some twenty operations, and touch fresh
pages for every temporary. Here memory is read twice (for the averages and the norms, then for the update, which
computes r again instead of storing it), and the temporaries are two blocks.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

import torch
from torch import Tensor

from alto._counter import advance_
from alto._rule import Rule, Tensors
from alto.engines import foreach as launched
from alto.engines._joined import Joined, fitting
from alto.engines._layout import Blocks, Kept
from alto.engines._maths import cast, correction, layer_factor, norm, norms
from alto.engines._rounding import store_

# Elements that a thread handles at a time, the best of a scan (2^15 to 2^20): half a dozen float32 operands of it are
# 3 MB, which leaves the cache next to a core but not the shared one, and half as many would double the calls of torch.
# Tensors up to here are small: they are stepped all together, for most of their time would go into calling torch.
_GRAIN = 1 << 17

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
    rows = range(len(tensors.params))
    if "blocked" not in tensors.kept:
        tensors.kept["blocked"] = _parts(tensors)
    begun = [
        (chosen, first_pass_(replace(picked, grads=[tensors.grads[i] for i in chosen]), rule))
        for chosen, picked, first_pass_ in tensors.kept["blocked"]
    ]
    rates = [float(lr)] * len(rows)
    if rule.layerwise:
        norms_held = torch.empty(2, len(rows), dtype=torch.float64, device="cpu")
        for chosen, (of_chosen, _) in begun:
            norms_held[:, chosen] = of_chosen
        theta_norms, r_norms = whole_norms(norms_held)
        rates = (lr * layer_factor(theta_norms, r_norms, eps2=rule.eps2, eps3=rule.eps3)).tolist()
    for chosen, (_, second_pass_) in begun:
        second_pass_([rates[i] for i in chosen])


def _parts(tensors: Tensors) -> list[tuple[list[int], Tensors, Callable[[Tensors, Rule], _Begun]]]:
    """Which rows are taken alike, their tensors without the gradients, and how they are taken."""
    rows = range(len(tensors.params))
    large = [i for i in rows if tensors.params[i].numel() > _GRAIN]
    joined = fitting(tensors)
    others = sorted({*rows}.difference(large, joined))
    picked = [(chosen, replace(tensors.pick(chosen), grads=[])) for chosen in (joined, others, large)]
    first_passes = partial(_joined_, Joined(picked[0][1])) if joined else _together_, _together_, _one_by_one_
    return [(*part, first_pass_) for part, first_pass_ in zip(picked, first_passes, strict=True) if part[0]]


def _joined_(joined: Joined, tensors: Tensors, rule: Rule) -> _Begun:
    """Copied into long tensors, if all have taken as many steps."""
    if len({step.item() for step in tensors.steps}) > 1:
        return _together_(tensors, rule)
    r, found = joined.advance_(tensors, rule)
    return found, partial(joined.apply_, r)


def _together_(tensors: Tensors, rule: Rule) -> _Begun:
    """All of them, in a few calls of torch."""
    rs = launched.advance_(tensors, rule, capturable=False)
    found = torch.empty(2, len(rs), dtype=torch.float64, device="cpu")
    if rule.layerwise:
        found = torch.stack((norms(cast(tensors.params, tensors.exp_avgs)), norms(rs)))

    def apply_(rates: list[float]) -> None:
        torch._foreach_mul_(rs, [-rate for rate in rates])
        torch._foreach_add_(tensors.params, rs)

    return found, apply_


def _one_by_one_(tensors: Tensors, rule: Rule) -> _Begun:
    """Block by block, with the bias corrections outside: r = scale (m / (sqrt(v) + shift) + decay / scale theta)."""
    scratch = _Scratch(tensors.exp_avgs[0].dtype, max(param.numel() for param in tensors.params))
    corrections = [correction(step.item(), rule) for step in tensors.steps]
    squares = torch.zeros(len(corrections), 2, dtype=torch.float64, device="cpu")
    for i, (scale, shift) in enumerate(corrections):
        explored = [tensors.slow_avgs[i]] if tensors.slow_avgs else []
        first = 0
        for theta, g, m, v, *h in _blocks(
            tensors.params[i], tensors.grads[i], tensors.exp_avgs[i], tensors.exp_avg_sqs[i], *explored
        ):
            u = -g.to(m.dtype) if rule.maximize else g.to(m.dtype)
            if h:
                old = h[0].to(m.dtype)
                mixed = torch.lerp(u, old, -rule.alpha * (1 - rule.beta1), out=scratch.take(0, m))
                store_(h[0], old.lerp_(u, 1 - rule.beta1), tensors.steps[i], tensors.positions[i], first=first)
                u = mixed
            m.lerp_(u, 1 - rule.beta2)
            v.mul_(rule.beta3).addcmul_(u, u, value=1 - rule.beta3)
            first += m.numel()
            if rule.layerwise:
                r = _direction(theta, m, v, shift, rule.weight_decay / scale, scratch)
                squares[i] += torch.stack((norm(theta.to(m.dtype)), scale * norm(r))).square()

    def apply_(rates: list[float]) -> None:
        for i, (scale, shift) in enumerate(corrections):
            for theta, m, v in _blocks(tensors.params[i], tensors.exp_avgs[i], tensors.exp_avg_sqs[i]):
                r = _direction(theta, m, v, shift, rule.weight_decay / scale, scratch)
                theta.add_(r, alpha=-rates[i] * scale)

    return squares.T.sqrt(), apply_


def sums_of_squares(
    theta: Tensor, m: Tensor, v: Tensor, correction: tuple[float, float], weight_decay: float
) -> Tensor:
    """Of theta and r, float64, shape (2,); no square overflows or vanishes."""
    scale, shift = correction
    scratch = _Scratch(m.dtype, theta.numel())
    total = torch.zeros(2, dtype=torch.float64, device="cpu")
    for of_theta, of_m, of_v in _blocks(theta, m, v):
        r = _direction(of_theta, of_m, of_v, shift, weight_decay / scale, scratch)
        total += torch.stack((norm(of_theta.to(m.dtype)), scale * norm(r))).square()
    return total


def _blocks(*tensors: Tensor) -> Iterator[tuple[Tensor, ...]]:
    """Flat blocks of tensors of one shape, as views; the tensors themselves where their elements are ordered freely."""
    limit = _GRAIN * torch.get_num_threads()
    if tensors[0].numel() <= limit or not all(tensor.is_contiguous() for tensor in tensors):
        return iter((tensors,))
    return zip(*(tensor.view(-1).split(limit) for tensor in tensors), strict=True)


class _Scratch:
    """Two buffers for the temporaries of a block, made once per step."""

    def __init__(self, dtype: torch.dtype, largest: int) -> None:
        size = min(_GRAIN * torch.get_num_threads(), largest)
        self._buffers = [torch.empty(size, dtype=dtype, device="cpu") for _ in range(2)]

    def take(self, which: int, like: Tensor) -> Tensor:
        """Buffer ``which`` (0 or 1) in the shape of a block; a tensor of its own for one that was left whole."""
        buffer = self._buffers[which]
        if like.numel() > len(buffer) or not like.is_contiguous():
            return torch.empty_like(like, dtype=buffer.dtype)
        return buffer[: like.numel()].view(like.shape)


def _direction(theta: Tensor, m: Tensor, v: Tensor, shift: float, decay: float, scratch: _Scratch) -> Tensor:
    """R / scale of a block, where r is the update before the layerwise factor: m / (sqrt(v) + shift) + decay theta."""
    r = torch.sqrt(v, out=scratch.take(1, m)).add_(shift)
    torch.div(m, r, out=r)
    return r.add_(theta, alpha=decay) if decay else r
