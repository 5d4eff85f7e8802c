import dataclasses
from pathlib import Path

import pytest

from experiments.analysis import names, published
from experiments.analysis.statistics import Interval
from experiments.config import catalog
from experiments.report import tables
from tests.experiments.analysis.made import CONFIG, make

ALTO, LAMB, SGD = (("small", label) for label in ("ALTO", "LAMB", "SGD"))


def titled(kept, start):
    (table,) = [table for table in tables.tables(kept) if table.title.startswith(start)]
    return table


def test_results_and_differences_say_mean_interval_and_seeds(tmp_path):
    kept = make(tmp_path, {ALTO: [90.0, 92.0, 94.0], LAMB: [88.0, 91.0, 91.0]})
    assert titled(kept, "Test").rows[0] == ("batch 128", "ALTO", "0.1", "92.00", "[87.03, 96.97]", "3 of 3")
    assert titled(kept, "Difference").rows == (("batch 128", "ALTO - LAMB", "+2.00", "[-0.48, +4.48]", "3", "0.2500"),)


def test_a_small_interval_is_not_shown_as_a_point():
    assert tables.numbers(Interval(0.0028, -0.0001, 0.0057, 5), "+") == ("+0.0028", "[-0.0001, +0.0057]", 5)
    assert tables.numbers(Interval(0.0, 0.0, 0.0, 5), "+") == ("+0.00", "all seeds tie", 5)
    assert tables.numbers(Interval(1.5, None, None, 1)) == ("1.50", "-", 1)


@pytest.mark.parametrize(
    ("interval", "words"),
    [
        (Interval(2e-6, -1e-6, 5e-6, 3), ("+0.0000020", "[-0.0000010, +0.0000050]")),
        (Interval(3.1e-5, None, None, 1), ("+0.000031", "-")),
        (Interval(2e-4, 2e-4, 2e-4, 3), ("+0.00020", "all seeds tie")),
        (Interval(2e-12, 1e-12, 3e-12, 3), ("+2e-12", "[+1e-12, +3e-12]")),
        (Interval(1.5e30, -4.9e30, 7.9e30, 2), ("+1.5e+30", "[-4.9e+30, +7.9e+30]")),
    ],
    ids=["millionths", "one seed", "tie", "tiny", "huge"],
)
def test_a_number_in_another_unit_is_not_shown_as_zero_or_as_thirty_digits(interval, words):
    assert tables.numbers(interval, "+")[:2] == words


def test_a_p_value_is_never_shown_as_zero():
    assert tables.p_words(0.0625) == "0.0625"
    assert tables.p_words(2e-6) == "< 0.0001"


def test_flatness_is_a_ratio_with_its_interval(tmp_path):
    sharpness = {ALTO: [20.0, 20.0], LAMB: [10.0, 5.0]}
    kept = make(tmp_path, {ALTO: [1.0, 1.0], LAMB: [1.0, 1.0]}, sharpness=sharpness)
    row = next(row for row in titled(kept, "Measures").rows if row[:2] == ("batch 128", "ALTO"))
    assert row[2].startswith("2.83 [")  # sqrt(2 * 4)
    assert row[2].endswith("p = 0.5, 2 of 4 seeds")
    assert row[3] == "-"


def test_flatness_is_left_out_where_it_was_not_measured(tmp_path):
    kept = make(tmp_path, {ALTO: [1.0, 1.0], LAMB: [1.0, 1.0]})
    assert not any(table.title.startswith("Measures") for table in tables.tables(kept))


def test_cost_is_told_of_a_gpu_and_on_a_cpu_only_where_it_is_the_question(tmp_path):
    kept = make(tmp_path, {ALTO: [1.0, 1.0]}, config=CONFIG.replace("[settings.small]", SMALL))
    assert not any(table.title.startswith("Time and memory") for table in tables.tables(kept))
    on_gpu = dataclasses.replace(kept, report=dataclasses.replace(kept.report, hardware=({"device": "cuda"},)))
    table = titled(on_gpu, "Time and memory")
    assert table.rows == (("batch 5", "ALTO", "50.00", "all seeds tie", "2", "1.0"),)
    assert table.headings[-1] == "peak MiB"
    asked = dataclasses.replace(kept, experiment=dataclasses.replace(kept.experiment, name="cost"))
    table = titled(asked, "Time and memory")
    assert table.rows[0][-1] == "0.5"
    assert table.headings[-1] == "MiB of optimizer state"
    assert "in turns" in table.note
    assert "of the paper" not in table.note  # its network is another


SMALL = "[settings.small]\ntraining = { batch_size = 5 }"


def test_runs_that_ended_in_the_same_network_are_counted(tmp_path):
    kept = make(tmp_path, {ALTO: [1.0, 2.0], ("equal", "ALTO"): [1.0, 2.0], LAMB: [1.0]})
    changed = (dataclasses.replace(kept.runs[0], weights="1"), *kept.runs[1:])
    rows = titled(dataclasses.replace(kept, runs=changed), "Runs of two").rows
    assert rows == (("batch 128 = batch 128, equal learning rates", "ALTO", "1 of 2"),)
    changed = tuple(dataclasses.replace(run, weights=run.setting) for run in kept.runs)
    apart = dataclasses.replace(kept, runs=changed)
    assert not any(table.title.startswith("Runs of two") for table in tables.tables(apart))


