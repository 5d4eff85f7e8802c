import dataclasses
import json

import pytest

from experiments.config.schema import FinalConfig
from experiments.io.environment import Environment
from experiments.io.errors import DataError
from experiments.runs import row_file, rows
from experiments.sweep import runner
from experiments.sweep.pool import Workers
from experiments.training.train import train


@pytest.fixture
def file(tmp_path):
    return tmp_path / "kept" / "rows.jsonl"


def test_rows_go_to_another_folder_which_trains_only_the_rest(tiny, tmp_path, file, monkeypatch):
    here, there = Environment(tmp_path / "here"), Environment(tmp_path / "there")
    before = runner.run(tiny, here, Workers(1))
    assert runner.exchange(tiny, file, here) == (8, 0)
    lines = file.read_text().splitlines()
    file.write_text("\n".join(lines[1:]) + "\n")
    assert runner.exchange(tiny, file, there) == (0, 7)
    trained = []
    monkeypatch.setattr("experiments.sweep.pool.train", lambda run, *rest: trained.append(run) or train(run, *rest))
    after = runner.run(tiny, there, Workers(1))
    assert len(trained) == 1
    assert [r.weights for c in before.rows.values() for r in c] == [r.weights for c in after.rows.values() for r in c]
    assert runner.exchange(tiny, file, there) == (1, 0)
    content = file.read_bytes()
    assert runner.exchange(tiny, file, here) == (0, 0)
    assert file.read_bytes() == content


def test_a_row_that_is_there_is_not_replaced(tiny, tmp_path, file):
    here, there = Environment(tmp_path / "here"), Environment(tmp_path / "there")
    runner.run(tiny, here, Workers(1))
    runner.exchange(tiny, file, here)
    first = row_file.read(file)[0]
    own = rows.folder(there.out, first.run) / "row.json"
    own.parent.mkdir(parents=True)
    own.write_text("damaged")
    assert row_file.exchange(file, there.out, []) == (0, 7)
    assert own.read_text() == "damaged"


def test_a_damaged_line_is_named_and_nothing_is_written(tiny, tmp_path, file):
    file.parent.mkdir()
    file.write_text("{}\n")
    with pytest.raises(DataError, match=r"rows.jsonl, line 1, is damaged"):
        runner.exchange(tiny, file, Environment(tmp_path / "out"))
    assert not list((tmp_path / "out").glob("runs/*"))


def test_a_row_of_the_file_is_checked_like_any_other(tiny, place, file):
    runner.run(tiny, place, Workers(1))
    runner.exchange(tiny, file, place)
    row = row_file.read(file)[0]
    other = Environment(place.out.with_name("other"))
    foreign = dataclasses.replace(row, data="0" * 16)
    file.write_text(json.dumps(rows.to_table(foreign)) + "\n")
    runner.exchange(tiny, file, other)
    with pytest.raises(DataError, match="trained on other data"):
        rows.read(rows.folder(other.out, row.run), row.run, row.data)


def test_two_different_rows_of_one_run_are_refused_and_equal_ones_are_one(tiny, place, file):
    tiny = dataclasses.replace(tiny, final=FinalConfig(seeds=(1,)))
    runner.run(tiny, place, Workers(1))
    runner.exchange(tiny, file, place)
    rows_there = file.read_text()
    file.write_text(rows_there + rows_there.splitlines()[0] + "\n")  # as a merge of two branches leaves it
    assert runner.exchange(tiny, file, place) == (0, 0)
    row = row_file.read(file)[0]
    file.write_text(rows_there + json.dumps(rows.to_table(dataclasses.replace(row, weights="0"))) + "\n")
    with pytest.raises(DataError, match=r"rows\.jsonl, lines 1 and 7: two rows of one run"):
        runner.exchange(tiny, file, place)
