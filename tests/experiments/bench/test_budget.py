"""Whether a measurement fits into memory."""

import pytest

from experiments.bench import budget, record
from experiments.bench.contestants import CONTESTANTS
from experiments.bench.shapes import MODELS
from experiments.io.errors import ConfigError
from tests.experiments.bench.cases import CPU, wish


def test_too_little_memory_is_refused_by_the_options_name(monkeypatch):
    monkeypatch.setattr(budget, "_usable", lambda _: 1e9)
    with pytest.raises(ConfigError, match=r"--model: GPT-2 small needs 4\.. GB, and 1 GB may be used on this machine"):
        record.make(wish(only=("alto-foreach",), cases=(MODELS["gpt2-small"],)))
    budget.check("--model", MODELS["resnet50"], [CONTESTANTS["alto-foreach"]], CPU)


def test_this_machine_has_some_memory():
    assert 1e8 < budget._usable(CPU) < 1e15
