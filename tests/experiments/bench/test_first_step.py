"""The fused engine's kernels are compiled once for all processes."""

import os
import subprocess
import sys

import pytest

from experiments.bench import first_step

pytest.importorskip("numba")

# Whether the fused engine's kernels came from the disk, and from nowhere else.
PROGRAM = """
import torch
from alto import ALTO
from alto.engines import cpu
w = torch.ones(8); w.grad = torch.ones(8)
ALTO([w], fused=True).step()
print(*(kernel.cache_hits for kernel in cpu._COMPILED))
"""


def counts(cache):
    environment = os.environ | {"NUMBA_CACHE_DIR": str(cache)}
    done = subprocess.run([sys.executable, "-c", PROGRAM], env=environment, check=True, capture_output=True, text=True)
    return done.stdout.split()


def test_a_second_process_compiles_nothing(tmp_path):
    assert counts(tmp_path) == ["0"]
    assert counts(tmp_path) == ["1"]


def test_both_first_steps_are_timed():
    found = first_step.seconds()
    assert set(found) == {"compiled", "cached", "torch"}
    assert 0 < found["torch"] < found["cached"] < found["compiled"]
