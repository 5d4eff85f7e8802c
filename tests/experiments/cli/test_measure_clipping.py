import dataclasses

import pytest

from experiments.analysis import clipping_share
from experiments.analysis import kept as summaries
from experiments.cli import measure_clipping
from experiments.io.errors import ConfigError, DataError
from experiments.report import answers, outputs
from experiments.sweep import runner
from experiments.sweep.pool import Workers


@pytest.fixture
def kept(tiny, place):
    """Two finished settings: without a clip, and with one that every step meets."""
    changed = dataclasses.replace(
        tiny,
        settings={
            "free": tiny.settings["small"],
            "tight": dataclasses.replace(tiny.settings["small"], training={"clip": 1e-3}),
        },
    )
    return summaries.summarise(runner.run(changed, place, Workers(1), lambda _: None))


def test_the_clipped_steps_of_the_kept_runs_are_counted(kept, place):
    found = measure_clipping.shares(kept, place)
    assert len(found.shares) == len(kept.runs) == 8
    assert {share.clipped for share in found.shares if share.setting == "tight"} == {1.0}
    free = [share for share in found.shares if share.setting == "free"]
    assert all(0 < share.median < 10 and 0 <= share.clipped < 1 for share in free)
    assert {share.steps for share in found.shares} == {int(kept.runs[0].step[-1])}
    assert clipping_share.phrase(found, "tight", "ALTO") == "100 % [100, 100] of the steps"
    with pytest.raises(ConfigError, match="0 shares of 'SGD'"):
        clipping_share.phrase(found, "tight", "SGD")


def test_a_run_that_is_not_the_kept_one_is_refused(kept, place):
    runs = (dataclasses.replace(kept.runs[0], weights="0"), *kept.runs[1:])
    with pytest.raises(DataError, match="another network"):
        measure_clipping.shares(dataclasses.replace(kept, runs=runs), place)


def test_the_command_keeps_what_the_page_tells(kept, tmp_path, capsys):
    results = tmp_path / "results"
    outputs.keep(kept, results)
    assert measure_clipping.main(["tiny", "--results", str(results)]) == 0
    text = "{{clipped tiny | tight | LAMB}}; {{identical tiny | free | tight}}; {{rates tiny | free}}"
    clipped, identical, rates = answers.page(results, text).split("; ")
    assert clipped == "100 % [100, 100] of the steps"
    assert identical == "0 of 4"
    assert rates.startswith("ALTO 0.")
    for slot in ("{{rates tiny | huge}}", "{{identical tiny | free | huge}}"):
        with pytest.raises(ConfigError):
            answers.page(results, slot)
    assert measure_clipping.main(["nobody", "--results", str(results)]) == 2
    with pytest.raises(DataError, match="does not exist"):
        clipping_share.read(tmp_path / "nothing")