def test_what_was_run_is_told_by_setting(tmp_path):
    kept = make(tmp_path, {ALTO: [1.0]}, config=CONFIG.replace("[settings.small]", SMALL))
    row = titled(kept, "What was run").rows[0]
    assert row == ("batch 5", "digits", "convnet 16-32", "5", "10", "constant", "0.0", "none", "small")


def test_a_run_that_is_counted_in_steps_is_not_told_in_epochs(tmp_path):
    steps = CONFIG.replace("[settings.small]", "[settings.small]\ntraining = { steps = 500 }")
    table = titled(make(tmp_path, {ALTO: [1.0]}, config=steps), "What was run")
    assert [row[4] for row in table.rows] == ["500 steps", "10"]
    experiment = catalog.load("headline-16px")
    assert names.length(experiment.resolve("lr .05")[2]) == "500 steps"


def test_a_clip_of_one_competitors_own_is_told(tmp_path):
    own = CONFIG.replace("[optimizers.SGD]", "[optimizers.SGD]\nclip = 0.5")
    said = "The clip is that of all competitors, but 0.5 for SGD."
    assert said in titled(make(tmp_path, {ALTO: [1.0]}, config=own), "What was run").note
    assert "The clip" not in titled(make(tmp_path, {ALTO: [1.0]}), "What was run").note


def test_the_best_of_fewer_trials_is_told_where_trials_are_kept(tmp_path):
    made = make(tmp_path, {ALTO: [90.0], LAMB: [88.0]})
    scores = {"ALTO": (50.0, 90.0, 70.0, 60.0, 80.0), "LAMB": (80.0, 85.0, 20.0), "SGD": ()}
    cells = tuple(
        dataclasses.replace(cell, trials=scores[cell.label])
        for cell in made.report.summaries
        if cell.setting == "small"
    )
    found = titled(
        dataclasses.replace(made, report=dataclasses.replace(made.report, summaries=cells)),
        "Best validation accuracy in % of n trials",
    )
    assert found.headings[2:] == ("n = 1", "n = 4", "n = 5")
    assert [row[1:] for row in found.rows] == [
        ("ALTO", "70.00 [50.00, 90.00]", "88.00 [80.00, 90.00]", "90.00"),
        ("LAMB", "61.67 [20.00, 85.00]", "-", "-"),
    ]


def test_arithmetic_other_than_float32_is_told(tmp_path):
    plain = make(tmp_path, {ALTO: [1.0]})
    assert "bfloat16" not in titled(plain, "What was run").note
    halved = make(
        tmp_path,
        {ALTO: [1.0]},
        config=CONFIG.replace("[settings.small]", '[settings.small]\ntraining = { precision = "bfloat16" }'),
    )
    assert titled(halved, "What was run").note.endswith(" Forward and backward in bfloat16.")


def test_the_forms_have_the_same_rows(tmp_path):
    kept = make(tmp_path, {ALTO: [90.0, 92.0], LAMB: [88.0, 91.0], SGD: [50.0, 52.0]}, note="JPEG_re-encoded & small")
    markdown, latex = tables.markdown(kept), tables.latex(kept)
    for table in tables.tables(kept):
        assert table.rows
        for row in table.rows:
            assert f"| {' | '.join(row)} |" in markdown
            assert " & ".join(row).replace("%", r"\%") + r" \\" in latex
    assert "JPEG_re-encoded & small" in markdown
    assert latex.count(r"\toprule") == latex.count(r"\bottomrule") == len(tables.tables(kept))
    assert "95 % interval" not in latex  # a bare percent sign would comment the line out
    assert r"95 \% interval" in latex


def test_missing_runs_are_told_above_all(tmp_path):
    kept = make(tmp_path, {ALTO: [1.0, 1.0]})
    broken = dataclasses.replace(kept, report=dataclasses.replace(kept.report, complete=False))
    assert "Incomplete" in tables.markdown(broken)
    assert "Incomplete" not in tables.markdown(kept)


@pytest.mark.parametrize(
    "row",
    [row for row in published.read() if row.experiment],
    ids=lambda row: f"{row.experiment}-{row.setting}-{row.data}",
)
def test_every_published_row_belongs_to_a_cell_or_to_a_config_to_come(row):
    assert row.values
    experiment = catalog.load(row.experiment, "paper")
    assert not row.setting or row.setting in experiment.settings
    assert set(row.values) <= set(experiment.optimizers)
    assert row in published.beside(experiment) or row.data or published.sentences(experiment, row.unit)


def test_every_experiment_with_numbers_of_the_paper_says_what_differs_from_it():
    assert {row.experiment for row in published.read()} - {""} == set(published.differs())
    experiment = catalog.load("batch-scaling", "paper")
    assert "what differs here: rates are tuned" in published.caveat(experiment, published.beside(experiment)[0])


