"""One objective of a user's: its exponent with its own noise, and what the command refuses."""

import json
from dataclasses import replace

import numpy as np
import pytest

from theory import objectives
from theory.__main__ import main
from theory.objectives.noise import Gaussian, Minibatch, Sign
from theory.rates import one_objective
from theory.rates.settings import Setting
from theory.rates.studies import nonconvex

QUICK_TS, SEEDS = [100, 316, 1000], range(8)


def test_every_registered_objective_has_noise_of_known_variance():
    for name in objectives.names():
        f = objectives.make(name)
        assert isinstance(f.noise, Minibatch if f.parts else Gaussian)
        assert (f.noise.variance(f.start[None]) >= 0).all()


def test_noise_of_an_objective_s_own_is_kept():
    f = objectives.make("waves")
    assert isinstance(replace(f, noise=Sign(0.3)).noise, Sign)


def test_a_run_is_that_of_the_compiled_study():
    """Without noise both are deterministic: the same mean squared gradient."""
    f = replace(objectives.make("waves", dimension=2), start=np.array(nonconvex.START), noise=Sign(0.0))
    setting = Setting("ALTO", -5.0, 0.99, eta=0.05)
    field, start, *_ = nonconvex._problem()
    from theory.rates import runner

    compiled = runner.descend(field, [setting], checkpoints=np.array([300]), start=start)
    found = one_objective.descend(f, setting, 300, range(1), lambda _: None)
    assert found.squares[0] == pytest.approx(compiled.gradient[0, 0, 0], rel=1e-10)


def test_a_bound_in_bounded_noise_holds_and_is_called_proved_only_inside_the_domain():
    f = replace(objectives.make("waves", dimension=2), noise=Sign(1.0))
    rows, curves = one_objective.measure(f, QUICK_TS, SEEDS)
    esgd = [row for row in rows if row["method"] == "ESGD"]
    assert len(esgd) == 3
    assert all(row["proved"] and row["bound_over_measured"] >= 1 for row in esgd)
    assert {row["method"] for row in rows if row["alpha"] == 0} == {"ESGD", "EAdam", "ALTO"}
    assert len(curves) == len(rows)
    rows, _ = one_objective.measure(replace(f, domain=(-1.0, 1.0)), QUICK_TS, SEEDS)
    assert not any(row["proved"] for row in rows)


def test_an_exponent_that_is_too_slow_differs():
    """A step so small that nothing has happened yet: the mean squared gradient does not fall at all."""
    f = replace(objectives.make("waves", dimension=2), noise=Sign(1.0), L=1e9)
    rows, _ = one_objective.measure(f, QUICK_TS, SEEDS)
    assert {row["verdict"] for row in rows if row["method"] == "ESGD"} == {"differs"}


def test_the_command_stores_and_prints(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(one_objective, "sizes", lambda full: (QUICK_TS, SEEDS))
    assert main(["rates", "--objective", "waves", "--out", str(tmp_path)]) == 0
    printed = capsys.readouterr().out
    assert printed.count("no theorem, no verdict") == 6
    assert printed.count("tolerance 0;") == 3
    stored = json.loads((tmp_path / "objective-waves.json").read_text())
    assert len(stored["rows"]) == 9
    assert stored["title"].startswith("waves with Gaussian noise")


@pytest.mark.parametrize(("name", "word"), [("hinge", "not smooth"), ("no-such", "is no objective")])
def test_what_cannot_be_measured_is_refused(tmp_path, capsys, name, word):
    assert main(["rates", "--objective", name, "--out", str(tmp_path)]) == 2
    assert word in capsys.readouterr().err
