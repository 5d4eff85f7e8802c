"""What the tests of the Triton engine share: a process of their own, and the lists that an engine is given."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import torch

from alto._rule import Rule, Tensors

LISTS = ("params", "grads", "exp_avgs", "exp_avg_sqs", "slow_avgs")
ROOT = Path(__file__).parents[2]
PAPER = Rule(-5.0, 0.99, 0.9, 0.99, 1e-6, 1e-6, 1e-10, 1e-2, bias_correction=True, layerwise=True, maximize=False)


def in_a_process_of_its_own(file, names, environment):
    """Run the functions of a file whose names match, as tests, with Triton imported afresh."""
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST_", "TRITON_"))}
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-o", f"python_functions={names}", file]
    done = subprocess.run(
        command, cwd=ROOT, env=inherited | environment, capture_output=True, text=True, check=False, timeout=600
    )
    assert done.returncode == 0, done.stdout + done.stderr


def tensors(sizes, dtype, *, explores=True, seed=0, steps=(0.0,), slow=None):
    """Random parameters and gradients, and averages as after some steps: v is at least m squared."""
    rng = np.random.default_rng(seed)
    state = torch.promote_types(dtype, torch.float32)

    def draw(of):
        return [torch.from_numpy(np.array(rng.normal(size=size))).to(of) for size in sizes]

    ms = draw(state)
    vs = [(m.square() + extra.square()).to(state) for m, extra in zip(ms, draw(state), strict=True)]
    counters = [torch.tensor(float(steps[i % len(steps)])) for i in range(len(sizes))]
    hs = [h.to(slow or state) for h in draw(state)] if explores else []
    return Tensors(draw(dtype), draw(dtype), ms, vs, hs, counters, [7 + 2 * i for i in range(len(sizes))])


def identity(norms):
    return norms


def clone(x, dtype=None):
    """A copy; its averages and, if given, all of it in another dtype."""
    lists = ([y.to(dtype or y.dtype, copy=True) for y in getattr(x, name)] for name in LISTS)
    return Tensors(*lists, [step.clone() for step in x.steps], x.positions)
