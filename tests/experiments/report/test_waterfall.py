import dataclasses
import json

import pytest

from experiments.analysis import evidence
from experiments.io.errors import DataError
from experiments.report.figures import waterfall

STEPS = {"beta3": 0.3, "correction": 1.6, "clip": -0.1, "lead": 0.2}


@pytest.fixture
def results(tmp_path):
    """Made evidence whose parts add up."""
    (tmp_path / "evidence").mkdir()
    for name, value in {**STEPS, "nus": sum(STEPS.values())}.items():
        claim = f"ours-headline-{name}"
        bounds = {"estimate": value, "low": value - 0.3, "high": value + 0.3, "at_least": 0.0, "at_most": None}
        made = evidence.Evidence(
            claim, "Made.", "made", **bounds, p_value=0.01, t_p_value=0.01, protocol="made", seeds=(1, 2, 3),
            tier="laptop", source="", commits=(),
        )  # fmt: skip
        text = json.dumps(dataclasses.asdict(made))
        (tmp_path / "evidence" / f"{claim}.json").write_text(text)
    return tmp_path


def test_bars_stand_on_each_other_and_end_at_the_whole(results):
    parts = waterfall.parts(results)
    bars = waterfall.draw(parts).axes[0].patches
    assert [bar.get_height() for bar in bars[:4]] == pytest.approx(list(STEPS.values()))
    assert [bar.get_y() for bar in bars[:4]] == pytest.approx([0.0, 0.3, 1.9, 1.8])
    assert bars[4].get_height() == pytest.approx(2.0)
    assert bars[5].get_height() == pytest.approx(88.83 - 83.56)  # Table 3


def test_without_all_the_evidence_there_is_no_figure(results):
    (results / "evidence/ours-headline-clip.json").unlink()
    assert waterfall.parts(results) is None


def test_parts_that_do_not_add_up_are_refused(results):
    file = results / "evidence/ours-headline-clip.json"
    file.write_text(file.read_text().replace("-0.1,", "-0.5,"))
    with pytest.raises(DataError, match="add up to"):
        waterfall.parts(results)
