"""A tiny experiment that runs in about a second."""

from pathlib import Path

import pytest

from experiments.config import catalog
from experiments.config.schema import Experiment
from experiments.io.environment import Environment

TINY = """
title = "Tiny"
source = "ours"
baseline = "LAMB"
data = { name = "digits", validation = 0.2, limit = 200 }
model = { name = "convnet", options = { widths = [4, 8], dropout = 0.2 } }
training = { epochs = 3, batch_size = 64, schedule = "cosine", evaluations = 4 }
tuning = { seeds = [11], learning_rates = { low = 0.01, high = 0.1, count = 2 } }
final = { seeds = [1, 2] }
[settings.small]
[optimizers.ALTO]
preset = "batch"
[optimizers.LAMB]
[tiers.laptop]
"""


@pytest.fixture
def tiny_file(tmp_path: Path) -> Path:
    path = tmp_path / "tiny.toml"
    path.write_text(TINY)
    return path


@pytest.fixture
def tiny(tiny_file: Path) -> Experiment:
    return catalog.load(str(tiny_file))


@pytest.fixture
def place(tmp_path: Path) -> Environment:
    return Environment(tmp_path / "out")
