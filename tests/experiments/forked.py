"""The command line in processes that are forked from a server with torch in it: importing it takes longer than a test.

Such a process runs ``main`` as ``python -m experiments`` does, and it is killed as any other.
"""

import multiprocessing
import os
import sys
from collections.abc import Callable, Mapping
from multiprocessing.process import BaseProcess
from pathlib import Path

_CONTEXT = multiprocessing.get_context("forkserver")
_IMPORTED = (
    "experiments.training.train", "experiments.sweep.runner", "experiments.data.digits", "torch._dynamo",
    "torch.utils.tensorboard", "torch.distributed.fsdp", "gymnasium.envs.mujoco",
)  # fmt: skip


def start(words: list[str], output: Path, first: Callable[[], None] | None = None) -> BaseProcess:
    """Start a command.

    Args:
        words: What follows ``python -m experiments``.
        output: What it prints goes here, from the beginning.
        first: Called in the process before the command; it must be possible to pickle it.

    Returns:
        The process, which is running.
    """
    return call(_command, words, output, first)


def call(function: Callable[..., None], *arguments: object) -> BaseProcess:
    """Start a function in a process.

    Args:
        function: From a module.
        arguments: Its arguments, which must be possible to pickle.

    Returns:
        The process, which is running; it may have children.
    """
    _CONTEXT.set_forkserver_preload(list(_IMPORTED))
    process = _CONTEXT.Process(target=function, args=arguments)
    process.start()
    return process


def _command(words: list[str], output: Path, first: Callable[[], None] | None) -> None:
    prints_to(output)
    if first is not None:
        first()
    sys.exit(main(words))


def prints_to(output: Path) -> None:
    """Send what this process prints to a file."""
    file = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(file, 1)
    os.dup2(file, 2)


def main(words: list[str], environment: Mapping[str, str] | None = None) -> int:
    """The command in this process, with some environment variables set."""
    from experiments.__main__ import main as act

    os.environ.update(environment or {})
    sys.argv = ["experiments", *words]
    return act()
