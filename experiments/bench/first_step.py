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
torch.optim.AdamW([w])
torchs = time.perf_counter() - begin
ALTO([w], fused=True).step()
print(time.perf_counter() - begin, torchs)
"""


def seconds() -> dict[str, float]:
    """Seconds of the first step: ``compiled``, from an empty cache, and ``cached``, in a second process after it.

    Imports of Numba count, and what torch imports with the first optimizer of any kind, which is ``torch`` alone.

    Raises:
        subprocess.CalledProcessError: there is no fused engine.
    """
    with tempfile.TemporaryDirectory() as cache:
        compiled, _ = _first(Path(cache))
        cached, torchs = _first(Path(cache))
    return {"compiled": compiled, "cached": cached, "torch": torchs}


def _first(cache: Path) -> list[float]:
    environment = os.environ | {"NUMBA_CACHE_DIR": str(cache)}
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM], env=environment, check=True, capture_output=True, text=True, timeout=600
    )
    return list(map(float, done.stdout.split()))
