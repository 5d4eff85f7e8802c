"""The fused engine gives way to plain torch, with one warning, where its compiler cannot be used."""

import subprocess
import sys
from unittest import mock

import pytest
import torch

from alto import ALTO, LAMB, E
from alto.engines import cpu
from tests.alto.zoo import equal, matrices, run

STEPS = """
import torch, warnings
from alto import ALTO, LAMB, E
with warnings.catch_warnings(record=True) as seen:
    warnings.simplefilter("always")
    for make in (ALTO, LAMB, lambda p: ALTO(p, fused=True), lambda p: E(torch.optim.SGD(p, 0.1))):
        for dtype in (torch.float32, torch.float64, torch.bfloat16):
            w = torch.nn.Parameter(torch.ones(3, dtype=dtype))
            w.grad = torch.ones_like(w)
            optimizer = make([w])
            optimizer.step()
            optimizer.step()
            assert (w < 1).all()
print([str(w.message) for w in seen if issubclass(w.category, RuntimeWarning)])
"""


def test_with_numbas_compiler_off():
    result = subprocess.run(
        [sys.executable, "-c", STEPS],
        env={"NUMBA_DISABLE_JIT": "1", "PATH": ""},
        check=True,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert result.stdout.strip() == str(
        ["Numba's kernels cannot be used here (its compiler is off: NUMBA_DISABLE_JIT is set); "
         "steps are taken by plain torch"]
    )  # fmt: skip


@pytest.fixture
def uncompiled():
    """Kernels are compiled, or loaded, anew."""
    cpu._compile.cache_clear()
    cpu._warn.cache_clear()
    yield
    cpu._compile.cache_clear()
    cpu._warn.cache_clear()


@pytest.mark.usefixtures("uncompiled")
@pytest.mark.parametrize("make", [ALTO, LAMB, lambda p: E(torch.optim.SGD(p, 0.1))], ids=["ALTO", "LAMB", "E"])
def test_kernels_that_do_not_compile(make):
    broken, plain = matrices(), matrices()
    with (
        mock.patch("alto.engines.cpu.kernels.step_of", side_effect=NotImplementedError("no such instruction")),
        mock.patch("alto.engines.cpu.kernels.explore_of", side_effect=NotImplementedError("no such instruction")),
        pytest.warns(RuntimeWarning, match=r"cannot be used here \(NotImplementedError: no such ins") as seen,
    ):
        run(make(broken), broken, 3)
    assert len(seen) == 1
    with mock.patch("alto.engines._fused", return_value=(None, "none")):
        assert equal(run(make(plain), plain, 3), broken)


@pytest.mark.usefixtures("uncompiled")
def test_without_a_folder_for_temporary_files():
    params = matrices()
    with mock.patch("alto.engines.cpu.tempfile.gettempdir", side_effect=FileNotFoundError("no usable folder")) as asked:
        run(ALTO(params), params, 1)
    assert asked.called


@pytest.mark.usefixtures("uncompiled")
def test_without_a_place_for_compiled_kernels_they_are_compiled_anew():
    kept, anew = matrices(), matrices()
    run(ALTO(kept), kept, 2)
    cpu._compile.cache_clear()
    with mock.patch("numba.core.caching.CacheImpl._locator_classes", []):
        run(ALTO(anew), anew, 2)
    assert equal(kept, anew)


def test_a_step_while_python_shuts_down():
    """No Python thread can be started then; those of OpenMP are there."""
    code = """
import atexit, torch
from alto import ALTO
from alto.engines import cpu
torch.set_num_threads(2)
w = torch.nn.Parameter(torch.ones(2 * cpu._WORTH_A_THREAD)); w.grad = torch.ones_like(w)
optimizer = ALTO([w]); optimizer.step()
first = w.detach().clone()
def last():
    optimizer.step()
    print((w < first).all().item())
atexit.register(last)
"""
    command = [sys.executable, "-W", "ignore", "-c", code]
    result = subprocess.run(command, check=True, capture_output=True, text=True, timeout=120)
    assert result.stdout.strip() == "True", result.stderr
