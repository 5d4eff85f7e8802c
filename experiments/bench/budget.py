"""Whether a measurement fits into memory: one that swaps, or is killed half-way, is of no use."""

import os
from collections.abc import Sequence
from pathlib import Path

import torch

from experiments.bench.contestants import Contestant
from experiments.bench.shapes import Case
from experiments.io.errors import ConfigError

_SHARE = 0.6  # of the machine's memory, at most: the rest is for torch itself, the system and others
_SHARED_BYTES = 12  # a parameter, its gradient and the noise that it is made from, in float32
_LIMITS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))


def check(option: str, case: Case, contestants: Sequence[Contestant], device: torch.device) -> None:
    """Refuse a case that is too large for this machine.

    Args:
        option: The option that chose the case.
        case: What is stepped on.
        contestants: Who takes part; only one of them holds state at a time.
        device: Where.

    Raises:
        ConfigError: too little memory; says how much is needed and how much there is.
    """
    most = max((contestant.holds for contestant in contestants), default=0)
    needed = case.parameters * (_SHARED_BYTES + most)
    usable = _usable(device)
    if needed > usable:
        raise ConfigError(
            option,
            f"{case.title} needs {needed / 1e9:.2g} GB, and {usable / 1e9:.2g} GB may be used on this machine "
            f"({_SHARE:.0%} of its memory, or what is free of it); choose a smaller one",
        )


def _usable(device: torch.device) -> float:
    """Bytes that a measurement may take."""
    if device.type == "cuda":
        free, total = torch.cuda.mem_get_info(device)
        return min(_SHARE * total, free)
    page = os.sysconf("SC_PAGE_SIZE")
    total = page * os.sysconf("SC_PHYS_PAGES")
    for path in _LIMITS:  # a container's limit
        if path.exists() and (limit := path.read_text(encoding="utf-8").strip()).isdigit():
            total = min(total, int(limit))
    return min(_SHARE * total, _free())


def _free() -> float:
    """Bytes that are available without swapping; infinity where the system does not report them."""
    try:
        lines = Path("/proc/meminfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return float("inf")
    return next((1024.0 * int(line.split()[1]) for line in lines if line.startswith("MemAvailable")), float("inf"))
