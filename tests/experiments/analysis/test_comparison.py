import dataclasses

import numpy as np
import pytest

from experiments.analysis import comparison, kept
from experiments.io.errors import DataError
from experiments.report import tables
from experiments.runs.plan import Cell
from experiments.sweep import runner
from experiments.sweep.pool import Workers


@pytest.fixture
def results(tiny, place):
    # an order that sorting would change
    tiny = dataclasses.replace(tiny, optimizers={label: tiny.optimizers[label] for label in ("LAMB", "ALTO")})
    return runner.run(tiny, place, Workers(1), lambda _: None)


def test_means_and_differences_are_those_of_the_rows(results):
    made = comparison.make(results)
    accuracies = {
        label: [100 * row.curve[-1].test.accuracy for row in results.rows[Cell("small", label)]]
        for label in ("ALTO", "LAMB")
    }
    assert [(s.label, s.test.n) for s in made.summaries] == [("LAMB", 2), ("ALTO", 2)]
    for cell in made.summaries:
        assert cell.test.mean == pytest.approx(np.mean(accuracies[cell.label]))
    (difference,) = made.differences
    pairs = np.subtract(accuracies["ALTO"], accuracies["LAMB"])
    assert difference.difference.mean == pytest.approx(pairs.mean())
    assert difference.difference.n == 2
    assert made.complete
    assert made.seeds == (1, 2)
    choice = results.choices[Cell("small", "LAMB")]
    assert made.summaries[0].validation == pytest.approx(100 * max(choice.scores.values()))


def test_versions_and_machines_of_the_tuning_count_too(results):
    old, *others = results.tuning
    machine = {**old.hardware, "cores": 99}
    old = dataclasses.replace(old, versions={**old.versions, "commit": "before"}, hardware=machine)
    made = kept.summarise(dataclasses.replace(results, tuning=(old, *others)))
    assert len(made.report.versions) == len(made.report.hardware) == 2
    assert any("2 versions of the code" in remark and "before" in remark for remark in tables.remarks(made))


def test_differences_are_paired_by_seed_not_by_place(results):
    alto, lamb = Cell("small", "ALTO"), Cell("small", "LAMB")
    # ALTO lost seed 1, LAMB lost seed 2: no pair is left, so there is no difference to speak of
    rows = {alto: results.rows[alto][1:], lamb: results.rows[lamb][:1]}
    made = comparison.make(dataclasses.replace(results, rows=rows))
    assert made.differences == ()
    assert not made.complete


def test_nothing_is_filled_in_for_missing_rows(results):
    made = comparison.make(dataclasses.replace(results, rows={}, choices={}))
    assert all(cell.test is None and cell.lr is None for cell in made.summaries)
    assert tables.summary_cells(made.summaries[0]) == ("small", "LAMB", "-", "-", "-", "0 of 2")
    assert made.summaries[0].validation is None


def test_a_run_that_diverged_counts_as_guessing(results):
    alto = Cell("small", "ALTO")
    lost, *others = results.rows[alto]
    made = comparison.make(dataclasses.replace(
        results, rows={**results.rows, alto: [dataclasses.replace(lost, diverged=True), *others]}
    ))  # fmt: skip
    cell = next(cell for cell in made.summaries if cell.label == "ALTO")
    assert (cell.diverged, cell.test.n) == (1, 2)
    assert cell.test.mean == pytest.approx((10.0 + 100 * others[0].last.test.accuracy) / 2)  # ten digits
    assert len(cell.trials) == len(results.choices[alto].scores)


def test_the_tables_say_edge_and_divergence_and_what_else_was_tuned(results):
    first = comparison.make(results).summaries[0]
    marked = dataclasses.replace(first, at_edge=True, diverged=1, options={"alpha": -0.5})
    cells = tables.summary_cells(marked)
    assert cells[2].endswith(" (edge), alpha = -0.5")
    assert cells[5] == "2 of 2, 1 diverged"


def test_a_summary_survives_the_way_to_disk_and_back(results, tmp_path):
    made = kept.summarise(results)
    kept.write(made, tmp_path / "kept.json")
    again = kept.read(tmp_path / "kept.json")
    assert again == made
    assert list(again.experiment.optimizers) == list(made.experiment.optimizers) == ["LAMB", "ALTO"]
    assert [(run.label, run.seed) for run in made.runs] == [("LAMB", 1), ("LAMB", 2), ("ALTO", 1), ("ALTO", 2)]
    row = results.rows[Cell("small", "LAMB")][1]
    assert made.runs[1].test[-1] == pytest.approx(100 * row.last.test.accuracy, rel=1e-5)
    assert made.runs[1].weights == row.weights
    assert made.runs[1].step == tuple(point.step for point in row.curve)
    assert made.runs[1].time[-1] == pytest.approx(row.last.seconds, rel=1e-5)
    assert made.runs[1].examples_per_second == pytest.approx(row.examples_per_second, rel=1e-5)


@pytest.mark.parametrize(
    ("content", "words"),
    [(None, "does not exist"), ("{", "is damaged"), ('{"experiment": {}}', "is damaged")],
    ids=["absent", "broken", "other"],
)
def test_what_is_no_summary_is_refused(tmp_path, content, words):
    if content is not None:
        (tmp_path / "kept.json").write_text(content)
    with pytest.raises(DataError, match=words):
        kept.read(tmp_path / "kept.json")
