import dataclasses

import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from experiments.io.environment import Environment
from experiments.io.errors import ConfigError
from experiments.runs import plan
from experiments.training import tensorboard
from experiments.training.train import train


@pytest.fixture
def run(tiny):
    return plan.final_runs(tiny, plan.Cell("small", "ALTO"), 0.05, 160)[0]


class Killed(Exception):
    pass


def killed_at(step):
    def notify(done, _total):
        if done == step:
            raise Killed

    return notify


def logged(place, run):
    """Step and value of every scalar by its tag."""
    events = EventAccumulator(str(place.out / "tensorboard" / run.id)).Reload()
    return {tag: [(e.step, e.value) for e in events.Scalars(tag)] for tag in events.Tags()["scalars"]}


def test_nothing_is_logged_unless_asked(run, tmp_path):
    train(run, Environment(tmp_path))
    assert not (tmp_path / "tensorboard").exists()


@pytest.mark.parametrize("stops", [(), (4,), (2, 6, 8)], ids=str)
def test_every_evaluation_is_logged_once_however_often_the_run_was_stopped(run, tmp_path, stops):
    place = Environment(tmp_path, checkpoint_seconds=0, tensorboard=True)
    for stop in stops:
        with pytest.raises(Killed):
            train(run, place, killed_at(stop))
    folder = place.out / "tensorboard" / run.id
    for file in folder.glob("*"):  # a kill may leave half a record
        file.write_bytes(file.read_bytes() + b"half")
    row = train(run, place)
    found = logged(place, run)
    assert [step for step, _ in found["train_loss"]] == [point.step for point in row.curve]
    expected = torch.tensor([point.test.accuracy for point in row.curve])
    torch.testing.assert_close(torch.tensor([value for _, value in found["test/accuracy"]]), expected)
    assert "test/f1" not in found


def test_a_log_changes_nothing_in_the_run(run, tmp_path):
    quiet, loud = (train(run, Environment(tmp_path / str(t), tensorboard=t)) for t in (False, True))
    assert quiet.weights == loud.weights


def test_a_missing_package_is_named_with_the_remedy(run, tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "torch.utils.tensorboard", None)
    with pytest.raises(ConfigError, match="pip install tensorboard"):
        train(run, Environment(tmp_path, tensorboard=True))


def test_what_was_not_measured_is_left_out(run, place):
    point = dataclasses.replace(train(run, place).last, moved=None, train_loss=1.5)
    found = dict(tensorboard.scalars(point))
    assert found["train_loss"] == 1.5
    assert "moved" not in found
    assert "step" not in found
