"""From a wish to one JSON object, its tables and figures."""

import json

import pytest
import torch

from experiments.analysis.benchmarks import FORMAT
from experiments.bench import contestants, figure, measure, record, traffic
from experiments.bench.contestants import CONTESTANTS, FLOORS, YARDSTICK, Contestant
from experiments.bench.measure import Times
from experiments.bench.record import Wish
from experiments.cli import bench_console as console
from experiments.report.figures import draw
from tests.experiments.bench.cases import TINY, wish


def test_ratios_are_of_times_in_the_same_round_and_the_floor_is_the_better_bandwidth(monkeypatch):
    """A machine twice as slow in the second round changes the times and no ratio."""
    slow = [1.0, 2.0, 1.0]
    speeds = {"alto-foreach": 6.0, YARDSTICK: 2.0, "copy": 1.0, "in-place": 0.5}
    made = {name: Times([speed * s for s in slow], 3) for name, speed in speeds.items()}
    monkeypatch.setattr(measure, "race", lambda *_: made)
    case = record.make(wish(only=("alto-foreach",), rounds=3))["cases"][0]
    rows = {row["name"]: row for row in case["contestants"]}
    assert case["floor"] == "in-place"
    assert case["bandwidth_gb_s"]["in-place"]["median"] == pytest.approx(8 * TINY.parameters / 0.5e-3 / 1e9)
    assert rows["alto-foreach"]["milliseconds"] == {"median": 6.0, "low": 6.0, "high": 9.0}
    assert set(rows["alto-foreach"]["times_adamw_fused"].values()) == {3.0}
    assert set(rows["alto-foreach"]["times_floor"].values()) == {6.0 / (48 / 8 * 0.5)}
    assert set(rows["in-place"]["times_floor"].values()) == {1.0}


def test_the_json_says_everything():
    report = json.loads(json.dumps(record.make(wish())))
    assert report["format"] == FORMAT
    assert (report["bench"], report["rounds"], report["threads"], report["seed"]) == ("step", 2, 1, 3)
    assert {"device", "name", "cores"} <= set(report["hardware"])
    assert {"python", "torch", "alto-optim"} <= set(report["versions"])
    assert set(report["load_average"]) == {"before", "after"}
    assert report["wall_seconds"] > 0
    (case,) = report["cases"]
    assert (case["name"], case["parameters"], case["tensors"]) == ("tiny", 621, 3)
    assert set(case["bandwidth_gb_s"]) == set(FLOORS)
    ran, skipped = ([row["name"] for row in rows] for rows in (case["contestants"], report["skipped"]))
    assert sorted(ran + skipped) == sorted(CONTESTANTS)  # nobody is missing silently
    for row in case["contestants"]:
        assert len(row["each_round"]) == 2
        for key in ("milliseconds", "times_adamw_fused", "times_floor"):
            assert 0 < row[key]["low"] <= row[key]["median"] <= row[key]["high"]
        assert row["passes"]
        assert row["why"]


def test_the_skipped_are_named_with_their_reason_in_json_table_and_figure(monkeypatch, capsys):
    def refuse(_):
        raise ValueError("no such kernels yet")

    absent = Contestant("alto-fused", "ALTO fused", traffic.ALTO, 0, refuse)
    monkeypatch.setitem(CONTESTANTS, "alto-fused", absent)
    report = record.make(wish(only=("alto-fused",), rounds=1))
    assert report["skipped"] == [{"name": "alto-fused", "title": "ALTO fused", "reason": "no such kernels yet"}]
    assert "alto-fused" not in {row["name"] for row in report["cases"][0]["contestants"]}
    console.show(report)
    assert "skipped: ALTO fused: no such kernels yet" in capsys.readouterr().out
    assert "not available here: ALTO fused" in figure._footnote(report)


def test_without_fused_adamw_there_is_no_ratio_and_still_a_table_and_a_figure(monkeypatch, tmp_path):
    monkeypatch.setattr(contestants, "obstacle", lambda one, _: "not here" if one.name == YARDSTICK else None)
    report = record.make(wish(only=("alto-foreach",), rounds=1))
    assert all(row["times_adamw_fused"] is None for row in report["cases"][0]["contestants"])
    console.show(report)
    assert len(draw.write(figure.draw(report), tmp_path, "bench-step")) == 2


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_on_a_gpu():
    for bench, rounds in (("step", 1), ("memory", 0)):
        chosen = contestants.choose((), references=rounds > 0)
        report = record.make(Wish(bench, "--model", (TINY,), chosen, rounds, threads=1, device="cuda"))
        assert report["hardware"]["device"] == "cuda"
        assert report["cases"][0]["contestants"]
