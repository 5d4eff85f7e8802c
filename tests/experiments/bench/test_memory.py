"""Bytes kept between steps, saved in a checkpoint, and taken during a step."""

import json

import pytest

from experiments.bench import contestants, memory, record
from experiments.bench.contestants import CONTESTANTS
from experiments.bench.shapes import Case
from experiments.bench.workload import Workload
from experiments.cli import bench_console as console
from tests.experiments.bench.cases import CPU, wish


@pytest.mark.parametrize("name", list(CONTESTANTS))
def test_nobody_holds_more_than_the_memory_check_reckons_with(name):
    """On one tensor, the worst case for those that go tensor by tensor."""
    contestant = CONTESTANTS[name]
    if reason := contestants.obstacle(contestant, CPU):
        pytest.skip(reason)
    found = memory.weigh(Workload(Case("one", "One", ((500_000,),)), CPU, 0), contestant)
    assert found.held + found.transient <= contestant.holds + 1e-3


@pytest.mark.parametrize(
    ("name", "held", "saved", "least_transient"),
    [
        ("alto-fused", 16, 12, 0),  # r of a network as small as this stays, and is no state
        ("alto-foreach", 12, 12, 0),
        ("lamb-foreach", 8, 8, 0),
        ("adamw-fused", 8, 8, 0),
        ("adamw-foreach", 8, 8, 4),
        ("e-adamw-fused", 16, 12, 0),  # the mixed gradients' memory stays, and is no state
        ("e-adamw-foreach", 16, 12, 4),
        ("po-adan", 16, 16, 4),
        ("official-alto", 24, 24, 8),
        ("official-e-adamw", 16, 8, 4),  # its two buffers are in no checkpoint
    ],
)
def test_bytes_kept_saved_and_transient(name, held, saved, least_transient):
    found = memory.weigh(Workload(Case("two", "Two", ((400, 500), (500,))), CPU, 0), CONTESTANTS[name])
    assert found.held == pytest.approx(held, abs=0.01)
    assert found.saved == pytest.approx(saved, abs=0.01)
    assert found.transient >= 0.99 * least_transient


def test_the_fused_engine_takes_nothing_more():
    found = memory.weigh(Workload(Case("two", "Two", ((400, 500), (500,))), CPU, 0), CONTESTANTS["alto-fused"])
    assert found.transient < 0.01


def test_memory_is_a_report_too(capsys):
    report = json.loads(json.dumps(record.make(wish("memory", only=("alto-foreach",), rounds=0))))
    (row,) = report["cases"][0]["contestants"]
    assert set(row) == {"name", "title"} | {f"{kind}_bytes_a_parameter" for kind in ("held", "saved", "transient")}
    console.show(report)
    assert "ALTO foreach" in capsys.readouterr().out
