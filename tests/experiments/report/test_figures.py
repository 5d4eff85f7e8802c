import dataclasses
import hashlib
import itertools
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure

from experiments.analysis import kept
from experiments.analysis.statistics import Interval, t_interval
from experiments.config import catalog
from experiments.report import outputs
from experiments.report.figures import (
    along,
    batch_sizes,
    boxes,
    cost,
    curves,
    differences,
    draw,
    exploration,
    lead,
    palette,
    trials,
)
from experiments.runs.plan import Cell
from experiments.sweep import runner
from experiments.sweep.pool import Workers
from tests.experiments.analysis.made import CONFIG, make

RESULTS = Path(__file__).parents[3] / "results"


@pytest.fixture
def results(tiny, place):
    # an order that sorting would change
    tiny = dataclasses.replace(tiny, optimizers={label: tiny.optimizers[label] for label in ("LAMB", "ALTO")})
    return runner.run(tiny, place, Workers(1), lambda _: None)


def test_equal_rows_give_equal_files(results, tmp_path):
    digests = []
    for name in ("a", "b"):
        outputs.write(kept.summarise(results), tmp_path / name)
        files = sorted((tmp_path / name).iterdir())
        assert [file.name for file in files] == [
            "curves.pdf",
            "curves.png",
            "differences.pdf",
            "differences.png",
            "report.md",
            "report.tex",
            "summary.json",
        ]
        digests.append([hashlib.sha256(file.read_bytes()).hexdigest() for file in files])
    assert digests[0] == digests[1]


def test_a_line_per_competitor_for_the_best_of_n_trials_where_they_are_kept(tmp_path):
    made = make(tmp_path, {("small", "ALTO"): [90.0, 91.0], ("small", "LAMB"): [88.0, 90.0]})
    assert trials.draw(made) is None
    scores = {"ALTO": (50.0, 90.0, 70.0), "LAMB": (80.0, 85.0, 20.0), "SGD": ()}
    cells = tuple(
        dataclasses.replace(cell, trials=scores[cell.label]) if cell.setting == "small" else cell
        for cell in made.report.summaries
    )
    (panel,) = trials.draw(dataclasses.replace(made, report=dataclasses.replace(made.report, summaries=cells))).axes
    lines = {line.get_label(): list(line.get_ydata()) for line in panel.get_lines()}
    assert lines == {
        "ALTO": [70.0, pytest.approx(250 / 3), 90.0],
        "LAMB": [pytest.approx(185 / 3), pytest.approx(250 / 3), 85.0],
    }


def test_what_is_kept_lies_where_readers_look(results, tmp_path):
    made = kept.summarise(results)
    files = {file.relative_to(tmp_path).as_posix() for file in outputs.keep(made, tmp_path)}
    assert files == {
        "experiments/tiny-laptop.json",
        "tiny/report.md",
        "tiny/report.tex",
        "tiny/curves.png",
        "tiny/differences.png",
    }
    assert all((tmp_path / file).is_file() for file in files)


def test_the_figures_draw_the_rows(results):
    made = kept.summarise(results)
    top = curves.draw(made).axes[0]
    line = next(line for line in top.get_lines() if line.get_label() == "LAMB")
    rows = results.rows[Cell("small", "LAMB")]
    expected = [100 * np.mean([row.curve[i].test.accuracy for row in rows]) for i in range(4)]
    np.testing.assert_allclose(line.get_ydata(), expected, rtol=1e-5)
    np.testing.assert_allclose(line.get_xdata(), [point.epoch for point in rows[0].curve], rtol=1e-5)


def test_differences_are_the_paired_ones_of_the_report(results):
    made = kept.summarise(results)
    (panel,) = differences.draw(made).axes
    (point,) = panel.containers
    assert float(point[0].get_xdata()[0]) == made.report.differences[0].difference.mean
    assert [tick.get_text() for tick in panel.get_yticklabels()] == ["ALTO"]
    assert panel.figure.get_suptitle().endswith("; 2 seeds")


