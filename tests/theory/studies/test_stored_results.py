"""Every stored result is from the code as it is now. Only digests are compared: nothing is computed."""

import json

import pytest

from theory import studies
from theory.rates import cells
from theory.rates.studies import ALL as RATES
from theory.studies import store
from theory.worst_case import solved

CODE = {
    **{f"theory/{name}.json": lambda name=name: store.code_of(name) for name in studies.ALL},
    **{f"rates/{name}.json": lambda name=name: cells.code_of(name) for name in RATES},
    "worst-case/rows.json": solved.code,
}
"""Each stored result, and the code that computes it."""


@pytest.mark.parametrize("file", CODE)
def test_a_stored_result_is_from_the_code_of_now(file):
    stored = json.loads((store.RESULTS / file).read_text())["provenance"]
    command = store.COMMANDS[file.partition("/")[0]]
    assert stored["source"] == CODE[file]().digest, f"results/{file} is from other code: run {command}"
    assert not stored["commit"].endswith("+"), f"results/{file} is from code that no commit has: run {command}"


def test_every_stored_study_is_known():
    found = {str(path.relative_to(store.RESULTS)) for path in store.COMMITTED.glob("*.json")}
    assert found == {file for file in CODE if file.startswith("theory/")}
