"""The studies at small sizes, and what they store."""

import inspect
import json
import re
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pyarrow.parquet as pq
import pytest

from theory import claims, objectives, rates
from theory.__main__ import main
from theory.method import algorithms
from theory.rates import cells as cell_store
from theory.rates import fixed_point, records, report, runner, throughput
from theory.rates.records import Cell
from theory.rates.settings import Setting
from theory.rates.studies import ALL, batch, convex, floor, linear, nonconvex, pl, regret

ROOT = Path(__file__).resolve().parents[3]
SEEDS = range(16)
CELL = Cell("a", {}, (1, 2), lambda _: ([], []))
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
        "batch": batch._skewed(
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
    monkeypatch.setattr(floor.linear, "variance", lambda x, *_: x / 2)
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


def floors(variant, alpha=0.5, beta1=0.01, window=(256, 4096)):
    """EAdam's floor by batch at sizes that take a second."""
    setting = batch._setting(variant, (alpha, beta1))
    return batch._symmetric(variant, [setting], (64, 256, 1024, 4096), window, 40_000, SEEDS, **QUIET)[0]


def test_the_floor_falls_like_the_batch_where_eps1_is_above_the_noise():
    exponent, level = floors(batch.ABOVE)
    assert (exponent["relation"], exponent["predicted"]) == ("=", -1)
    assert exponent["verdict"] == level["verdict"] == "agrees"
    assert exponent["bound_over_measured"] >= 1
    assert exponent["proved"]


def test_the_floor_falls_like_the_root_of_the_batch_where_the_noise_is_above_eps1():
    exponent, level = floors(batch.BELOW)
    assert exponent["verdict"] == level["verdict"] == "agrees"
    assert exponent["predicted"] == pytest.approx(-0.5, abs=0.02)


@pytest.mark.parametrize("variant", [batch.ABOVE, batch.BELOW])
def test_a_floor_at_another_divisor_differs(monkeypatch, variant):
    """The exponents and the levels can be wrong: here those of noise that does not shrink with the batch."""
    monkeypatch.setattr(batch.runner, "descend", without_batches(batch.runner.descend))
    exponent, level = floors(variant)
    assert exponent["verdict"] == level["verdict"] == "differs"


def without_batches(descend):
    def run(*arguments, batch, **others):
        return descend(*arguments, batch=1, **others)

    return run


def test_iterates_rest_where_the_mean_step_vanishes_in_skewed_noise():
    """Not where the gradient does; with batch 1 nowhere, so that the gradient tends to its supremum delta."""
    setting = Setting("EAdam", 0.0, 0.5, 0.0, 0.5, (0.01, 1, 1), 1e-4)
    assert batch.skewed_floor(setting, 1) == batch.DELTA**2
    gentle = Setting("EAdam", 0.0, 0.5, 0.0, 0.5, (10.0, 1, 1), 1e-4)
    assert batch.skewed_floor(gentle, 64, steps=40_000) < batch.skewed_floor(setting, 64, steps=40_000) / 10


def test_runs_start_where_the_function_is_concave_and_leave_through_an_inflection():
    """From the right in one coordinate, from the left in the other."""
    field, start, *_ = nonconvex._problem()
    curvature = lambda x: np.diagonal(field.objective.hessian(x), axis1=-2, axis2=-1)  # noqa: E731
    assert (curvature(start[None]) < -0.5).all()
    settings = [Setting(method, -5.0, 0.99, eta=0.05) for method in ("ESGD", "EAdam", "ALTO vanilla", "ALTO")]
    run = runner.descend(
        field, settings, checkpoints=np.array([3000]), seeds=SEEDS, noise=nonconvex.NOISE, batch=100, start=start
    )
    assert (curvature(run.theta[0].reshape(-1, 2)) > 0).all()
    assert (np.sign(run.theta[0] - start).reshape(-1, 2) == [-1, 1]).all()


def test_an_optimizer_that_does_not_move_is_found_out_on_least_squares_but_not_on_fair_signs():
    lazy = [Setting("ESGD", -5.0, 0.99, eta=1e-9)]
    fair, _ = regret._random("linear", lazy, 1000, range(40), **QUIET)
    squares, _ = regret._random("quadratic", lazy, 1000, SEEDS, **QUIET)
    assert fair[0]["verdict"] == "agrees"
    assert squares[0]["verdict"] == "differs"


def test_the_late_growth_of_a_regret_is_its_noise(monkeypatch):
    monkeypatch.setattr(regret, "SETTLED", 0)
    rows, _ = regret._random("quadratic", [Setting("ESGD", -5.0, 0.99, eta=0.3)], 10_000, SEEDS, **QUIET)
    assert rows[1]["verdict"] == "agrees"
    monkeypatch.setattr(regret, "late_slope", lambda *_: 2 * honest(*_))
    rows, _ = regret._random("quadratic", [Setting("ESGD", -5.0, 0.99, eta=0.3)], 10_000, SEEDS, **QUIET)
    assert rows[1]["verdict"] == "differs"


honest = regret.late_slope


def test_eadam_rests_beside_the_best_point_and_esgd_does_not():
    """Where the divisor hardly moves (a large eps1), EAdam's mean step is the mean gradient: it rests at the best."""
    stream = objectives.make_stream("quadratic")
    costs = [
        fixed_point.cost_of_resting(stream, Setting("EAdam", 0.5, 0.01, eps=(eps1, 1.0, 1.0))) for eps1 in (1.0, 1000.0)
    ]
    assert costs[0] > 1e-5 > 1e3 * costs[1]
    assert fixed_point.cost_of_resting(stream, Setting("ESGD", 0.5, 0.01)) == 0


def test_the_resting_point_is_where_the_algorithm_stays():
    """EAdam itself with a small constant step, averaged over seeds and late steps, against the root."""
    stream, setting = objectives.make_stream("quadratic"), Setting("EAdam", 0.5, 0.01, eta=0.002)
    best = stream.best(np.ones((1, 32)))[0]
    optimizer, rng = algorithms.EAdam(0.5, 0.01, 0.9, 0.99, 1.0), np.random.default_rng(0)
    theta, late = optimizer.init([np.tile(best, (200, 1))]), []
    for k in range(20_000):
        theta = optimizer.step(theta, [stream.gradient(rng.integers(32, size=200), theta[0])], setting.eta)
        if k >= 10_000:
            late.append(theta[0].mean(0))
    away = np.mean(late, 0) - best
    H = stream.a.T @ stream.a / 32
    assert away @ H @ away / 2 == pytest.approx(fixed_point.cost_of_resting(stream, setting), rel=0.25)


def test_rows_on_fair_signs_meet_draws_of_their_own():
    settings = [Setting("ESGD", -5.0, 0.99, eta=0.3)] * 2
    stream, x = objectives.make_stream("linear"), np.array([500])
    apart = runner.play(stream, settings, checkpoints=x, seeds=(1, 2), apart=True)
    shared = runner.play(stream, settings, checkpoints=x, seeds=(1, 2))
    assert (apart.counts[0, 0] != apart.counts[0, 1]).any()
    np.testing.assert_array_equal(shared.loss[0, 0], shared.loss[0, 1])


def test_the_late_ratio_leaves_the_start_out():
    """A bound that holds the first gap is tight at the first step, whatever comes after."""
    measured, bound = np.array([1.0, 0.1, 0.01]), np.array([1.0, 0.5, 0.4])
    found = records.bound_over(bound, measured, late=np.array([False, True, True]))
    assert (found.ratio, found.late) == (1.0, pytest.approx(5.0))


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
        cell_store.run_study(broken, tmp_path, full=True, cells=cells)
    assert runs == ["a"]
    assert not (tmp_path / "convex.json").exists()
    result = cell_store.run_study(study, tmp_path, full=True, cells=cells)
    assert runs == ["a", "b"]
    assert len(result["rows"]) == 2
    cell_store.run_study(study, tmp_path, full=True, cells=cells)
    assert runs == ["a", "b"], "nothing is left to run"
    cell_store.run_study(counted(runs, config={"steps": 2}), tmp_path, full=True, cells=cells)
    assert runs == ["a", "b", "a", "b"], "another config is another run"
    assert not list(tmp_path.rglob("*.partial"))


def fails(cell):
    def run(_):
        raise KeyboardInterrupt

    return Cell(cell.name, cell.config, cell.seeds, run)


def test_a_quick_run_keeps_no_cells(tmp_path):
    runs = []
    for _ in range(2):
        cell_store.run_study(counted(runs), tmp_path, full=False, cells=tmp_path / "cells")
    assert runs == ["a", "b"] * 2
    assert not (tmp_path / "cells").exists()


def test_files_hold_what_was_found(tmp_path):
    result = cell_store.run_study(counted([]), tmp_path, full=False)
    assert json.loads((tmp_path / "convex.json").read_text()) == json.loads(json.dumps(result))
    cell_store.write_parquet([result], tmp_path)
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


def test_a_run_of_all_studies_notes_how_long_it_took(tmp_path, monkeypatch, quick_throughput):
    for name in ALL:
        monkeypatch.setitem(ALL, name, SimpleNamespace(**{**vars(counted([])), "NAME": name}))
    assert main(["rates", "--out", str(tmp_path)]) == 0
    noted = json.loads((tmp_path / "run-quick.json").read_text())
    assert noted["wall_s"] >= noted["cells_s"] >= 0
    assert noted["cpu_s"] > 0


def test_one_study_does_not_push_the_others_out_of_the_flat_files(tmp_path, capsys, quick_throughput, monkeypatch):
    assert main(["rates", "--only", "linear", "--out", str(tmp_path)]) == 0
    monkeypatch.setitem(ALL, "convex", counted([]))
    assert main(["rates", "--only", "convex", "--out", str(tmp_path)]) == 0
    rows = pq.read_table(tmp_path / "rows.parquet").to_pylist()
    assert {row["study"] for row in rows} == {"linear", "convex"}


def test_a_quick_run_does_not_replace_a_full_one(tmp_path, capsys, quick_throughput):
    cell_store.run_study(counted([]), tmp_path, full=True, cells=tmp_path / "cells")
    before = (tmp_path / "convex.json").read_bytes()
    assert main(["rates", "--only", "linear", "--out", str(tmp_path)]) == 2
    assert "full run of convex" in capsys.readouterr().err
    assert (tmp_path / "convex.json").read_bytes() == before


def test_what_follows_from_a_sibling_is_not_counted(outcomes):
    rows = outcomes["nonconvex"][0]
    derived = [row for row in rows if row["derived"]]
    assert len(derived) == len(rows) // 2
    assert report.summary([{"rows": rows}]).startswith(f"{len(rows) - len(derived)} comparisons")


def test_the_bar_is_told_how_much_a_cell_has_to_do():
    """Within a factor of two: it is for a progress bar."""
    cell = next(cell for cell in floor.cells(False) if cell.name == "eadam")
    updates = []
    cell.run(updates.append)
    assert cell.work == pytest.approx(sum(updates), rel=0.01)
    for study in ALL.values():
        assert all(cell.work > 0 for full in (False, True) for cell in study.cells(full))


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
    assert str(tmp_path / "file") in capsys.readouterr().err


STORED = [ROOT / "results" / "rates" / f"{name}.json" for name in ALL]


@pytest.mark.parametrize("path", STORED, ids=lambda path: path.stem)
def test_the_committed_results_are_full_and_no_proved_bound_is_passed(path):
    study = json.loads(path.read_text())
    assert study["mode"] == "full"
    assert len(study["seeds"]) in {0, 64}
    assert {"commit", "versions", "processor", "computed", "source"} <= set(study["provenance"])
    for row in study["rows"]:
        assert row["verdict"] != "bound violated"
        assert not row["proved"] or row["bound_over_measured"] >= 1
        if row["theorem"].startswith(("ours-", "remark-")):
            assert row["theorem"] in KNOWN


def test_the_committed_runner_is_thirty_times_the_loop():
    stored = json.loads((ROOT / "results" / "rates" / "throughput.json").read_text())
    assert stored["at_least"] >= 30


def test_an_interrupt_says_what_is_kept(tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(ALL, "convex", SimpleNamespace(NAME="convex", TITLE="", cells=lambda _: [fails(CELL)]))
    assert main(["rates", "--only", "convex", "--full", "--out", str(tmp_path)]) == 130
    assert "the same command continues" in " ".join(capsys.readouterr().err.split())
    assert main(["rates", "--only", "convex", "--out", str(tmp_path)]) == 130
    assert "keeps nothing" in " ".join(capsys.readouterr().err.split())
