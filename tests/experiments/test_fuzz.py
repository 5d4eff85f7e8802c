"""Hostile configs and command lines, drawn: each ends with an exit code and one clear line, never with a traceback.

Nothing is trained: what would be accepted stops where the first run would begin.
"""

import dataclasses
import json
import tomllib
import typing
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from experiments.__main__ import main
from experiments.config import schema
from experiments.sweep import runner
from tests.experiments.conftest import TINY

SETTINGS = settings(
    max_examples=150, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


class AcceptedError(Exception):
    """A config passed every check."""


def keys(kind: type, prefix: str = "") -> Iterator[str]:
    """The dotted keys of a dataclass of the schema."""
    for name, hint in typing.get_type_hints(kind).items():
        if dataclasses.is_dataclass(hint):
            yield from keys(typing.cast("type", hint), f"{prefix}{name}.")
        yield f"{prefix}{name}"


KEYS = [
    *keys(schema.Experiment), *keys(schema.OptimizerConfig, "optimizers.ALTO."), "competitors", "tiers",
    *keys(schema.SettingConfig, "settings.small."), *keys(schema.TrainingConfig, "settings.small.training."),
    "model.options.widths", "model.options.dropout", "optimizers.LAMB.options.betas", "optimizers.LAMB.options.eps",
    "optimizers.ALTO.options.alpha", "optimizers.ALTO.tuned.beta1", "nothing", "tiers.laptop.training.epochs",
]  # fmt: skip
SCALARS = st.one_of(
    st.sampled_from([0, 1, -1, 2, 100, 2**31, 2**63 - 1, 2**63, -(2**63), 10**20, 10**400, True, False]),
    st.sampled_from([0.0, -0.0, 0.5, 1.0, -1.5, 1e-320, 1e308, float("inf"), float("nan")]),
    st.sampled_from(["", "all", "ALTO", "digits", "/etc/passwd", "../x", "x.py:Y", "[/red]", "a" * 300, "\x00", "é\n"]),
    st.text(max_size=8),
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=2)
)


def toml(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(key)} = {toml(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    return json.dumps(value).replace("Infinity", "inf").replace("NaN", "nan")


@pytest.fixture
def act(monkeypatch, capsys):
    def stop(*_):
        raise AcceptedError

    def act(words: list[str]) -> int | None:
        """The exit code, or None where all checks were passed; says no more than it may."""
        monkeypatch.setattr("sys.argv", ["experiments", *words])
        monkeypatch.setattr(runner, "execute", stop)
        parsed = True
        try:
            code = main()
        except AcceptedError:
            return None
        except SystemExit as end:  # the parser of the command line says what is wrong in a box
            code, parsed = end.code, False
        said = capsys.readouterr().err
        assert code in {0, 1, 2}, (code, said)
        assert "Traceback" not in said
        if code == 2 and parsed:
            assert len(said.splitlines()) == 1, said
        return code

    return act


@SETTINGS
@given(changes=st.lists(st.tuples(st.sampled_from(KEYS), VALUES), min_size=1, max_size=2))
def test_a_config_is_accepted_or_refused_in_one_line(changes, act, tmp_path):
    path = tmp_path / "tiny.toml"
    path.write_text(TINY)
    words = [word for key, value in changes for word in ("--set", f"{key} = {toml(value)}")]
    assert act(["run", str(path), "--out", str(tmp_path / "out"), "--jobs", "1", *words]) in {None, 2}


NO_CONFIGS = st.one_of(
    st.binary(max_size=40), st.text(max_size=60).map(str.encode), st.integers(2, 3000).map(lambda n: b"a=" + b"[" * n)
)


@SETTINGS
@given(content=NO_CONFIGS)
def test_a_file_that_is_no_config_is_refused_in_one_line(content, act, tmp_path):
    path = tmp_path / "tiny.toml"
    path.write_bytes(content)
    assert act(["run", str(path), "--out", str(tmp_path / "out")]) == 2


WORDS = {
    "run": ["--jobs", "--threads", "--device", "--checkpoint-seconds", "--parallel", "--tier", "--set", "--out"],
    "report": ["--results", "--tier", "--set", "--out"],
    "rows": ["--file", "--tier", "--set", "--out"],
    "sweep": ["--executor", "--jobs", "--minutes", "--gpus", "--threads", "--set", "--out"],
    "repeat": ["--results", "--seeds", "--optimizers", "--tier", "--jobs", "--out"],
    "figures": ["--results", "--tier", "--out"],
    "evidence": ["--results"],
    "plan": ["--lead", "--sd", "--power", "--level"],
    "campaign": ["--out"],
}
ARGUMENTS = st.sampled_from(
    ["", "0", "-1", "nan", "inf", "1e308", "9" * 30, "x", "digits", "../x", "/etc/passwd", "/proc/x", "/dev/full",
     "~no_such_user/x", "x" * 300, "[/red]", "a=1", "training.epochs=0", "\udcff", "--help"]
)  # fmt: skip


@st.composite
def lines(draw: st.DrawFn) -> list[str]:
    command = draw(st.sampled_from(list(WORDS)))
    named = [] if command == "plan" else [draw(ARGUMENTS.filter(lambda word: word != "digits"))]
    options = draw(st.lists(st.sampled_from(WORDS[command]), max_size=3))
    return [command, *named, *(word for option in options for word in (option, draw(ARGUMENTS)))]


@SETTINGS
@given(words=lines())
def test_a_command_line_ends_with_a_code_and_one_line(words, act, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("experiments.sweep.campaign.run", lambda *_: [])
    assert act(words) in {None, 0, 1, 2}
    assert not Path("/etc/passwd").is_symlink()


def test_the_keys_are_all_those_of_the_schema():
    assert {"training.epochs", "tuning.learning_rates.low", "final.seeds", "data.context", "baseline"} <= set(KEYS)
    assert tomllib.loads(f"x = {toml({'a': [1, 'b', {'c': 1e308}]})}") == {"x": {"a": [1, "b", {"c": 1e308}]}}
