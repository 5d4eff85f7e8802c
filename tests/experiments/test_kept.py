"""What is committed in results/ follows from what is committed in results/: no number was typed, none is stale."""

import json
from pathlib import Path

import pytest

from experiments import answers, evidence, render, summary
from experiments.questions import questions

RESULTS = Path(__file__).parents[2] / "results"
KEPT = sorted((RESULTS / "experiments").glob("*.json"))


@pytest.mark.parametrize("path", KEPT, ids=lambda path: path.stem)
def test_a_kept_summary_is_whole_clean_and_has_its_report_beside_it(path):
    made = summary.read(path)
    assert made.report.complete
    assert path.stem == f"{made.experiment.name}-{made.experiment.tier}"
    for versions in made.report.versions:
        assert versions["commit"]
        assert "dirty" not in versions["commit"]
    assert (RESULTS / made.experiment.name / "report.md").read_text() == render.markdown(made)


def test_every_question_is_answered_by_what_is_kept(tmp_path):
    for folder in ("experiments", "bench"):
        if (RESULTS / folder).exists():
            (tmp_path / folder).symlink_to(RESULTS / folder)
    files, absent = evidence.write(tmp_path)
    assert absent == []
    assert {file.stem for file in files} == set(questions()) == {p.stem for p in (RESULTS / "evidence").glob("*.json")}
    for file in files:
        assert json.loads(file.read_text()) == json.loads((RESULTS / "evidence" / file.name).read_text()), file.stem


def test_the_page_is_the_template_filled_from_the_evidence():
    assert (RESULTS / "README.md").read_text() == answers.page(RESULTS)


def test_results_on_changed_data_say_so():
    for path in KEPT:
        made = summary.read(path)
        data = {made.experiment.resolve(setting)[0].name for setting in made.experiment.settings}
        if "cifar10" in data:
            assert made.report.notes == ("JPEG re-encoded CIFAR-10",)
