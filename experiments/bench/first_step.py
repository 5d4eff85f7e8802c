"""How long the fused engine's first step takes in a new process: its kernels are compiled once and kept on disk."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

_PROGRAM = """
import time, torch
from alto import ALTO
w = torch.ones(8); w.grad = torch.ones(8)
begin = time.perf_counter()
ALTO([w], fused=True).step()
print(time.perf_counter() - begin)
"""


def seconds() -> dict[str, float]:
    """Seconds of the first step: ``compiled``, from an empty cache, and ``cached``, in a second process after it.

    Imports of Numba count, those of torch do not.

    Raises:
        subprocess.CalledProcessError: there is no fused engine.
    """
    with tempfile.TemporaryDirectory() as cache:
        return {kind: _first(Path(cache)) for kind in ("compiled", "cached")}


def _first(cache: Path) -> float:
    environment = os.environ | {"NUMBA_CACHE_DIR": str(cache)}
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM], env=environment, check=True, capture_output=True, text=True, timeout=600
    )
    return float(done.stdout)
