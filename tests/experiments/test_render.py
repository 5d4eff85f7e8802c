import dataclasses

import pytest

from experiments import catalog, published, render
from tests.experiments.kept import make

ALTO, LAMB, SGD = (("small", label) for label in ("ALTO", "LAMB", "SGD"))


def titled(kept, start):
    (table,) = [table for table in render.tables(kept) if table.title.startswith(start)]
    return table


def test_results_and_differences_say_mean_interval_and_seeds(tmp_path):
    kept = make(tmp_path, {ALTO: [90.0, 92.0, 94.0], LAMB: [88.0, 91.0, 91.0]})
    assert titled(kept, "Test").rows[0] == ("small", "ALTO", "0.1", "92.00", "[87.03, 96.97]", "3 of 3")
    assert titled(kept, "Difference").rows == (("small", "ALTO - LAMB", "+2.00", "[-0.48, +4.48]", "3", "0.2500"),)


def test_a_p_value_is_never_shown_as_zero():
    assert render.p_words(0.0625) == "0.0625"
    assert render.p_words(2e-6) == "< 0.0001"


def test_flatness_is_a_ratio_with_its_interval(tmp_path):
    sharpness = {ALTO: [20.0, 20.0], LAMB: [10.0, 5.0]}
    kept = make(tmp_path, {ALTO: [1.0, 1.0], LAMB: [1.0, 1.0]}, sharpness=sharpness)
    row = next(row for row in titled(kept, "Measures").rows if row[:2] == ALTO)
    assert row[2].startswith("2.8 [")  # sqrt(2 * 4)
    assert row[2].endswith("p = 0.5")
    assert row[3] == "-"


def test_flatness_is_left_out_where_it_was_not_measured(tmp_path):
    kept = make(tmp_path, {ALTO: [1.0, 1.0], LAMB: [1.0, 1.0]})
    assert not any(table.title.startswith("Measures") for table in render.tables(kept))


def test_speed_is_told_of_a_gpu_alone(tmp_path):
    kept = make(tmp_path, {ALTO: [1.0, 1.0]})
    assert not any(table.title.startswith("Training") for table in render.tables(kept))
    on_gpu = dataclasses.replace(kept, report=dataclasses.replace(kept.report, hardware=({"device": "cuda"},)))
    assert titled(on_gpu, "Training").rows == (("small", "ALTO", "100", "1"),)


def test_the_forms_have_the_same_rows(tmp_path):
    kept = make(tmp_path, {ALTO: [90.0, 92.0], LAMB: [88.0, 91.0], SGD: [50.0, 52.0]}, note="JPEG_re-encoded & small")
    markdown, latex = render.markdown(kept), render.latex(kept)
    for table in render.tables(kept):
        assert table.rows
        for row in table.rows:
            assert f"| {' | '.join(row)} |" in markdown
            assert " & ".join(row).replace("%", r"\%") + r" \\" in latex
    assert "JPEG_re-encoded & small" in markdown
    assert latex.count(r"\toprule") == latex.count(r"\bottomrule") == len(render.tables(kept))
    assert "95 % interval" not in latex  # a bare percent sign would comment the line out
    assert r"95 \% interval" in latex


def test_missing_runs_are_told_above_all(tmp_path):
    kept = make(tmp_path, {ALTO: [1.0, 1.0]})
    broken = dataclasses.replace(kept, report=dataclasses.replace(kept.report, complete=False))
    assert "Incomplete" in render.markdown(broken)
    assert "Incomplete" not in render.markdown(kept)


@pytest.mark.parametrize("row", published.read(), ids=lambda row: f"{row.experiment}-{row.setting}-{row.data}")
def test_every_published_row_belongs_to_a_cell_or_to_a_config_to_come(row):
    assert row.values
    if row.experiment in catalog.names():
        experiment = catalog.load(row.experiment, "paper")
        assert row.setting in experiment.settings
        assert set(row.values) & set(experiment.optimizers)


def test_the_papers_numbers_stand_beside_with_a_caveat_at_other_tiers():
    laptop, paper = catalog.load("cifar-resnet20"), catalog.load("cifar-resnet20", "paper")
    small, large = published.beside(paper)
    assert (small.values["ALTO"], large.values["LAMB"]) == (91.24, 83.56)
    assert "another setting" in published.caveat(laptop, small)
    assert "another setting" not in published.caveat(paper, small)
    other = catalog.load("cifar-resnet20", "paper", ["data.name=cifar100"])
    assert published.beside(other)[0].values["ALTO"] == 65.74


def test_the_papers_numbers_are_in_the_table(tmp_path):
    kept = make(tmp_path, {("large batch", "LAMB"): [30.0, 31.0]}, config=(catalog.FOLDER / "gpt.toml").read_text())
    kept = dataclasses.replace(kept, experiment=dataclasses.replace(kept.experiment, name="gpt"))
    table = titled(kept, "Test")
    assert table.headings[-1] == "paper"
    assert {row[-1] for row in table.rows if row[0] == "large batch" and row[1] == "LAMB"} == {"83.13"}
    assert "perplexity of tokens" in table.note
