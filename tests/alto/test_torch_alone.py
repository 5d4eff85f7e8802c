"""The optimizers with torch and no other package: NumPy and Numba cannot be imported."""

import subprocess
import sys
from pathlib import Path

CODE = """
import sys
sys.modules["numpy"] = sys.modules["numba"] = None
import torch
from alto import ALTO, LAMB, E
for make in (ALTO, LAMB, lambda params: E(torch.optim.AdamW(params))):
    model = torch.nn.Linear(4, 2)
    optimizer = make(model.parameters())
    for _ in range(3):
        model(torch.ones(3, 4)).sum().backward()
        optimizer.step()
    assert optimizer.state_dict()["state"]
    assert all(p.isfinite().all() for p in model.parameters())
"""


def test_numpy_is_not_needed():
    ran = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", CODE],
        cwd=Path(__file__).parents[2], capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
