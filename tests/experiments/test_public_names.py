"""``import experiments`` gives the documented names, and loads nothing heavy before one that needs it is used."""

import subprocess
import sys

import pytest

import experiments

PROGRAM = """
import sys
import experiments
assert "digits" in experiments.names()
assert experiments.load("digits").name == "digits"
heavy = {"torch", "sklearn", "scipy", "matplotlib", "transformers", "rich", "tyro"} & set(sys.modules)
assert not heavy, heavy
"""


def test_every_name_is_there_and_documented():
    for name in experiments.__all__:
        assert getattr(experiments, name).__doc__, name
    assert set(experiments.__all__) <= set(dir(experiments))


def test_loading_a_configuration_loads_nothing_heavy():
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_another_name_is_refused_with_those_there_are():
    with pytest.raises(AttributeError, match="has no attribute 'train'; it has: Environment, "):
        experiments.train  # noqa: B018 - the look-up is the test


def test_the_way_from_a_name_to_figures(tiny_file, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    experiment = experiments.load(str(tiny_file))
    results = experiments.run(experiment, crew=experiments.Workers(1))
    assert (tmp_path / "runs" / "tiny" / "laptop" / "experiment.json").exists()
    assert results == experiments.collect(experiment)
    files = experiments.draw(experiments.summarise(results), tmp_path / "figures")
    assert files
    assert all(file.stat().st_size > 1000 for file in files)