def test_the_papers_numbers_stand_beside_the_same_network_and_data_alone():
    laptop, gpu, paper = (catalog.load("cifar-resnet20", tier) for tier in ("laptop", "gpu", "paper"))
    small, large = published.beside(paper)
    assert (small.values["ALTO"], large.values["LAMB"]) == (91.24, 83.56)
    assert published.beside(laptop) == []  # another network, and a tenth of the images
    assert published.beside(gpu) == [small, large]
    assert "another setting" in published.caveat(gpu, small)
    assert "another setting" not in published.caveat(paper, small)
    other = catalog.load("cifar-resnet20", "paper", ["data.name=cifar100"])
    assert published.beside(other)[0].values["ALTO"] == 65.74


def test_the_papers_numbers_are_in_the_table_at_its_own_tier(tmp_path):
    kept = make(tmp_path, {("full batch", "LAMB"): [30.0, 31.0]}, config=(catalog.FOLDER / "bilstm.toml").read_text())
    laptop = dataclasses.replace(kept, experiment=dataclasses.replace(kept.experiment, name="bilstm"))
    assert titled(laptop, "Test").headings[-1] == "seeds"
    table = titled(dataclasses.replace(laptop, experiment=dataclasses.replace(laptop.experiment, tier="paper")), "Test")
    assert table.headings[-1] == "paper"
    assert {row[-1] for row in table.rows if row[1] == "LAMB"} == {"52.2"}
    assert "Table 20 of the paper" in table.note


def test_numbers_in_another_unit_never_stand_beside_ours():
    for name in {row.experiment for row in published.read()} - {""}:
        for tier in ("laptop", "paper"):
            assert all(row.unit == "%" for row in published.beside(catalog.load(name, tier)))
    assert published.beside(catalog.load("cost", "paper")) == published.beside(catalog.load("gpt", "paper")) == []
    assert "time to 20 %: ALTO 137, LAMB 196 s" in published.sentences(catalog.load("batch-scaling", "paper"), "s")
    assert published.sentences(catalog.load("batch-scaling"), "s") == ""


def test_seeds_without_a_logarithm_are_counted():
    from experiments.analysis import kept as keeping

    path = Path(__file__).parents[3] / "results" / "experiments" / "flatness-laptop.json"
    made = keeping.read(path)
    spoilt, runs = 0, []
    for run in made.runs:
        if run.label != made.report.baseline and run.seed == made.report.seeds[0]:
            spoilt += 1
            runs.append(
                dataclasses.replace(run, measures={**run.measures, "trace": (*run.measures["trace"][:-1], -3.0)})
            )
            continue
        runs.append(run)
    assert spoilt
    (table,) = [t for t in tables.tables(dataclasses.replace(made, runs=tuple(runs))) if t.title.startswith("Measures")]
    planned = len(made.report.seeds)
    counted = f", {planned - 1} of {planned} seeds"
    for row in table.rows:
        cells = dict(zip(table.headings, row, strict=True))
        assert cells["trace"].endswith(counted)
        assert not cells["filter sharpness"].endswith("seeds")


def test_rows_of_two_versions_of_the_code_are_not_mixed_in_silence(tmp_path):
    kept = make(tmp_path, {ALTO: [90.0, 92.0], LAMB: [88.0, 91.0]})
    assert not any("versions" in remark for remark in tables.remarks(kept))
    versions = ({"commit": "one"}, {"commit": "one-dirty"}, {"commit": "one", "torch": "2"})
    mixed = dataclasses.replace(kept, report=dataclasses.replace(kept.report, versions=versions))
    assert "The rows are of 2 versions of the code: one, one-dirty." in tables.markdown(mixed)
    assert "The rows are of 2 versions of torch: 2, unknown." in tables.markdown(mixed)


def test_rows_of_two_machines_are_not_mixed_in_silence(tmp_path):
    kept = make(tmp_path, {ALTO: [90.0, 92.0], LAMB: [88.0, 91.0]})
    assert not any("machines" in remark for remark in tables.remarks(kept))
    machines = ({"device": "cpu", "threads": 1}, {"device": "cuda", "threads": 1})
    mixed = dataclasses.replace(kept, report=dataclasses.replace(kept.report, hardware=machines))
    said = "of 2 machines, whose times are not comparable: device cpu; device cuda."
    assert said in tables.markdown(mixed)
    assert said in tables.latex(mixed)


@pytest.mark.parametrize(
    ("source", "words"),
    [("ours: a test", "Ours: a test."), ("mine", "Source: mine."),
     ("Table 3", "The protocol is that of the paper's Table 3;")],
    ids=["ours", "a user's", "the paper's"],
)  # fmt: skip
def test_only_a_table_or_figure_is_said_to_be_the_papers(tmp_path, source, words):
    kept = make(tmp_path, {ALTO: [90.0], LAMB: [88.0]}, config=CONFIG.replace("ours", source))
    assert f"tier laptop. {words}" in tables.markdown(kept)