def test_a_dot_is_filled_where_its_interval_excludes_zero_and_a_tie_is_called_one():
    panel = Figure().subplots()
    for place, values in enumerate(([1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [2.0, 2.0])):
        interval = t_interval(values)
        palette.dot(panel, interval.mean, place, interval, "#0072B2")
    fills = [container[0].get_markerfacecolor() for container in panel.containers]
    assert fills == ["white", "#0072B2"]
    assert [text.get_text() for text in panel.texts] == ["all 2 seeds tie"]
    assert len(panel.containers) == 2  # a tie has no bar


def test_few_rivals_in_several_settings_share_a_panel_named_by_what_ran(tmp_path):
    finals = {(setting, label): [1.0, 2.0, 4.0] for setting in ("small", "equal") for label in ("ALTO", "LAMB", "SGD")}
    (panel,) = differences.draw(make(tmp_path, finals)).axes
    words = [tick.get_text() for tick in panel.get_yticklabels()]
    equal = [f"batch 128, equal learning rates, {label}" for label in ("ALTO", "SGD")]
    assert words == ["batch 128, ALTO", "batch 128, SGD", *equal]
    assert differences.draw(make(tmp_path, {("small", "LAMB"): [1.0, 2.0]})) is None


def test_a_band_stops_where_the_metric_does(tmp_path):
    made = longer(make(tmp_path, {("small", label): [90.0, 100.0, 100.0] for label in ("ALTO", "LAMB", "SGD")}))
    assert made.report.summaries[0].test.high > 100
    top = curves.draw(made).axes[0]
    assert len(top.collections) == 3
    highest = [max(path.vertices[:, 1].max() for path in band.get_paths()) for band in top.collections]
    assert max(highest) == 100.0


@pytest.mark.parametrize("count", [1, 8, 13])
def test_every_competitor_looks_different(count):
    looks = [(look["color"], look["linestyle"]) for look in palette.looks_of(count)]
    assert len(set(looks)) == len(looks) == count
    dashes = [dash for _, dash in looks]
    assert len(set(dashes)) == min(count, len(palette.COLOURS))
    assert all(one != other for one, other in itertools.pairwise(dashes))


def test_exploration_is_drawn_over_c_for_competitors_that_differ_by_alpha_alone(tmp_path):
    config = CONFIG.replace(
        "[optimizers.ALTO]",
        """
[optimizers."alpha = +50"]
name = "ALTO"
options = { alpha = 50.0, beta1 = 0.99 }
[optimizers."alpha = -50"]
name = "ALTO"
options = { alpha = -50.0, beta1 = 0.99 }
[optimizers."alpha = -5, beta1 = 0.9"]
name = "ALTO"
options = { alpha = -5.0, beta1 = 0.9 }
[optimizers."alpha = -70, clip"]
name = "ALTO"
options = { alpha = -70.0, beta1 = 0.99 }
clip = 1.0
[optimizers."NAdamW, alpha = -20"]
name = "ENAdamW"
options = { alpha = -20.0, beta1 = 0.99 }""",
    )
    finals = {("small", "alpha = +50"): [80.0, 82.0], ("small", "LAMB"): [90.0, 92.0],
              ("small", "alpha = -70, clip"): [60.0, 61.0], ("small", "NAdamW, alpha = -20"): [50.0, 52.5],
              ("small", "alpha = -50"): [70.0, 75.0]}  # fmt: skip
    drawn = exploration.draw(make(tmp_path, finals, config=config))
    places = {
        (round(float(point[0].get_xdata()[0]), 6), float(point[0].get_ydata()[0])) for point in drawn.axes[0].containers
    }
    assert places == {(0.5, -18.5)}
    ties = [(round(float(line.get_xdata()[0]), 6), line.get_ydata()[0]) for line in drawn.axes[0].get_lines()
            if line.get_marker() == "D"]  # fmt: skip
    assert ties == [(-0.5, -10.0)]  # both seeds differ by as much
    assert exploration.draw(make(tmp_path, {("small", "LAMB"): [1.0, 2.0]})) is None
    twice = config.replace("alpha = 50.0", "alpha = -50.0")  # two places in all
    assert exploration.draw(make(tmp_path, finals, config=twice)) is None


def test_measures_are_drawn_along_the_runs_as_geometric_means(tmp_path):
    sharpness = {("small", "ALTO"): [1.0, 100.0], ("small", "LAMB"): [5.0, 5.0]}
    finals = {("small", "ALTO"): [1.0, 2.0], ("small", "LAMB"): [1.0, 2.0]}
    drawn = along.draw(make(tmp_path, finals, sharpness=sharpness))
    lines = {line.get_label(): line for line in drawn.axes[2].get_lines()}  # the second row's first panel
    assert list(lines["ALTO"].get_ydata()) == pytest.approx([10.0])
    assert list(lines["ALTO"].get_xdata()) == [2.0]  # there is no measure at the first evaluation
    assert list(lines["LAMB"].get_ydata()) == pytest.approx([5.0])
    assert along.draw(make(tmp_path, finals)) is None


def test_the_course_over_batches_has_a_logarithmic_axis_of_what_ran(tmp_path):
    names = ["b1", "b2", "b4", "b8", "b16"]
    sizes = "\n".join(f"[settings.{name}]\ntraining = {{ batch_size = {name[1:]} }}" for name in names)
    config = CONFIG.replace("[settings.small]", sizes)
    finals = {(name, "ALTO"): [float(place), place + 2.0] for place, name in enumerate(names)}
    finals |= {(name, "LAMB"): [0.0, 1.0] for name in names}
    top, bottom = batch_sizes.draw(make(tmp_path, finals, config=config)).axes
    line = next(line for line in top.get_lines() if line.get_label() == "ALTO")
    assert list(line.get_xdata()) == [1.0, 2.0, 4.0, 8.0, 16.0]
    assert list(line.get_ydata()) == [1.0, 2.0, 3.0, 4.0, 5.0]
    assert bottom.get_xscale() == "log"
    assert [tick.get_text() for tick in bottom.get_xticklabels()] == ["1", "2", "4", "8", "16"]
    assert sorted(float(point[0].get_ydata()[0]) for point in bottom.containers) == [0.5, 1.5, 2.5, 3.5, 4.5]
    few = config.replace("[settings.b16]\ntraining = { batch_size = 16 }", "")
    assert batch_sizes.draw(make(tmp_path, finals, config=few)) is None


def test_a_grid_of_alpha_and_beta1_is_drawn_as_boxes(tmp_path):
    names = [f"a{alpha}" for alpha in range(1, 10)]
    point = '[optimizers.{}]\nname = "ALTO"\noptions = {{ alpha = {}.0, beta1 = 0.99 }}'
    config = CONFIG.replace("[optimizers.ALTO]", "\n".join(point.format(name, name[1:]) for name in names))
    finals = {("small", "a3"): [1.0, 2.0, 6.0], ("small", "LAMB"): [4.0, 5.0, 6.0], ("small", "SGD"): [9.0, 9.0, 9.0]}
    (panel, _) = boxes.draw(make(tmp_path, finals, config=config)).axes
    assert [tick.get_text() for tick in panel.get_yticklabels()] == [*names, "LAMB"]  # SGD is no point of the grid
    lines = [list(line.get_xdata()) for line in panel.get_lines()]
    assert [2.0, 2.0] in lines  # the medians
    assert [5.0, 5.0] in lines
    fewer = config.replace("alpha = 9.0, ", "")
    assert boxes.draw(make(tmp_path, finals, config=fewer)) is None


def longer(made):
    """The same summary with three evaluations per run."""
    runs = tuple(
        dataclasses.replace(run, epoch=(0.5, *run.epoch), test=(0.0, *run.test), train_loss=(2.0, *run.train_loss))
        for run in made.runs
    )
    return dataclasses.replace(made, runs=runs)


def test_runs_with_two_evaluations_have_no_course_to_draw(tmp_path):
    made = make(tmp_path, {("small", "LAMB"): [1.0, 2.0]})
    assert curves.draw(made) is None
    assert curves.draw(longer(made)) is not None


def test_many_settings_are_wrapped_in_rows_of_one_page(tmp_path):
    sizes = "\n".join(f"[settings.b{size}]\ntraining = {{ batch_size = {size} }}" for size in range(1, 7))
    finals = {(f"b{size}", "LAMB"): [1.0, 2.0] for size in range(1, 7)}
    figure = curves.draw(longer(make(tmp_path, finals, config=CONFIG.replace("[settings.small]", sizes))))
    assert figure.get_figwidth() == palette.PAGE
    assert figure.axes[0].get_subplotspec().get_gridspec().ncols == palette.COLUMNS
    assert [panel.get_title() for panel in figure.axes][:2] == ["batch 1", "batch 2"]


def test_where_cost_is_the_question_times_are_drawn_and_no_loss(tmp_path):
    made = make(tmp_path, {("small", label): [1.0, 2.0] for label in ("ALTO", "LAMB")})
    assert cost.draw(made) is None
    rates = {("ALTO", 1): 50.0, ("ALTO", 2): 40.0}
    made = dataclasses.replace(
        made,
        experiment=dataclasses.replace(made.experiment, name="cost"),
        runs=tuple(
            dataclasses.replace(run, examples_per_second=rates.get((run.label, run.seed), 100.0)) for run in made.runs
        ),
    )
    times, memory = cost.draw(made).axes
    assert float(times.containers[0][0].get_xdata()[0]) == pytest.approx(100 * (5**0.5 - 1))  # twice and 2.5 times
    assert list(memory.get_lines()[0].get_xdata())[:2] == [0.5, 0.5]
    (tmp_path / "curves.png").touch()  # of an earlier version
    assert {path.name for path in draw.draw(made, tmp_path, ("png",))} == {"cost.png"}
    assert not (tmp_path / "curves.png").exists()


def test_the_lead_over_lamb_has_a_row_for_every_setting_that_compares_them():
    found = lead.rows(RESULTS)
    expected = sorted(
        difference.difference.mean * (-1 if (made.report.metric == "loss") != (difference.label == "LAMB") else 1)
        for path in (RESULTS / "experiments").glob("*-laptop.json")
        if not cost.is_question(made := kept.read(path))
        for difference in made.report.differences
        if {difference.label, difference.baseline} == {"ALTO", "LAMB"}
    )
    assert sorted(row.lead.mean for row in found) == pytest.approx(expected, abs=1e-3)  # kept with six digits
    assert [row.lead.mean for row in found] == sorted((row.lead.mean for row in found), reverse=True)
    assert len({row.name for row in found}) == len(found)
    for panel in lead.draw(found).axes:  # nothing is cut
        low, high = panel.get_xlim()
        for container in panel.containers:
            (segment,) = container[2][0].get_segments()
            assert low <= segment[0][0] <= segment[1][0] <= high


@pytest.mark.parametrize(
    ("experiment", "setting", "c"),
    [("digits", "full batch", 0.05), ("digits", "batch 32", -0.495), ("bilstm", "full batch", 0.9)],
)
def test_the_exploration_of_alto_is_that_of_its_options_or_preset(experiment, setting, c):
    assert lead.exploration(catalog.load(experiment), setting, {}) == pytest.approx(c)


def test_the_exploration_of_alto_is_that_of_the_alpha_that_was_chosen():
    assert lead.exploration(catalog.load("conll-bilstm"), "full batch", {"alpha": -0.5}) == pytest.approx(0.15)


def test_the_standing_counts_intervals_on_either_side_of_zero():
    intervals = {"a": (0.1, 0.3), "b": (-0.1, 0.3), "c": (-0.3, -0.1), "d": (0.0, 0.0), "e": (0.1, 0.2)}
    found = [
        lead.Row(name, "accuracy", Interval((low + high) / 2, low, high, 5), 0.9 if name == "e" else 0.05)
        for name, (low, high) in intervals.items()
    ]
    assert lead.standing(found, near=True) == {"all": 4, "ahead": 1, "behind": 1, "undecided": 2}
    assert lead.standing(found, near=False) == {"all": 1, "ahead": 1, "behind": 0, "undecided": 0}
