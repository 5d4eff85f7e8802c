"""``import theory`` gives the documented names and subpackages, each imported at its first use."""

import os
import subprocess
import sys
from importlib import import_module

import pytest

import theory


def test_every_public_name_is_there():
    for name in theory.__all__:
        assert getattr(theory, name).__module__.startswith("theory.")
    for name in dir(theory):
        assert getattr(theory, name) is not None


def test_rooms_are_modules():
    assert theory.rates is import_module("theory.rates")
    assert theory.ledger.Claim is theory.Claim


@pytest.mark.parametrize("package", ["theory", "experiments"])
def test_commands_draw_whatever_backend_a_notebook_has_set(package):
    code = (
        f"import sys; from {package}.__main__ import main\nsys.argv[1:] = ['--help']\n"
        "try: main()\nexcept SystemExit: pass\nimport matplotlib"
    )
    environment = os.environ | {"MPLBACKEND": "no-backend"}
    ended = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr


def test_an_unknown_name_is_refused_with_the_known_ones():
    with pytest.raises(AttributeError, match=r"no attribute 'wach'.*watch"):
        _ = theory.wach


@pytest.mark.parametrize("package", ["theory", "theory.ledger", "theory.claims", "theory.commands"])
def test_importing_a_door_imports_nothing_slow(package):
    slow = ("numpy", "torch", "sympy", "z3", "hypothesis")
    code = f"import sys, {package}; print([name for name in {slow} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_door_of_the_ledger_has_what_a_file_of_claims_needs():
    for name in theory.ledger.__all__:
        assert getattr(theory.ledger, name) is not None
