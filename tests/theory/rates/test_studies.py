"""The studies at small sizes, and what they store."""

import inspect
import json
import re
from types import SimpleNamespace

import numpy as np
import pyarrow.parquet as pq
import pytest

from theory import claims, rates
from theory.__main__ import main
from theory.rates import provenance, runner, store, throughput
from theory.rates.records import Cell
from theory.rates.settings import Setting
from theory.rates.studies import ALL, batch, convex, floor, linear, nonconvex, pl, regret

SEEDS = range(16)
QUIET = {"done": lambda _: None}
KNOWN = {claim.id for claim in claims.ALL}


def small():
    """A cell of each study, with fewer steps and seeds than even the quick mode."""
    paper = Setting("ESGD", -5.0, 0.99, beta2=0.0)
    nine = [Setting(method, -5.0, 0.99) for method in ("ESGD", "EAdam", "ALTO vanilla", "ALTO")]
    return {
        "convex": convex._huber([paper], np.array([1, 30, 100, 1000, 10_000]), **QUIET),
        "linear": linear._local([s for s in nine if s.method != "ESGD"], **QUIET),
        "floor": floor._esgd([paper], 4000, SEEDS, 0.0, **QUIET),
        "regret": regret._random("linear", [Setting("ALTO", -5.0, 0.99, eta=0.3)], 1000, SEEDS, **QUIET),
        "nonconvex": nonconvex._batches(nine, np.array([1000, 2000, 5000]), SEEDS, **QUIET),
        "batch": batch._run(
            [Setting("EAdam", 0.0, 0.5, 0.0, 0.5, (0.01, 1, 1), 1e-3)], (16, 64, 256), 300, SEEDS, **QUIET
        ),
        "pl": pl._quiet([nine[0].at(3e-3)], **QUIET),
    }


@pytest.fixture(scope="module")
def outcomes():
    return small()


def documented(kind):
    """What the package's docstring says of a row or a curve."""
    return inspect.getdoc(rates).split(f"A {kind}:")[1].split("\n\n")[1]


@pytest.mark.parametrize("study", ALL)
def test_rows_and_curves_have_the_documented_keys(outcomes, study):
    rows, curves = outcomes[study]
    assert rows
    for kind, items in (("row", rows), ("curve", curves)):
        text = documented(kind)
        for item in items:
            missing = [key for key in item if not re.search(rf"\b{key}\b", text)]
            assert not missing, f"the docstring of theory.rates does not speak of {missing}"
    assert {curve["row"] for curve in curves} <= {row["id"] for row in rows}
    ids = [row["id"] for row in rows]
    assert len(set(ids)) == len(ids)


@pytest.mark.parametrize("study", ALL)
def test_no_proved_bound_is_passed(outcomes, study):
    for row in outcomes[study][0]:
        if row["proved"]:
            assert row["bound_over_measured"] >= 1, row["id"]


@pytest.mark.parametrize("study", ALL)
def test_every_config_is_plain_and_cells_have_names_of_their_own(study):
    for full in (False, True):
        cells = ALL[study].cells(full)
        assert len({cell.name for cell in cells}) == len(cells)
        for cell in cells:
            json.dumps(cell.config, default=float)
            assert not full or len(cell.seeds) in {0, 64}


@pytest.mark.parametrize("study", ALL)
def test_theorems_that_look_like_claims_are_claims(outcomes, study):
    for row in outcomes[study][0]:
        if row["theorem"].startswith(("ours-", "remark-")):
            assert row["theorem"] in KNOWN


def test_linear_rates_of_a_wrong_recursion_differ(monkeypatch):
    """The prediction at twice the step is not what is measured: the comparison can fail."""
    honest = linear._observable
    monkeypatch.setattr(linear, "_observable", lambda x, setting: honest(2 * x, setting))
    rows, _ = linear._local([Setting("EAdam", 0.5, 0.01, eps=(0.1, 0.5, 0.1))], **QUIET)
    assert rows[0]["verdict"] == "differs"


def test_a_floor_with_the_wrong_variance_differs(monkeypatch):
    monkeypatch.setattr(floor.stability, "variance", lambda x, *_: x / 2)
    rows, _ = floor._esgd([Setting("ESGD", 0.5, 0.01, beta2=0.0)], 20_000, SEEDS, 0.0, **QUIET)
    assert rows[0]["verdict"] == "differs"


def test_the_pl_constants_are_the_objective_s():
    f = runner.pl_sine(1).objective
    assert (f.L, f.pl) == (pl.L, pl.MU)
    np.testing.assert_allclose(f.hessian(np.zeros((1, 1))), pl.L)


def test_the_pl_floor_without_momentum_is_that_of_gradient_descent():
    """There y = theta, and Var theta = eta / (lambda (2 - eta lambda)) for unit noise."""
    eta, curvature = 0.05, 8.0
    expected = 2 * curvature / 2 * eta / (curvature * (2 - eta * curvature))
    assert pl.floor(Setting("ESGD", 0.0, 0.99, beta2=0.0, eta=eta), curvature) == pytest.approx(expected, rel=1e-9)


def counted(runs, verdict="agrees", config=None):
    """A stand-in for a study, whose two cells count their runs."""
    rows, curves = small_rows(verdict)

    def cell(name):
        return Cell(name, config or {}, (1, 2), lambda done: (runs.append(name), done(5), (rows[name], curves))[2])

    return SimpleNamespace(NAME="convex", TITLE="counted", cells=lambda full: [cell("a"), cell("b")])


