"""How many cores this process may use: fewer than the machine has, under taskset, cgroups and Slurm."""

import os

MOST = 1024
"""Threads or processes that may be wanted; more only exhaust a machine."""


def cores() -> int:
    """The cores that the scheduler allows this process, at least 1."""
    if hasattr(os, "sched_getaffinity"):  # not on macOS and Windows
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
