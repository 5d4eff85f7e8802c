"""The CPU time of a step of the GPU engine, measured without a GPU."""

import re

import pytest

from experiments.bench import host
from experiments.cli.bench import Host
from experiments.io.errors import ConfigError

pytest.importorskip("triton")


def test_a_row_per_kind_of_step(monkeypatch, tmp_path):
    monkeypatch.setenv("TRITON_CACHE_DIR", str(tmp_path))
    report = host.make(20, 2)
    assert [case["name"] for case in report["cases"]] == ["alto-same", "alto-new", "alto-launched", "adamw-fused"]
    for case in report["cases"]:
        assert 0 < case["least"] <= case["milliseconds"]["median"]
    compiled = {path.name for path in tmp_path.glob("*/*.cubin")}
    assert compiled == {"average_kernel.cubin", "norm_kernel.cubin", "apply_kernel.cubin"}


def test_a_process_that_fails_is_an_error_in_a_line(monkeypatch):
    monkeypatch.setattr(host.sys, "executable", "false")
    with pytest.raises(ConfigError, match="the GPU engine cannot be measured here"):
        host.make(20, 1)


@pytest.mark.parametrize(
    ("command", "complaint"),
    [
        (Host(tensors=0), "--tensors: 0 is not allowed; it must be in [1, 100000]"),
        (Host(rounds=0), "--rounds: 0 is not allowed; it must be in [1, 10000]"),
    ],
    ids=["tensors", "rounds"],
)
def test_a_number_outside_its_range_is_refused(command, complaint):
    with pytest.raises(ConfigError, match=re.escape(complaint)):
        command.check()
