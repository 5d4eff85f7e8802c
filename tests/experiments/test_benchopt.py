"""The benchopt benchmark runs, and each solver lowers the loss; needs benchopt."""

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.skipif(
    importlib.util.find_spec("benchopt") is None, reason="benchopt is not installed (pip install benchopt)"
)
def test_every_solver_lowers_the_loss(tmp_path):
    import pyarrow.parquet

    shutil.copytree(ROOT / "experiments" / "benchopt", tmp_path / "digits")
    subprocess.run(
        [sys.executable, "-m", "benchopt", "run", ".", "-n", "4", "-r", "1", "--no-plot", "--output", "out"],
        cwd=tmp_path / "digits", env={**os.environ, "PYTHONPATH": str(ROOT)}, check=True, capture_output=True,
    )  # fmt: skip
    (file,) = (tmp_path / "digits" / "outputs").glob("out*.parquet")
    rows = pyarrow.parquet.read_table(file).to_pylist()
    for name in ("ALTO", "LAMB", "AdamW"):
        losses = {row["stop_val"]: row["objective_value"] for row in rows if row["solver_name"].startswith(f"{name}[")}
        assert len(losses) > 3
        assert losses[max(losses)] < 0.9 * losses[min(losses)]
