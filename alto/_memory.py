"""Tensors that share memory: a step writes each of them once, in an order or on threads that its engine chooses."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn.parameter import is_lazy

_PLAIN = (Tensor, torch.nn.Parameter)  # others may have no memory of their own

PARAMETER, GRADIENT = "parameter", "gradient"
# What the tensors are (one of these, or a key of the state), the tensors, and the place of each one's parameter.
Column = tuple[str, Sequence[Tensor], Sequence[int]]


class Separate:
    """Checks that no two tensors share memory; anew only when an address or a layout has changed."""

    def __init__(self) -> None:
        self._known: list[object] = []
        self._grads: list[object] = []
        self._storages: set[int] = set()

    def check(self, columns: list[Column], name_of: Callable[[int], str]) -> None:
        """Check all tensors that a step will write, and that the gradients are none of them.

        Args:
            columns: those tensors.
            name_of: from a parameter's place in the optimizer to its name in a message.

        Raises:
            ValueError: if two of them overlap, one overlaps itself, or a gradient overlaps one (but its own parameter:
                that is written last).
        """
        grads = [column for column in columns if column[0] == GRADIENT]
        written = [column for column in columns if column[0] != GRADIENT]
        of_written, of_grads = _places(written), _places(grads)
        if of_written != self._known:
            _refuse_overlaps(columns, name_of)
            self._known = of_written
            self._storages = _storages(written)
        elif of_grads != self._grads and not self._storages.isdisjoint(_storages(grads)):
            _refuse_overlaps(columns, name_of)
        self._grads = of_grads


def _places(columns: list[Column]) -> list[object]:
    """Where tensors are, and how they are laid out there."""
    return [
        part
        for _, tensors, _ in columns
        for tensor in tensors
        if type(tensor) in _PLAIN
        for part in (tensor.data_ptr(), tensor.shape, tensor.stride())
    ]


def _storages(columns: list[Column]) -> set[int]:
    return {x.untyped_storage().data_ptr() for _, tensors, _ in columns for x in tensors if type(x) in _PLAIN}


def refuse_repeated(params: Sequence[Any], name_of: Callable[[int], str]) -> None:
    """Refuse a parameter that is listed twice.

    Raises:
        ValueError: if there is one.
    """
    first: dict[int, int] = {}
    for place, param in enumerate(params):
        earlier = first.setdefault(id(param), place)
        if earlier != place:
            raise ValueError(
                f"{name_of(earlier)} is listed again as {name_of(place).rstrip(',')}: a step would move it twice; "
                "list each parameter once (module.parameters() does so for tied weights)"
            )


def refuse_unwritable(columns: list[Column], name_of: Callable[[int], str]) -> None:
    """Refuse tensors that torch would not write, before a step has written others; gradients are only read.

    Raises:
        RuntimeError: if one was made under ``torch.inference_mode()`` and this is outside.
    """
    if torch.is_inference_mode_enabled():
        return
    for what, tensors, places in columns:
        for tensor, place in zip(tensors, places, strict=True):
            if what != GRADIENT and tensor.is_inference():
                raise RuntimeError(
                    f"the {_kind(what)} of {name_of(place)} was made under torch.inference_mode(), and can be written "
                    "only there: begin and load outside of it, or clone() the tensor"
                )


def without_names(params: Sequence[Any]) -> tuple[list[Any], dict[str, Any]]:
    """Parameters of which some may be pairs (name, parameter): all without names, and as a group for :func:`label`."""
    bare = [param[1] if isinstance(param, tuple) and len(param) == 2 else param for param in params]
    names = [param[0] for param in params if isinstance(param, tuple)]
    return bare, {"params": bare, **({"param_names": names} if len(names) == len(bare) else {})}


def label(groups: list[dict[str, Any]], place: int) -> str:
    """How a message names the parameter at a place, counted over all groups: by its name, if the groups have names."""
    for number, group in enumerate(groups):
        if place < len(group["params"]):
            names = group.get("param_names")
            param = group["params"][place]
            shape = () if is_lazy(param) else tuple(getattr(param, "shape", ()))
            name = f" ({names[place]!r})" if names else ""
            return f"parameter {place}{name} of group {number}, of shape {shape},"
        place -= len(group["params"])
    return "a parameter"


def _refuse_overlaps(columns: list[Column], name_of: Callable[[int], str]) -> None:
    active: list[tuple[int, Tensor, str, int]] = []
    device: torch.device | None = None
    for first, end, tensor, what, place in _spans(columns):
        if tensor.device != device:
            active, device = [], tensor.device
        active = [span for span in active if span[0] > first]
        for _, other, other_what, other_place in active:
            if _matters((what, place), (other_what, other_place)) and _overlap(tensor, other):
                raise ValueError(
                    f"the {_kind(other_what)} of {name_of(other_place)} and the {_kind(what)} of {name_of(place)} "
                    "share memory: the result of a step would depend on which is written first; give each a tensor of "
                    "its own (clone() one of them), or optimize only the tensor that holds both"
                )
        if what != GRADIENT and _overlaps_itself(tensor):
            raise ValueError(
                f"the {_kind(what)} of {name_of(place)} uses one number for several of its elements (as after "
                "expand()): a step would write it several times; give it memory of its own (clone() it)"
            )
        active.append((end, tensor, what, place))


def _matters(one: tuple[str, int], other: tuple[str, int]) -> bool:
    """Whether a step may go wrong if these overlap: gradients are only read, and before their parameter is written."""
    kinds = {one[0], other[0]}
    return kinds != {GRADIENT} and (kinds != {GRADIENT, PARAMETER} or one[1] != other[1])


def _kind(what: str) -> str:
    return {PARAMETER: "values", GRADIENT: "gradient"}.get(what, f"state {what!r}")


def _spans(columns: list[Column]) -> Iterator[tuple[int, int, Tensor, str, int]]:
    """First and last address of each tensor, device by device in the order of the addresses."""
    spans = []
    for what, tensors, places in columns:
        for tensor, place in zip(tensors, places, strict=True):
            if type(tensor) in _PLAIN and tensor.numel() and tensor.device.type != "meta":
                spans.append((tensor.data_ptr(), tensor.data_ptr() + extent(tensor), tensor, what, place))
    spans.sort(key=lambda span: (str(span[2].device), *span[:2]))
    return iter(spans)


def extent(tensor: Tensor) -> int:
    """Bytes from a tensor's first to the end of its last element."""
    last = sum((size - 1) * stride for size, stride in zip(tensor.shape, tensor.stride(), strict=True))
    return (last + 1) * tensor.element_size()


