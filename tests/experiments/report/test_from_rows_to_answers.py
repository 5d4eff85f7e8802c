"""The way from rows to the page of answers, on made rows: a decomposition whose switches have known effects, and
experiments to come with an end for each verdict."""

import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest

from experiments.analysis import evidence, kept
from experiments.config import catalog
from experiments.config.schema import Experiment
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


def row(run: Run, scores: Scores) -> Row:
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


def keep(folder: Path, experiment: Experiment, choices: dict[plan.Cell, Choice], made: list[tuple[Run, float]]) -> None:
    """What the report and the evidence keep of these final results, through the file that carries rows."""
    file = folder / f"{experiment.name}.jsonl"
    ended = [row(run, scores_of(experiment.tuning.metric, value)) for run, value in made]
    row_file.exchange(file, folder / "out", ended)
    rows = {cell: [one for one in row_file.read(file) if one.run.label == cell.label] for cell in choices}
    rows = {cell: sorted(found, key=lambda one: one.run.seed) for cell, found in rows.items()}
    outputs.keep(kept.summarise(Results(experiment, choices, rows, {})), folder)
    evidence.write(folder, experiment.name)


def scores_of(metric: str, value: float) -> Scores:
    """A test result of one number."""
    if metric == "reward":
        return Scores(None, None, reward=value)
    share = value / 100
    return Scores(1.0, share, share) if metric == "f1" else Scores(1.0, share)


def copied(place: Path) -> Path:
    """The committed results, in a folder of their own."""
    for name in ("experiments", "evidence"):
        shutil.copytree(Path("results") / name, place / "results" / name)
    return place / "results"


@pytest.fixture(scope="module")
def results(tmp_path_factory) -> Path:
    """The committed results with this experiment's made ones in the place of its own."""
    folder = copied(tmp_path_factory.mktemp("made"))
    experiment = catalog.load("headline-16px")
    choices = {cell: Choice(0.05, at_edge=False, scores={}) for cell in plan.cells(experiment)}
    runs = [run for cell in choices for run in plan.final_runs(experiment, cell, 0.05, 50_000)]
    keep(folder, experiment, choices, [(run, ends(run)) for run in runs])
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


def lines_of(page: str) -> dict[str, str]:
    """The rows of the page's tables by their first cell."""
    return {line.split("|")[1].strip(): line for line in page.splitlines() if line.startswith("| ") and "|" in line[2:]}


def test_the_page_says_what_was_found(results):
    page = answers.page(results)
    lines = lines_of(page)
    assert lines["ALTO over LAMB is below 2.5"].endswith("8 seeds: **shown** |")
    assert "+0.3" in lines["ALTO over LAMB"]
    assert "](waterfall" in page or f"]({waterfall.NAME}.png)" in page


# By experiment: what each competitor ends with (percent, or a return), the one whose rate is at its grid's edge, and
# what the page says of the rows named.
TO_COME = {
    "headline-16px-tuned": (
        {"LAMB": 60, "ALTO": 60.5, "LAMB (NUS)": 61, "SGD": 58, "NAdamW": 61},
        "NAdamW",
        {
            "tuned: ALTO over LAMB is below 2.5": "shown",
            "tuned: ALTO over LAMB": "shown",
            "tuned: ALTO over NUS-HPC-AI-Lab's LAMB": "contradicted",
            "tuned: SGD with Nesterov momentum minus ALTO, claimed to be above -1": "contradicted",
            "tuned: NAdamW minus ALTO, claimed to be above -1": "undecided (a rate at the grid's edge)",
        },
    ),
    "headline-32px": (
        {"LAMB": 85, "ALTO": 88, "LAMB (NUS)": 88},
        "",
        {
            "ResNet-20, 32 pixels: ALTO over LAMB is below 2.5": "contradicted",
            "ResNet-20, 32 pixels: ALTO over LAMB": "shown",
            "ResNet-20, 32 pixels: ALTO over NUS-HPC-AI-Lab's LAMB": "undecided",
        },
    ),
    "conll-bilstm": (
        {"LAMB": 80, "ALTO": 80},
        "",
        {
            "CoNLL-2003: ALTO over LAMB, alpha tuned": "undecided",
            "CoNLL-2003: the same, claimed to be below 2.5": "shown",
        },
    ),
    "swimmer": (
        {"LAMB": 100, "ALTO": 130, "Adam": 131, "EAdam": 90},
        "",
        {
            "swimmer: ALTO over LAMB": "shown",
            "swimmer: ALTO over Adam": "contradicted",
            "swimmer: EAdam, with beta3 = .99, over Adam, with .999": "contradicted",
        },
    ),
}


@pytest.fixture(scope="module")
def page(tmp_path_factory) -> Mapping[str, str]:
    """The rows of the page of answers once the experiments to come have ended."""
    folder = copied(tmp_path_factory.mktemp("to-come"))
    for name, (levels, edge, _) in TO_COME.items():
        experiment = catalog.load(name)
        choices = {
            cell: Choice(0.05, at_edge=cell.label == edge, scores={}, options=plan.trials(experiment, cell)[0][0])
            for cell in plan.cells(experiment)
        }
        # The competitors' seeds vary in unequal ways, so that the paired differences have a width; their mean is 0.
        own = {label: 0.02 * place + 0.03 for place, label in enumerate(levels)}
        keep(folder, experiment, choices, [
            (run, levels[run.label] + own[run.label] * (1 if run.seed % 2 else -1))
            for cell, choice in choices.items()
            for run in plan.final_runs(experiment, cell, choice.lr, 50_000, choice.options)
        ])  # fmt: skip
    return lines_of(answers.page(folder))


@pytest.mark.parametrize(
    ("line", "word"), [said for *_, words in TO_COME.values() for said in words.items()], ids=lambda text: text
)
def test_the_page_has_the_right_word_for_what_is_to_come(page, line, word):
    assert page[line].endswith(f" seeds: **{word}** |")
