"""Stored studies: plain strict JSON, taken again only for the same code and effort."""

import json

import numpy as np
import pytest

from theory.ledger.effort import QUICK, THOROUGH
from theory.ledger.provenance import Code
from theory.studies import store

CODE = Code("some code", ())


@pytest.fixture
def study():
    calls = []

    def compute(effort):
        calls.append(effort.name)
        return {"config": {"n": np.int64(3)}, "seeds": [0], "values": np.array([1 / 3, np.inf, np.nan])}

    compute.calls = calls
    return compute


def test_numbers_become_plain_strict_json(study, tmp_path):
    data = store.run("a-study", study, QUICK, CODE, tmp_path)
    assert data == {"config": {"n": 3}, "seeds": [0], "values": [0.333333, None, None]}
    text = (tmp_path / "a-study.json").read_text()
    record = json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))
    assert record["data"] == data
    assert record.keys() == {"study", "effort", "seconds", "provenance", "data"}
    assert record["provenance"]["source"] == CODE.digest
    assert store.load("a-study", tmp_path) == data


@pytest.mark.parametrize(
    ("value", "plain"),
    [(np.bool_(True), True), (np.float32(0.5), 0.5), ((1, "a"), [1, "a"]), ({1: None}, {"1": None}), (1 / 3, 0.333333)],
    ids=["bool", "float32", "tuple", "key", "digits"],
)
def test_values_become_plain(value, plain):
    assert store.plain(value) == plain
    assert type(store.plain(value)) is type(plain)


def test_what_has_no_json_form_is_refused():
    with pytest.raises(TypeError, match="has no JSON form"):
        store.plain({"a": object()})


def test_an_interrupted_series_continues(study, tmp_path):
    store.run("a-study", study, QUICK, CODE, tmp_path)
    store.run("a-study", study, QUICK, CODE, tmp_path)
    assert study.calls == ["quick"]


def test_another_effort_or_other_code_is_computed_again(study, tmp_path):
    store.run("a-study", study, QUICK, CODE, tmp_path)
    store.run("a-study", study, THOROUGH, CODE, tmp_path)
    store.run("a-study", study, THOROUGH, Code("other code", ()), tmp_path)
    assert study.calls == ["quick", "thorough", "thorough"]


def test_a_study_that_fails_leaves_nothing(tmp_path):
    def compute(_):
        return {"config": {}, "seeds": [], "bad": object()}

    with pytest.raises(TypeError):
        store.run("a-study", compute, QUICK, CODE, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_what_draws_a_study_is_no_part_of_its_code():
    files = {path.name for path in store.code_of("dips").files}
    assert {"dips.py", "rule.py", "effort.py", "intervals.py"} <= files
    assert "style.py" not in files


@pytest.mark.parametrize(
    ("name", "command"), [("no-study", "figures --fresh"), ("rates/no-study", "python -m theory rates")]
)
def test_what_is_missing_says_how_to_get_it(name, command):
    with pytest.raises(FileNotFoundError, match=command):
        store.load(name)
