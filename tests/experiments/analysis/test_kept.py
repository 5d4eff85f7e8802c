"""What is committed in results/ follows from what is committed in results/: no number was typed, none is stale."""

import json
import re
from pathlib import Path

import pytest

from experiments.analysis import evidence, kept, published
from experiments.analysis.questions import questions
from experiments.io import stored
from experiments.io.errors import DataError
from experiments.report import answers, tables
from experiments.report.figures import draw

RESULTS = Path(__file__).parents[3] / "results"
KEPT = sorted((RESULTS / "experiments").glob("*.json"))


@pytest.mark.parametrize("path", KEPT, ids=lambda path: path.stem)
def test_a_kept_summary_is_whole_clean_and_has_its_report_beside_it(path):
    made = kept.read(path)
    assert made.report.complete
    assert path.stem == f"{made.experiment.name}-{made.experiment.tier}"
    for versions in made.report.versions:
        assert versions["commit"]
        assert "dirty" not in versions["commit"]
    folder = RESULTS / made.experiment.name
    assert (folder / "report.md").read_text() == tables.markdown(made)
    assert (folder / "report.tex").read_text() == tables.latex(made)
    assert {picture.stem for picture in folder.glob("*.png")} <= set(draw.FIGURES)  # none of an older kind is left


def test_every_question_is_answered_by_what_is_kept(tmp_path):
    for folder in ("experiments", "bench"):
        if (RESULTS / folder).exists():
            (tmp_path / folder).symlink_to(RESULTS / folder)
    files, absent = evidence.write(tmp_path)
    asked = questions()
    awaited = json.loads((tmp_path / evidence.AWAITED).read_text())
    assert [one["claim"] for one in awaited] == [claim for claim in absent if asked[claim].tier != "paper"]
    assert awaited == json.loads((RESULTS / evidence.AWAITED).read_text())
    assert {file.stem for file in files} == set(asked) - set(absent)
    assert {file.stem for file in files} == {path.stem for path in (RESULTS / "evidence").glob("*.json")}
    for file in files:
        assert json.loads(file.read_text()) == json.loads((RESULTS / "evidence" / file.name).read_text()), file.stem


def test_the_papers_numbers_are_those_of_the_data_file(tmp_path):
    assert published.write(tmp_path).read_text() == (RESULTS / "published.json").read_text()


def test_every_experiment_with_an_answer_is_kept_with_intervals_and_no_other():
    asked = {question.experiment for question in questions().values() if question.tier == "laptop"}
    assert {path.stem for path in KEPT} <= {f"{name}-laptop" for name in asked}
    for path in KEPT:
        made = kept.read(path)
        assert len(made.experiment.final.seeds) >= 3
        for cell in made.report.summaries:
            assert cell.test is None or cell.test.n < 2 or cell.test.low is not None
            rates = made.experiment.grid(cell.setting).values()
            assert len(rates) != 2, (path.stem, cell.setting)  # one rate for all, or enough to choose from


def test_the_rows_of_an_experiment_are_of_one_commit():
    for path in KEPT:
        commits = {versions["commit"] for versions in kept.read(path).report.versions}
        assert len(commits) == 1, (path.stem, commits)


def test_the_page_is_the_template_filled_from_the_evidence():
    assert (RESULTS / "README.md").read_text() == answers.page(RESULTS)


def test_results_on_changed_data_say_so():
    for path in KEPT:
        made = kept.read(path)
        data = {made.experiment.resolve(setting)[0].name for setting in made.experiment.settings}
        if "cifar10" in data:
            assert made.report.notes == ("JPEG re-encoded CIFAR-10",)


@pytest.mark.parametrize("path", KEPT, ids=lambda path: path.stem)
def test_a_kept_number_that_was_changed_by_hand_is_noticed(path, tmp_path):
    assert stored.DIGEST in json.loads(path.read_text())
    changed = re.sub(r'("train_loss": \[)[0-9.e-]+', r"\g<1>0.125", path.read_text(), count=1)
    assert changed != path.read_text()
    (tmp_path / path.name).write_text(changed)
    with pytest.raises(DataError, match="was changed after it was written"):
        kept.read(tmp_path / path.name)