def small_rows(verdict):
    rows, curves = convex._huber([Setting("ESGD", -5.0, 0.99, beta2=0.0)], np.array([1, 100, 1000, 10_000]), **QUIET)
    ratio = {"bound_over_measured": 0.5, "proved": True} if verdict == "bound violated" else {}
    rows = [{**row, "verdict": verdict, **ratio} for row in rows]
    return {"a": rows[:1], "b": rows[1:]}, curves


def test_a_full_run_goes_on_where_it_was_cut_off(tmp_path):
    runs = []
    study, cells = counted(runs), tmp_path / "cells"
    broken = SimpleNamespace(**{
        **vars(study),
        "cells": lambda full: [study.cells(full)[0], fails(study.cells(full)[1])],
    })
    with pytest.raises(KeyboardInterrupt):
        store.run_study(broken, tmp_path, full=True, cells=cells)
    assert runs == ["a"]
    assert not (tmp_path / "convex.json").exists()
    result = store.run_study(study, tmp_path, full=True, cells=cells)
    assert runs == ["a", "b"]
    assert len(result["rows"]) == 2
    store.run_study(study, tmp_path, full=True, cells=cells)
    assert runs == ["a", "b"], "nothing is left to run"
    store.run_study(counted(runs, config={"steps": 2}), tmp_path, full=True, cells=cells)
    assert runs == ["a", "b", "a", "b"], "another config is another run"
    assert not list(tmp_path.rglob("*.partial"))


def fails(cell):
    def run(_):
        raise KeyboardInterrupt

    return Cell(cell.name, cell.config, cell.seeds, run)


def test_a_quick_run_keeps_no_cells(tmp_path):
    runs = []
    for _ in range(2):
        store.run_study(counted(runs), tmp_path, full=False, cells=tmp_path / "cells")
    assert runs == ["a", "b"] * 2
    assert not (tmp_path / "cells").exists()


def test_files_hold_what_was_found(tmp_path):
    result = store.run_study(counted([]), tmp_path, full=False)
    assert json.loads((tmp_path / "convex.json").read_text()) == json.loads(json.dumps(result))
    store.write_parquet([result], tmp_path)
    rows = pq.read_table(tmp_path / "rows.parquet").to_pylist()
    assert [row["id"] for row in rows] == [row["id"] for row in result["rows"]]
    assert all(row["seeds"] == [1, 2] and row["commit"] and row["versions"] and row["hardware"] for row in rows)
    points = pq.read_table(tmp_path / "curves.parquet").to_pylist()
    assert len(points) == sum(len(curve["x"]) for curve in result["curves"])
    assert points[0]["measured"] == result["curves"][0]["measured"][0]


@pytest.fixture
def quick_throughput(monkeypatch):
    honest = throughput.compare
    monkeypatch.setattr(throughput, "compare", lambda: honest(steps=200, loop_steps=2))


def test_the_command_stores_prints_and_succeeds(tmp_path, capsys, quick_throughput):
    assert main(["rates", "--only", "linear", "--out", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    assert "ours-stability-region" in out
    assert "15 comparisons: 15 agrees" in out
    names = {"linear.json", "throughput.json", "rows.parquet", "curves.parquet"}
    assert {path.name for path in tmp_path.iterdir()} == names


def test_a_violated_bound_is_exit_code_1(tmp_path, monkeypatch, capsys, quick_throughput):
    monkeypatch.setitem(ALL, "convex", counted([], "bound violated"))
    assert main(["rates", "--only", "convex", "--every", "--out", str(tmp_path)]) == 1
    assert "bound violated" in capsys.readouterr().err


def test_an_unknown_study_is_refused(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["rates", "--only", "concave"])
    assert stop.value.code == 2
    assert "convex" in capsys.readouterr().err


def test_a_folder_that_is_a_file_is_refused(tmp_path, capsys):
    (tmp_path / "file").write_text("")
    assert main(["rates", "--out", str(tmp_path / "file")]) == 2
    assert "--out" in capsys.readouterr().err


def test_provenance_names_commit_versions_and_machine(monkeypatch):
    found = provenance.provenance(2)
    assert found["versions"]["numpy"] == np.__version__
    assert found["cores"] == 2
    monkeypatch.setattr(provenance, "_git", lambda *_: (_ for _ in ()).throw(OSError))
    assert provenance.commit() == "unknown"


STORED = [store.ROOT / "results" / "rates" / f"{name}.json" for name in ALL]


@pytest.mark.parametrize("path", STORED, ids=lambda path: path.stem)
def test_the_committed_results_are_full_and_no_proved_bound_is_passed(path):
    study = json.loads(path.read_text())
    assert study["mode"] == "full"
    assert len(study["seeds"]) in {0, 64}
    assert {"commit", "versions", "cpu", "finished"} <= set(study["provenance"])
    for row in study["rows"]:
        assert row["verdict"] != "bound violated"
        assert not row["proved"] or row["bound_over_measured"] >= 1
        if row["theorem"].startswith(("ours-", "remark-")):
            assert row["theorem"] in KNOWN


def test_the_committed_runner_is_thirty_times_the_loop():
    stored = json.loads((store.ROOT / "results" / "rates" / "throughput.json").read_text())
    assert stored["at_least"] >= 30
