"""Small tensors copied into one long tensor per list: torch is called once for all of them, with the same bits.

On a CPU a call of torch takes as long as its arithmetic on some thousands of elements.
"""

from itertools import accumulate

import torch
from torch import Tensor

from alto._rule import Rule, Tensors
from alto.engines import foreach
from alto.engines._maths import joined_norms, norms, rows_to_sum

# Elements of the long tensors at most, which are kept from step to step: 2 MB in float32, each.
_LONGEST = 1 << 19


def fitting(tensors: Tensors, limit: int) -> list[int]:
    """The rows that :class:`Joined` takes: the smallest tensors, of up to ``limit`` elements, ordered for its sums."""
    columns = [tensors.params, tensors.grads, *[column for _, column in tensors.averages()]]
    if any(column[0].dtype != tensors.params[0].dtype for column in columns):
        return []  # the copies would have to be cast, or rounded at random
    plain = [
        row
        for row, of_row in enumerate(zip(*columns, strict=True))
        if of_row[0].numel() <= limit
        and {type(x) for x in of_row} <= {Tensor, torch.nn.Parameter}
        and all(x.is_contiguous() and not x.is_neg() for x in of_row)
        and rows_to_sum(of_row[0]) is not None
    ]
    plain.sort(key=lambda row: tensors.params[row].numel())
    ends = accumulate(tensors.params[row].numel() for row in plain)
    chosen = [row for row, end in zip(plain, ends, strict=True) if end <= _LONGEST]
    return sorted(chosen, key=lambda row: not rows_to_sum(tensors.params[row])) if len(chosen) > 1 else []


class Joined:
    """The long tensors of a list.

    Args:
        tensors: all of them fitting, in that order.
    """

    def __init__(self, tensors: Tensors) -> None:
        self._sizes = [x.numel() for x in tensors.params]
        self._rows = [rows for x in tensors.params if (rows := rows_to_sum(x))]
        self._columns = [[x.view(-1) for x in xs] for xs in (tensors.params, *(xs for _, xs in tensors.averages()))]
        self._long = [tensors.params[0].new_empty(sum(self._sizes)) for _ in [*self._columns, "gradients"]]
        self._parts = [long.split(self._sizes) for long in self._long]
        self._grads = [part.view(x.shape) for part, x in zip(self._parts[-1], tensors.params, strict=True)]
        small = self._sizes[len(self._rows) :]
        self._wide = self._long[0].new_empty(sum(small), dtype=torch.float64)
        self._small = self._wide.split(small)
        self._rates = self._long[0].new_empty(len(self._sizes))
        self._spread = [rate.expand(size) for rate, size in zip(self._rates, self._sizes, strict=True)]

    def advance_(self, tensors: Tensors, rule: Rule) -> tuple[Tensor, Tensor]:
        """Write the averages; return the long r, before the layer factor, and the norms of theta and r as rows.

        Args:
            tensors: those given, with gradients, and as many steps taken by each.
            rule: the hyper-parameters.
        """
        torch._foreach_copy_(self._grads, tensors.grads)
        for column, long in zip(self._columns, self._long, strict=False):
            torch.cat(column, out=long)
        theta, m, v, *h, g = self._long
        (r,) = foreach.advance_(Tensors([theta], [g], [m], [v], h, tensors.steps[:1], []), rule, capturable=False)
        for column, parts in zip(self._columns[1:], self._parts[1:-1], strict=True):
            torch._foreach_copy_(column, parts)
        if not rule.layerwise:
            return r, self._wide.new_empty(2, len(self._sizes))
        return r, torch.stack((self._norms(theta), self._norms(r)))

    def _norms(self, long: Tensor) -> Tensor:
        found = joined_norms(long, self._rows, self._small, self._wide)
        return norms(long.split(self._sizes)) if found is None else found

    def apply_(self, r: Tensor, rates: list[float]) -> None:
        """Theta -= rate r, in the tensors themselves."""
        theta, *_, rate = self._long  # the gradients are no longer needed
        self._rates.copy_(torch.tensor(rates, dtype=torch.float64, device="cpu"))
        theta.sub_(r.mul_(torch.cat(self._spread, out=rate)))
        torch._foreach_copy_(self._columns[0], self._parts[0])
