"""Turns of no length: no test asserts a time."""

import pytest

from experiments.bench import measure


@pytest.fixture(autouse=True)
def _short_turns(monkeypatch):
    monkeypatch.setattr(measure, "_TURN_SECONDS", 0.0)
