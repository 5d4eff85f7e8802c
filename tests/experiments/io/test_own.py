"""A user's file becomes a module that Python finds by its name."""

import pickle

from experiments.io import own

FILE = """
from __future__ import annotations
from dataclasses import dataclass

@dataclass
class Settings:
    rate: float = 0.1
"""


def test_its_dataclasses_are_read_and_pickled(tmp_path):
    (tmp_path / "net.py").write_text(FILE)
    Settings = own.load(f"{tmp_path / 'net.py'}:Settings", "model.name")
    assert pickle.loads(pickle.dumps(Settings(2.0))) == Settings(2.0)
