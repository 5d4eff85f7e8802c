"""The way of a decomposition from its rows to the page of answers, on made rows whose switches have known effects."""

import shutil
from pathlib import Path

import pytest

from experiments.analysis import evidence, kept
from experiments.config import catalog
from experiments.report import answers, outputs
from experiments.report.figures import waterfall
from experiments.runs import plan, row_file
from experiments.runs.plan import Run
from experiments.runs.results import Results
from experiments.runs.rows import Point, Row, Scores
from experiments.runs.tuning import Choice

# Effects in points of test accuracy. Two of them interact, so only an average over the orders of the switches is right.
BETA3, CORRECTION, CLIP, BOTH, E = 0.6, 1.5, -0.2, 0.4, 0.3


def ends(run: Run) -> float:
    """The made accuracy of a run, in percent."""
    beta3 = dict(run.options).get("betas", [0.9, 0.99])[-1] == 0.99
    corrected = dict(run.options).get("bias_correction", True)
    unclipped = run.training.clip == "none" and run.optimizer != "OfficialALTO"
    effects = BETA3 * beta3 + CORRECTION * corrected + CLIP * unclipped + BOTH * beta3 * corrected
    effects += E * (run.optimizer != "LAMB")
    own = (
        0.01 * (sum(map(ord, run.label)) % 7) * (1 if run.seed % 2 else -1)
    )  # 0 in the mean, so intervals have a width
    return 60 + effects + 0.7 * run.seed + own


def row(run: Run) -> Row:
    scores = Scores(1.0, ends(run) / 100)
    point = Point(500, 10.2, 1.0, run.lr, 1.0, None, scores, 1.0, 1.0)
    versions = {"commit": "made", "python": "3.11"}
    return Row(
        run,
        (point,),
        False,
        500,
        78_000,
        run.digest,
        "made",
        "",
        1.0,
        0,
        1e3,
        10**8,
        versions,
        {"device": "cpu"},
        "now",
        (1.0,),
    )


@pytest.fixture(scope="module")
def results(tmp_path_factory) -> Path:
    """The committed results with this experiment's made ones in the place of its own."""
    folder = tmp_path_factory.mktemp("made") / "results"
    for name in ("experiments", "evidence"):
        shutil.copytree(Path("results") / name, folder / name)
    experiment = catalog.load("headline-16px")
    rate = Choice(0.05, at_edge=False, scores={})
    cells = plan.cells(experiment)
    file = folder / "rows.jsonl"
    made = [row(run) for cell in cells for run in plan.final_runs(experiment, cell, 0.05, 50_000)]
    row_file.exchange(file, folder / "out", made)
    rows = {cell: [one for one in row_file.read(file) if one.run.label == cell.label] for cell in cells}
    rows = {cell: sorted(found, key=lambda one: one.run.seed) for cell, found in rows.items()}
    outputs.keep(kept.summarise(Results(experiment, dict.fromkeys(cells, rate), rows, {})), folder)
    evidence.write(folder, "headline-16px")
    return folder


def estimate(results: Path, claim: str) -> float:
    return evidence.read(results / "evidence" / f"ours-headline-{claim}.json").estimate


@pytest.mark.parametrize(
    ("claim", "points"),
    [
        ("lead", E),
        ("baseline", BETA3 + CORRECTION + CLIP + BOTH),
        ("nus", BETA3 + CORRECTION + CLIP + BOTH + E),
        ("correction", CORRECTION + BOTH / 2),
        ("beta3", BETA3 + BOTH / 2),
        ("clip", CLIP),
        ("e-uncorrected", E),
        ("official", 0.0),
    ],
)
def test_each_answer_is_the_effect_that_the_rows_were_made_with(results, claim, points):
    assert estimate(results, claim) == pytest.approx(points, abs=0.001)


def test_the_parts_of_the_waterfall_add_up_and_are_drawn(results):
    parts = waterfall.parts(results)
    assert parts is not None
    heights = [bar.get_height() for bar in waterfall.draw(parts).axes[0].patches[:5]]
    assert sum(heights[:4]) == pytest.approx(heights[4], abs=0.001)
    assert heights[4] == pytest.approx(BETA3 + CORRECTION + CLIP + BOTH + E, abs=0.001)


def test_the_page_says_what_was_found(results):
    page = answers.page(results)
    lines = {
        line.split("|")[1].strip(): line for line in page.splitlines() if line.startswith("| ") and "|" in line[2:]
    }
    assert lines["ALTO over LAMB is below 2.5"].endswith("8 seeds: **shown** |")
    assert "+0.3" in lines["ALTO over LAMB"]
    assert "](waterfall" in page or f"]({waterfall.NAME}.png)" in page
