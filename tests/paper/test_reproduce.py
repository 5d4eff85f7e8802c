"""make reproduce: its plan, its estimates, and how it goes on where it stopped."""

import importlib.util
import json
import sys

import pytest

from tests.paper import made

SPEC = importlib.util.spec_from_file_location("reproduce", made.ROOT / "paper" / "reproduce.py")
assert SPEC is not None
assert SPEC.loader is not None
reproduce = importlib.util.module_from_spec(SPEC)
sys.modules["reproduce"] = reproduce  # dataclasses look their module up
SPEC.loader.exec_module(reproduce)
BENCH = ["bench-step", "bench-memory", "bench-scaling"]
NAMES = ["verify", "rates", "figures", "experiments", *BENCH, "answers", "ledger", "paper"]


@pytest.fixture
def root(tmp_path, monkeypatch):
    """A checkout of one source file, whose steps append their name to a log; the third fails if a file says so."""
    (tmp_path / "theory").mkdir()
    (tmp_path / "theory" / "source.py").write_text("x = 1\n")
    (tmp_path / "constraints.txt").touch()
    code = (
        "import sys, pathlib; name = sys.argv[1]; pathlib.Path('log').open('a').write(name + ' '); "
        "sys.exit(name == 'figures' and pathlib.Path('broken').exists())"
    )
    (tmp_path / "results").mkdir()
    made_up = [
        reproduce.Step(name, [[sys.executable, "-c", code, name]], lambda _: 60.0, ("results",) * (name == "paper"))
        for name in NAMES
    ]
    monkeypatch.setattr(reproduce, "steps", lambda _: made_up)
    return tmp_path


def log(root):
    return (root / "log").read_text().split() if (root / "log").exists() else []


def test_the_steps_are_in_order_and_estimates_come_from_stored_wall_times(tmp_path):
    folder = tmp_path / "results" / "rates"
    folder.mkdir(parents=True)
    (folder / "convex.json").write_text(json.dumps({"wall_s": 90.0}))
    (folder / "pl.json").write_text(json.dumps({"wall_s": 30.0}))
    (tmp_path / "results" / "ledger.json").write_text(
        json.dumps({"effort": "quick", "claims": [{"evidence": [{"seconds": 1.5}, {"seconds": 2.0}]}]})
    )
    (tmp_path / "results" / "bench").mkdir()
    (tmp_path / "results" / "bench" / "bench.json").write_text(json.dumps({"step": {"wall_seconds": 44.0}}))
    found = {step.name: step.seconds(tmp_path) for step in reproduce.steps(tmp_path)}
    assert list(found) == NAMES
    assert (found["verify"], found["rates"]) == (3.5, 120.0)
    assert [found[name] for name in BENCH] == [44.0, None, None]  # what was never measured is unknown, not free
    assert found["ledger"] is None  # the stored one is quick, and the last one is thorough


def test_the_answers_follow_what_they_are_drawn_from_and_the_last_ledger_is_accepted(tmp_path):
    known = {step.name: step for step in reproduce.steps(tmp_path)}
    order = list(known)
    assert max(order.index("experiments"), order.index("bench-step")) < order.index("answers") < order.index("ledger")
    assert [command[-1] for command in known["answers"].commands] == ["evidence", "answers"]
    assert known["ledger"].commands[0][-2:] == ["verify", "--accept"]


def test_the_experiments_are_those_that_are_kept_and_configured(tmp_path):
    for folder in ("results/experiments", "experiments/configs"):
        (tmp_path / folder).mkdir(parents=True)
    for name in ("digits-laptop", "gone-laptop", "gpt-gpu"):
        (tmp_path / "results" / "experiments" / f"{name}.json").touch()
    (tmp_path / "experiments" / "configs" / "digits.toml").touch()
    assert reproduce.kept(tmp_path) == ["digits"]


def test_it_runs_everything_once_and_says_how_long(root, capsys):
    assert reproduce.main(["--root", str(root)]) == 0
    assert log(root) == NAMES
    assert "0:10:00" in capsys.readouterr().out
    assert reproduce.main(["--root", str(root)]) == 0
    assert log(root) == NAMES  # all stamped


def test_it_goes_on_at_the_step_that_failed(root):
    (root / "broken").touch()
    assert reproduce.main(["--root", str(root)]) == 1
    assert log(root) == NAMES[:3]
    (root / "broken").unlink()
    assert reproduce.main(["--root", str(root)]) == 0
    assert log(root) == [*NAMES[:3], *NAMES[2:]]


def test_changed_sources_make_stamps_void(root):
    reproduce.main(["--root", str(root)])
    (root / "theory" / "source.py").write_text("x = 2\n")
    reproduce.main(["--root", str(root)])
    assert log(root) == [*NAMES, *NAMES]


def test_a_changed_result_makes_the_stamp_of_what_reads_it_void(root):
    reproduce.main(["--root", str(root)])
    (root / "results" / "new.json").write_text("{}")
    reproduce.main(["--root", str(root)])
    assert log(root) == [*NAMES, "paper"]


def test_the_plan_alone_runs_nothing(root, capsys):
    assert reproduce.main(["--root", str(root), "--plan"]) == 0
    assert log(root) == []
    assert "figures" in capsys.readouterr().out
