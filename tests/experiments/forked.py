"""The command line in processes that are forked from a server with torch in it: importing it takes longer than a test.

Such a process runs ``main`` as ``python -m experiments`` does, and it is killed as any other.
"""

import multiprocessing
import os
import signal
import socket
import sys
from collections.abc import Callable, Mapping
from multiprocessing.process import BaseProcess
from pathlib import Path

_CONTEXT = multiprocessing.get_context("forkserver")
IMPORTED = [
    "experiments.training.train", "experiments.sweep.runner", "experiments.data.digits", "torch._dynamo",
    "torch.utils.tensorboard", "torch.distributed.fsdp", "gymnasium.envs.mujoco",
]  # fmt: skip


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
    _CONTEXT.set_forkserver_preload(IMPORTED)
    process = _CONTEXT.Process(target=function, args=arguments)
    process.start()
    return process


def _command(words: list[str], output: Path, first: Callable[[], None] | None) -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)  # the tests may run where it is ignored
    prints_to(output)
    if first is not None:
        first()
    sys.exit(main(words))


def pair(words: list[str], output: Path) -> BaseProcess:
    """Start a command in two processes that share its runs, as ``torchrun`` does.

    Args:
        words: What follows ``python -m experiments``.
        output: What they print goes here, from the beginning.

    Returns:
        The process that waits for the two; its exit code is 0 if both have 0.
    """
    return call(_launch, words, output)


def _launch(words: list[str], output: Path) -> None:
    prints_to(output)
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    started = []
    for rank in range(2):
        if (process := os.fork()) == 0:
            places = {
                "RANK": rank,
                "LOCAL_RANK": rank,
                "WORLD_SIZE": 2,
                "MASTER_ADDR": "127.0.0.1",
                "MASTER_PORT": port,
            }
            code = 1
            try:
                code = main(words, {name: str(value) for name, value in places.items()})
            finally:
                sys.stdout.flush()
                sys.stderr.flush()
                os._exit(code)
        started.append(process)
    codes = [os.waitpid(process, 0)[1] for process in started]
    sys.exit(any(codes))


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