def _overlap(one: Tensor, other: Tensor) -> bool:
    """Whether two tensors have an element in common; interleaved views of a buffer have none."""
    size = one.element_size()
    low = min(one.data_ptr(), other.data_ptr())
    places = [tensor.data_ptr() - low for tensor in (one, other)]
    ends = [place + extent(tensor) for place, tensor in zip(places, (one, other), strict=True)]
    if max(places) >= min(ends):
        return False
    if one.is_contiguous() and other.is_contiguous():
        return True
    if size != other.element_size() or any(place % size for place in places):
        return True  # numbers of different sizes in one memory: nobody's views
    high = max(ends)
    taken = torch.zeros(high // size, dtype=torch.bool, device="cpu")
    views = [
        taken.as_strided(tensor.shape, tensor.stride(), place // size)
        for place, tensor in zip(places, (one, other), strict=True)
    ]
    views[0].fill_(True)
    return bool(views[1].any())


def _overlaps_itself(tensor: Tensor) -> bool:
    if tensor.is_contiguous():
        return False
    steps = sorted((stride, size) for size, stride in zip(tensor.shape, tensor.stride(), strict=True) if size > 1)
    reach = 0  # of the dimensions with smaller strides: a longer stride steps over all of them
    simple = True
    for stride, size in steps:
        simple = simple and stride > reach
        reach += stride * (size - 1)
    if simple:
        return False
    taken = torch.zeros(reach + 1, dtype=torch.bool, device="cpu")
    taken.as_strided(tensor.shape, tensor.stride(), 0).fill_(True)
    return int(taken.sum()) < tensor.numel()
