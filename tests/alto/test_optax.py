"""E for optax. Its cases run where optax is installed: `pip install ".[optax]"`."""

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from alto.optax import explore


def test_a_setting_outside_the_region_is_refused_without_optax():
    with pytest.raises(ValueError, match=r"alpha=-5, beta1=0\.1"):
        explore(-5.0, 0.1)


def test_a_missing_optax_is_named_with_what_to_do(monkeypatch):
    for name in ("jax", "jax.numpy", "optax"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ModuleNotFoundError, match=r"jax.*: alto\.optax\.explore needs it; pip install optax"):
        explore()


@pytest.mark.skipif(not find_spec("optax"), reason="optax is not installed: E for optax is not tested here")
def test_it_equals_e():
    """In a process of its own: one with JAX must not fork, which other tests do."""
    cases = Path(__file__).with_name("optax_cases.py")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", str(cases)]
    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=cases.parent)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "9 passed" in done.stdout
