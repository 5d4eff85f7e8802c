"""Stored studies: plain strict JSON, whole or absent, taken again only for the same source and effort."""

import json

import numpy as np
import pytest

from theory.ledger.evidence import QUICK, THOROUGH
from theory.studies import store


@pytest.fixture
def study():
    calls = []

    def compute(effort):
        calls.append(effort.name)
        return {"config": {"n": np.int64(3)}, "seeds": [0], "values": np.array([1 / 3, np.inf, np.nan])}

    compute.calls = calls
    return compute


def test_numbers_become_plain_strict_json(study, tmp_path):
    data = store.run("a-study", study, QUICK, tmp_path)
    assert data == {"config": {"n": 3}, "seeds": [0], "values": [0.333333, None, None]}
    text = (tmp_path / "a-study.json").read_text()
    record = json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))
    assert record["data"] == data
    assert record.keys() >= {"study", "effort", "source", "commit", "computed", "seconds", "hardware", "versions"}
    assert store.load("a-study", tmp_path) == data


def test_what_has_no_json_form_is_refused():
    with pytest.raises(TypeError, match="has no JSON form"):
        store.plain({"a": object()})


def test_an_interrupted_series_goes_on(study, tmp_path):
    store.run("a-study", study, QUICK, tmp_path)
    store.run("a-study", study, QUICK, tmp_path)
    assert study.calls == ["quick"]


def test_another_effort_or_source_is_computed_again(study, tmp_path, monkeypatch):
    store.run("a-study", study, QUICK, tmp_path)
    store.run("a-study", study, THOROUGH, tmp_path)
    monkeypatch.setattr(store, "source", lambda: "other code")
    store.run("a-study", study, THOROUGH, tmp_path)
    assert study.calls == ["quick", "thorough", "thorough"]


def test_a_study_that_fails_leaves_nothing(tmp_path):
    def compute(_):
        return {"config": {}, "seeds": [], "bad": object()}

    with pytest.raises(TypeError):
        store.run("a-study", compute, QUICK, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_write_that_fails_keeps_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "file"
    store.write(path, "old")
    monkeypatch.setattr(store.Path, "replace", lambda *_: (_ for _ in ()).throw(OSError("disk")))
    with pytest.raises(OSError, match="disk"):
        store.write(path, "new")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(("name", "hint"), [("no-study", "--fresh"), ("rates/no-study", "python -m theory rates")])
def test_what_is_missing_says_how_to_get_it(name, hint):
    with pytest.raises(FileNotFoundError, match=hint):
        store.load(name)
