"""Formulas that every engine shares: the layer factor, the bias corrections, an accurate norm."""

import math

import torch
from torch import Tensor

from alto import _checks
from alto._rule import Rule

TensorList = list[Tensor] | tuple[Tensor, ...]

# One running fp32 sum on a CPU is off by 5e-5 after 65 536 equal squares, by 1e-3 after 3 million; rows of this length
# first, and their norms together in float64, keep it below 3e-7.
_ROW = 512
# A larger layer factor would overflow float32 where eps2 is 0 and r all but 0, and inf * 0 is NaN.
LARGEST_FACTOR = 1e37
# Up to here one sum in float64 takes less time than rows, although torch copies to float64 first.
_SMALL = 1 << 13


def layer_factor(theta_norm: Tensor, r_norm: Tensor, *, eps2: float, eps3: float) -> Tensor:
    """Return phi / (|r| + eps2 phi) with phi = |theta| + eps3 (Algorithm 1), at most 1e37, elementwise over layers.

    It is 1 where either norm is 0, as in every LAMB in use: the paper's literal phi would hardly move a layer that
    starts at zero. A norm that is NaN or infinite gives 1 as well: the other elements then move as without the factor.
    """
    phi = theta_norm + eps3
    factor = (phi / (r_norm + eps2 * phi)).clamp(max=LARGEST_FACTOR)
    usable = (theta_norm > 0) & (theta_norm < math.inf) & (r_norm > 0) & (r_norm < math.inf)
    return torch.where(usable, factor, torch.ones_like(phi))


def bias_correction(beta: float, step: Tensor, dtype: torch.dtype, *, capturable: bool) -> float | Tensor:
    """1 - beta^step: a float, or, if ``capturable``, a 0-dim tensor of that dtype on the step counter's device."""
    if capturable:
        # expm1 keeps the digits that 1 - beta**step loses in float32 when beta**step is near 1
        return -torch.expm1(step.to(dtype) * (math.log(beta) if beta > 0 else -math.inf))
    return 1 - beta ** step.item()


def correction(step: float, rule: Rule) -> tuple[float, float]:
    """Return ``(scale, shift)`` with (m / c2) / (sqrt(v / c3) + eps1) = scale m / (sqrt(v) + shift)."""
    if not rule.bias_correction:
        return 1.0, rule.eps1
    root = math.sqrt(1 - rule.beta3**step)
    return root / (1 - rule.beta2**step), root * rule.eps1


def norm(x: Tensor) -> Tensor:
    """The 2-norm of all elements: 0-dim float64 (not on MPS), its rounding error independent of the size.

    Squares neither overflow nor vanish: in float32 they would where elements are beyond 1e19, or all below 1e-23.
    """
    return torch.linalg.vector_norm(_condensed(x), dtype=_wide(x))


def norms(xs: TensorList) -> Tensor:
    """:func:`norm` of each tensor, shape (number of tensors,)."""
    return torch.stack(torch._foreach_norm([_condensed(x) for x in xs], dtype=_wide(xs[0])))


def joined_norms(joined: Tensor, rows: list[int], small: TensorList, wide: Tensor) -> Tensor | None:
    """:func:`norms` of tensors on a CPU that a long one consists of; None if squares may overflow or vanish.

    Args:
        joined: the long one, 1-dim.
        rows: how many rows of 512 elements those have that come first, and are summed row by row.
        small: float64 memory for the others, which have up to 8192 elements each.
        wide: the long memory of the small ones.
    """
    first = sum(rows) * _ROW
    of_rows = torch.linalg.vector_norm(joined[:first].view(-1, _ROW), dim=1)
    if rows:
        least, most = torch.stack(of_rows.aminmax()).tolist()
        if not vanishing(of_rows.dtype) ** 0.5 < least <= most < math.inf:
            return None
    wide.copy_(joined[first:])
    return torch.stack(torch._foreach_norm([*of_rows.double().split(rows), *small]))


def rows_to_sum(x: Tensor) -> int | None:
    """In how many rows of 512 elements :func:`norm` sums a contiguous tensor; None if there are others beside them."""
    return 0 if x.numel() <= _SMALL else None if x.numel() % _ROW else x.numel() // _ROW


def _wide(x: Tensor) -> torch.dtype:
    return torch.float32 if x.device.type == "mps" else torch.float64  # which that device has not


def _condensed(x: Tensor) -> Tensor:
    """Few numbers with the norm of ``x``: itself, if it is small or not on a CPU, else the norms of its rows of 512."""
    if x.numel() <= _SMALL or x.device.type != "cpu" or torch.compiler.is_compiling() or _checks.is_fake(x):
        return x  # elsewhere the sum converts as it reads
    flat = x.reshape(-1)
    whole = len(flat) // _ROW * _ROW
    rows = torch.linalg.vector_norm(flat[:whole].view(-1, _ROW), dim=1)
    if whole < len(flat):
        rows = torch.cat((rows, torch.linalg.vector_norm(flat[whole:])[None]))
    return rows if vanishing(x.dtype) ** 0.5 < rows.max() < math.inf else x


def vanishing(dtype: torch.dtype) -> float:
    """Above this, a sum of squares in ``dtype`` has lost nothing to those of its terms that are too small for it."""
    return torch.finfo(dtype).tiny ** 0.5


def cast(tensors: TensorList, likes: TensorList) -> TensorList:
    """``tensors`` in the dtype of ``likes`` (one dtype per list); the same list if they have it."""
    dtype = likes[0].dtype
    return tensors if tensors[0].dtype == dtype else [tensor.to(dtype) for tensor in tensors]
