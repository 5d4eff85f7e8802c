"""Where a run takes place: what may change between two machines without changing which run it is."""

import contextlib
import functools
import os
import platform
import subprocess
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any, Literal

import torch

from experiments.io.cores import MOST
from experiments.io.errors import require

Parallel = Literal["ddp", "fsdp2"]


@dataclass(frozen=True)
class Environment:
    """Where and how to run; none of it is part of a run's identity, all of it is recorded in its row.

    Attributes:
        out: Folder of the outputs.
        data_dir: Folder of the data sets; None takes the environment's ``ALTO_DATA_DIR``.
        device: ``"auto"`` (a GPU where there is one), ``"cpu"`` or ``"cuda"``.
        threads: Threads of one run. With one thread, results do not depend on the number of cores, and small networks
            train faster as several runs of one thread each than as one run of several.
        checkpoint_seconds: Time between two checkpoints, so the most training time that a kill can cost.
        parallel: How several processes share a run: ``"ddp"`` (each holds the whole network) or ``"fsdp2"`` (slices).
        tensorboard: Log the evaluations for TensorBoard, in ``OUT/tensorboard``.
    """

    out: Path
    data_dir: Path | None = None
    device: str = "auto"
    threads: int = 1
    checkpoint_seconds: float = 5.0
    parallel: Parallel = "ddp"
    tensorboard: bool = False

    def __post_init__(self):
        require(self.device in {"auto", "cpu", "cuda"}, "device", self.device, "auto, cpu or cuda")
        absent = self.device == "cuda" and not torch.cuda.is_available()
        require(not absent, "device", self.device, "auto or cpu (this machine, or this torch, has no CUDA)")
        require(1 <= self.threads <= MOST, "threads", self.threads, f"in [1, {MOST}]")
        require(self.parallel in {"ddp", "fsdp2"}, "parallel", self.parallel, "ddp or fsdp2")
        alone = self.parallel == "fsdp2" and int(os.environ.get("WORLD_SIZE", "1")) == 1
        require(not alone, "parallel", self.parallel, "ddp without several processes (start them with torchrun)")
        require(self.checkpoint_seconds >= 0, "checkpoint_seconds", self.checkpoint_seconds, "at least 0")

    def resolve_device(self) -> torch.device:
        """The device that ``device`` stands for."""
        if self.device == "auto":
            return torch.device("cuda" if torch.cuda.is_available() else "cpu")
        return torch.device(self.device)

    def prepare(self) -> None:
        """Set torch's global switches for this process: thread count, determinism, and float32 without TF32."""
        if torch.get_num_threads() != self.threads:
            torch.set_num_threads(self.threads)
        torch.backends.cudnn.benchmark = False
        torch.backends.cudnn.deterministic = True
        # "float32" is to mean it: convolutions round to TF32's ten bits by default, and a user's switch may do so to
        # products of matrices
        torch.backends.cudnn.allow_tf32 = False
        torch.backends.cuda.matmul.allow_tf32 = False
        versions()  # now: a commit that is made while this process trains is not of the code that it has loaded


_VECTORS = ("avx", "amx", "fma", "sse4")  # instructions of vector arithmetic begin so
_ROOT = Path(__file__).resolve().parents[2]
_PACKAGES = ("alto-optim", "numpy", "numba", "scikit-learn", "pytorch_optimizer", "transformers", "gymnasium", "mujoco")


@functools.cache
def versions(*more: str) -> dict[str, str]:
    """Versions of everything that a result depends on, and the commit of this code.

    Args:
        more: Names of further packages.

    Returns:
        The version by name; packages that are not installed are left out.
    """
    found = {"python": platform.python_version(), "torch": torch.__version__}
    for package in (*_PACKAGES, *more):
        with contextlib.suppress(metadata.PackageNotFoundError):
            found[package] = metadata.version(package)
    import alto

    found.setdefault("alto-optim", getattr(alto, "__version__", "unknown"))
    found["commit"] = commit()
    return found


def commit(root: Path = _ROOT) -> str:
    """The commit of a checkout, with ``-dirty`` if a tracked file differs from it.

    Args:
        root: Its top folder; this code's own by default.

    Returns:
        Twelve digits of the hash; ``unknown`` without git, or where the folder is not the top of a repository: an
        installed copy may lie inside a repository of somebody else, whose commit says nothing of this code.
    """
    try:
        if Path(_git(root, "rev-parse", "--show-toplevel")).resolve() != root.resolve():
            return "unknown"
        return _git(root, "describe", "--always", "--dirty", "--abbrev=12")
    except (OSError, subprocess.SubprocessError, ValueError):  # a result must never be lost for want of this
        return "unknown"


def _git(root: Path, *words: str) -> str:
    # GIT_DIR and the like, which git sets for hooks, would name another repository
    own = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    command = ["git", "-C", str(root), *words]
    return subprocess.run(
        command, capture_output=True, encoding="utf-8", check=True, timeout=30, env=own, stdin=subprocess.DEVNULL
    ).stdout.strip()


def hardware(environment: Environment, processes: int) -> dict[str, str | int]:
    """The machine of a run, what of it decides the last bits, and how many processes and threads the run used."""
    from alto.engines import choose

    device = environment.resolve_device()
    engine: Any = choose(torch.empty(0, device=device))  # a module, of the optimizers of alto
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else _processor()
    found: dict[str, str | int] = {
        "device": device.type,
        "name": name,
        "cores": os.cpu_count() or 1,
        "processes": processes,
        "threads": environment.threads,
        "engine": engine.__name__.rpartition(".")[2],
    }
    if device.type == "cpu":  # kernels for other instructions round differently
        found["instructions"] = torch.backends.cpu.get_cpu_capability()
        found["flags"] = " ".join(sorted(flag for flag in _cpu("flags").split() if flag.startswith(_VECTORS)))
    return found if processes == 1 else {**found, "parallel": environment.parallel}


@functools.cache
def _processor() -> str:
    """Its name, which may say little in a virtual machine, and its family and model, which say which one it is."""
    name = _cpu("model name") or platform.processor() or platform.machine()
    kind = [
        f"{part} {number}" for part, field in (("family", "cpu family"), ("model", "model")) if (number := _cpu(field))
    ]
    return ", ".join([name, *kind])


@functools.cache
def _cpu(field: str) -> str:
    """A line of /proc/cpuinfo about the first processor; empty where there is none."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            key, _, value = line.partition(":")
            if key.strip() == field:
                return value.strip()
    return ""
