import dataclasses
import hashlib

import numpy as np
import pytest

from experiments.analysis import kept
from experiments.report import outputs
from experiments.report.figures import along, batch_sizes, boxes, draw, palette
from experiments.runs.plan import Cell
from experiments.sweep import runner
from experiments.sweep.pool import Workers
from tests.experiments.analysis.made import CONFIG, make


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
            "intervals.pdf",
            "intervals.png",
            "report.md",
            "report.tex",
            "summary.json",
        ]
        digests.append([hashlib.sha256(file.read_bytes()).hexdigest() for file in files])
    assert digests[0] == digests[1]


def test_what_is_kept_lies_where_readers_look(results, tmp_path):
    made = kept.summarise(results)
    files = {file.relative_to(tmp_path).as_posix() for file in outputs.keep(made, tmp_path)}
    assert files == {
        "experiments/tiny-laptop.json",
        "tiny/report.md",
        "tiny/report.tex",
        "tiny/curves.png",
        "tiny/intervals.png",
    }
    assert all((tmp_path / file).is_file() for file in files)


def test_the_figures_draw_the_rows(results):
    made = kept.summarise(results)
    top = draw.curves(made).axes[0]
    line = next(line for line in top.get_lines() if line.get_label() == "LAMB")
    rows = results.rows[Cell("small", "LAMB")]
    expected = [100 * np.mean([row.curve[i].test.accuracy for row in rows]) for i in range(4)]
    np.testing.assert_allclose(line.get_ydata(), expected, rtol=1e-5)
    np.testing.assert_allclose(line.get_xdata(), [point.epoch for point in rows[0].curve], rtol=1e-5)
    points = draw.intervals(made.report).axes[0].containers
    assert [float(point[0].get_xdata()[0]) for point in points] == [s.test.mean for s in made.report.summaries]


@pytest.mark.parametrize("count", [1, 8, 13])
def test_every_competitor_looks_different(count):
    looks = palette.looks_of(count)
    assert len({look["color"] for look in looks}) == len(looks) == count


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
options = { alpha = -5.0, beta1 = 0.9 }""",
    )
    finals = {("small", "alpha = +50"): [80.0, 82.0], ("small", "LAMB"): [90.0, 92.0],
              ("small", "alpha = -50"): [70.0, 75.0]}  # fmt: skip
    drawn = draw.by_exploration(make(tmp_path, finals, config=config))
    places = {
        (round(float(point[0].get_xdata()[0]), 6), float(point[0].get_ydata()[0])) for point in drawn.axes[0].containers
    }
    assert places == {(-0.5, 81.0), (0.0, 91.0), (0.5, 72.5)}
    assert draw.by_exploration(make(tmp_path, {("small", "LAMB"): [1.0, 2.0]})) is None


def test_measures_are_drawn_along_the_runs_as_geometric_means(tmp_path):
    sharpness = {("small", "ALTO"): [1.0, 100.0], ("small", "LAMB"): [5.0, 5.0]}
    finals = {("small", "ALTO"): [1.0, 2.0], ("small", "LAMB"): [1.0, 2.0]}
    drawn = along.draw(make(tmp_path, finals, sharpness=sharpness))
    lines = {line.get_label(): line for line in drawn.axes[2].get_lines()}  # the second row's first panel
    assert list(lines["ALTO"].get_ydata()) == pytest.approx([10.0])
    assert list(lines["ALTO"].get_xdata()) == [2.0]  # there is no measure at the first evaluation
    assert list(lines["LAMB"].get_ydata()) == pytest.approx([5.0])
    assert along.draw(make(tmp_path, finals)) is None


def test_a_course_over_batches_is_drawn_in_the_order_of_the_config(tmp_path):
    names = ["b1", "b2", "b4", "b8", "b16"]
    sizes = "\n".join(f"[settings.{name}]\ntraining = {{ batch_size = {name[1:]} }}" for name in names)
    config = CONFIG.replace("[settings.small]", sizes)
    finals = {(name, "ALTO"): [float(place), place + 2.0] for place, name in enumerate(names)}
    (panel,) = batch_sizes.draw(make(tmp_path, finals, config=config)).axes
    (line,) = panel.get_lines()
    assert [tick.get_text() for tick in panel.get_xticklabels()] == names
    assert list(line.get_ydata()) == [1.0, 2.0, 3.0, 4.0, 5.0]
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


def test_runs_with_one_evaluation_have_no_course_to_draw(tmp_path):
    kept = make(tmp_path, {("small", "LAMB"): [1.0, 2.0]})
    assert "curves.png" in {path.name for path in draw.draw(kept, tmp_path / "a", ("png",))}
    once = tuple(dataclasses.replace(run, epoch=run.epoch[-1:]) for run in kept.runs)
    drawn = draw.draw(dataclasses.replace(kept, runs=once), tmp_path / "b", ("png",))
    assert "curves.png" not in {path.name for path in drawn}
