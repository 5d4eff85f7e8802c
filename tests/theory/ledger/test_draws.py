"""What is drawn depends on the seed alone, and on no module that is loaded."""

import contextlib
import importlib.util
import sys

import hypothesis
import pytest
from hypothesis import strategies as st

from theory.ledger.draws import of_their_seed


def drawn():
    seen = []

    @hypothesis.seed(5)
    @hypothesis.settings(max_examples=300, database=None)
    @hypothesis.given(st.integers(0, 2**32), st.floats(-1e6, 1e6))
    def note(number, real):
        seen.append((number, real))

    note()
    return seen


@pytest.mark.parametrize(
    ("how", "equal"), [(of_their_seed, True), (contextlib.nullcontext, False)], ids=["ours", "else"]
)
def test_another_module_changes_no_draw(how, equal, tmp_path, monkeypatch):
    """Hypothesis alone draws from its numbers: if it no longer does, there is nothing to switch off."""
    with how():
        before = drawn()
    name = f"many_numbers_{equal}".lower()
    (tmp_path / f"{name}.py").write_text(f"MANY = {[1_000_003 * i for i in range(1, 200)]}\n")
    spec = importlib.util.spec_from_file_location(name, tmp_path / f"{name}.py")
    monkeypatch.setitem(sys.modules, name, importlib.util.module_from_spec(spec))
    with how():
        assert (drawn() == before) is equal
