"""What a step of the fused GPU engine costs the CPU: the work in Python that the GPU waits for, measured without a GPU.

The tensors have a few elements and lie in the CPU's memory, and the engine's kernels are not run. In one row a launch
does nothing; in another Triton handles it up to the call of the driver, with kernels compiled for an H100. Not measured
are that call, torch's launches of small operations (on a CPU they are run instead), and copies from pinned memory.
Fused AdamW, for comparison, does run its kernel, on as many tensors of four elements.
"""

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch
from torch import nn

from experiments.analysis.benchmarks import FORMAT
from experiments.bench.measure import Spread
from experiments.io.environment import Environment, hardware, versions
from experiments.io.errors import ConfigError

_ELEMENTS = 4  # per tensor: no time goes into arithmetic
_STEPS = 20  # of one row in one round; the median counts
_WARM_UP = 3
_TITLES = {
    "alto-same": "ALTO, the same gradients",
    "alto-new": "ALTO, gradients at new addresses",
    "alto-launched": "ALTO, the same gradients, launches handled by Triton",
    "adamw-fused": "AdamW fused, with its kernel",
}


def make(tensors: int, rounds: int) -> dict[str, Any]:
    """Measure in a process of its own, whose engine finds Triton replaced.

    Args:
        tensors: How many the optimizer has.
        rounds: Turns of each row.

    Returns:
        The JSON object: where and how it was measured, and a row per kind of step: milliseconds of CPU time per step.

    Raises:
        ConfigError: Triton is missing, or compiles nothing here.
    """
    begin, load = time.monotonic(), os.getloadavg()
    program = f"from experiments.bench import host; host.child({tensors}, {rounds})"
    environment = {key: value for key, value in os.environ.items() if key != "TRITON_INTERPRET"}
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, env=environment)
    if done.returncode:
        raise ConfigError(
            "host",
            f"the GPU engine cannot be measured here: {(done.stderr.strip().splitlines() or ['no message'])[-1]}",
        )
    rows: dict[str, list[float]] = json.loads(done.stdout)
    return {
        "format": FORMAT,
        "bench": "host",
        "tensors": tensors,
        "rounds": rounds,
        "threads": 1,
        "hardware": hardware(Environment(Path(), device="cpu", threads=1), 1),
        "versions": versions("e-optimizer-adaptor", "triton"),
        "load_average": {"before": load[0], "after": os.getloadavg()[0]},
        "ended": datetime.now(UTC).isoformat(timespec="seconds"),
        "wall_seconds": time.monotonic() - begin,
        "cases": [
            {"name": name, "title": _TITLES[name], "milliseconds": asdict(Spread.of(values)), "least": min(values)}
            for name, values in rows.items()
        ],
    }


def child(tensors: int, rounds: int) -> None:
    """Write the milliseconds of each row and round to stdout, as JSON, in a process that does nothing else afterwards.

    Args:
        tensors: How many the optimizer has.
        rounds: Turns of each row.
    """
    torch.set_num_threads(1)
    _replace_triton()
    steps = {name: _stepper(name, tensors) for name in _TITLES}
    times: dict[str, list[float]] = {name: [] for name in steps}
    for _ in range(rounds):
        for name, (before, step) in steps.items():
            _LAUNCHES[0] = name == "alto-launched"
            times[name].append(statistics.median(_timed(before, step) for _ in range(_STEPS)))
    sys.stdout.write(json.dumps(times))


def _timed(before: Callable[[], None], step: Callable[[], object]) -> float:
    before()
    begin = time.thread_time()
    step()
    return 1e3 * (time.thread_time() - begin)


def _stepper(name: str, tensors: int) -> tuple[Callable[[], None], Callable[[], object]]:
    """What is done before each step, untimed, and the step."""
    import alto

    params = [nn.Parameter(torch.ones(_ELEMENTS)) for _ in range(tensors)]
    spare: list[list[torch.Tensor]] = [[torch.full((_ELEMENTS,), 0.01) for _ in params] for _ in range(2)]

    def exchange() -> None:
        spare.reverse()
        for param, grad in zip(params, spare[0], strict=True):
            param.grad = grad

    def nothing() -> None:
        pass

    exchange()
    if name == "adamw-fused":
        step = torch.optim.AdamW(params, fused=True).step
    else:
        step = alto.ALTO(params, alpha=-5.0, beta1=0.99, fused=True).step
    _LAUNCHES[0] = name == "alto-launched"
    for _ in range(_WARM_UP):
        step()
    return (exchange if name == "alto-new" else nothing), step


_LAUNCHES = [False]  # whether Triton handles them


def _replace_triton() -> None:
    """Let the fused engine of CPU tensors be the GPU's, and its launches end before the driver."""
    from types import SimpleNamespace

    import triton
    from triton.backends.compiler import GPUTarget

    from alto import engines

    engines._FUSED["cpu"] = engines._TRITON
    target = GPUTarget("cuda", 90, 32)
    driver = SimpleNamespace(
        get_current_target=lambda: target, get_current_device=lambda: 0, get_current_stream=lambda _: 0
    )
    triton.runtime.driver._active = driver  # pyright: ignore[reportAttributeAccessIssue]

    def launch(kernel: Any, grid: tuple[int, ...]) -> Callable[..., None]:
        def handled(*arguments: Any, **options: Any) -> None:
            if _LAUNCHES[0]:
                kernel.warmup(*arguments, grid=grid, **options)

        return handled

    triton.runtime.jit.JITFunction.__getitem__ = launch  # pyright: ignore[reportAttributeAccessIssue]
