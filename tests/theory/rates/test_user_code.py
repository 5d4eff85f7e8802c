"""Files from outside become modules that Python finds by their names."""

import json
import pickle
import sys

import pytest

from theory.rates import user_code

FILE = """
from __future__ import annotations
from dataclasses import dataclass

@dataclass
class Settings:
    rate: float = 0.1

class Mine:
    pass
"""


@pytest.mark.parametrize("name", ["own_file_of_a_test.py", "json.py"])
def test_its_dataclasses_are_read_and_its_classes_pickled(tmp_path, name):
    (tmp_path / name).write_text(FILE)
    assert user_code.load(f"{tmp_path / name}:Settings", "x")().rate == 0.1
    Mine = user_code.load(f"{tmp_path / name}:Mine", "x")
    assert type(pickle.loads(pickle.dumps(Mine()))) is Mine
    assert sys.modules["json"] is json


def test_a_wrong_name_gets_those_that_the_file_defines(tmp_path):
    (tmp_path / "own_names.py").write_text("import math\nstart = 3\ndef f(x): return x")
    with pytest.raises(ValueError, match=r"has no 'ff'; it has f$"):
        user_code.load(f"{tmp_path / 'own_names.py'}:ff", "x")


def test_a_file_that_raises_leaves_no_module(tmp_path):
    (tmp_path / "own_file_that_raises.py").write_text("1 / 0")
    with pytest.raises(user_code.UserCodeError, match="ZeroDivisionError"):
        user_code.load(f"{tmp_path / 'own_file_that_raises.py'}:f", "x")
    assert "own_file_that_raises" not in sys.modules
