import dataclasses
import json
import os

import pytest
from pyarrow import parquet

from experiments.runs import parquet_file, rows
from experiments.sweep import runner
from experiments.sweep.pool import Workers


@pytest.fixture
def results(tiny, place):
    return runner.run(tiny, place, Workers(1), lambda _: None)


def test_every_run_has_one_row_with_its_result(results, tiny, place):
    found = {record["id"]: record for record in parquet_file.read(place.out)}
    assert len(found) == tiny.runs == len(parquet_file.read(place.out, ["id"]))
    for row in (row for of_cell in results.rows.values() for row in of_cell):
        record = found[row.run.id]
        assert record["test_accuracy"] == row.last.test.accuracy
        assert record["validation_loss"] == row.last.validation.loss
        assert [point["step"] for point in record["curve"]] == [point.step for point in row.curve]
        assert record["curve"][0]["test_f1"] is None
        assert json.loads(record["options"]) == row.run.options
        assert json.loads(record["training"])["epochs"] == 3
        assert record["weights"] == row.weights
        assert (record["experiment"], record["tier"]) == ("tiny", "laptop")
    tuning = [record for record in found.values() if record["phase"] == "tune"]
    assert len(tuning) == 4
    assert {record["test_accuracy"] for record in tuning} == {None}


def test_the_second_invocation_writes_the_same_rows_and_mends_a_damaged_file(results, tiny, place):
    before = parquet_file.read(place.out)
    file = place.out / parquet_file.FILE
    file.write_bytes(file.read_bytes()[:100])
    (place.out / f".{parquet_file.FILE}.1.tmp").write_bytes(b"half a file")
    runner.run(tiny, place, Workers(1), lambda _: None)
    assert parquet_file.read(place.out) == before
    assert list(place.out.glob(".*.tmp")) == []


def test_a_folder_may_have_a_name_that_is_not_utf8(results, place, tmp_path):
    folder = tmp_path / os.fsdecode(b"caf\xe9")
    folder.mkdir()
    (folder / parquet_file.FILE).write_bytes((place.out / parquet_file.FILE).read_bytes())
    assert parquet_file.read(folder) == parquet_file.read(place.out)


def test_a_run_that_is_there_twice_is_refused(results, tiny, place):
    (row, *_), *_ = results.rows.values()
    with pytest.raises(ValueError, match="counted only once"):
        parquet_file.write(place.out, tiny, [row, row])


def test_a_failed_write_leaves_the_old_file(results, tiny, place, monkeypatch):
    before = (place.out / parquet_file.FILE).read_bytes()

    def fail(_):
        raise OSError("disk full")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="disk full"):
        parquet_file.write(place.out, tiny, [])
    assert (place.out / parquet_file.FILE).read_bytes() == before


def test_the_columns_follow_the_row(results, place):
    names = set(parquet.read_schema(place.out / parquet_file.FILE).names)
    ours = {field.name for field in dataclasses.fields(rows.Row)} - {"run", "data"}
    assert ours <= names
