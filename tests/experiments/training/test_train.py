import dataclasses
import json
import re

import pytest
import torch

from experiments import data
from experiments.io import environment
from experiments.io.environment import Environment
from experiments.io.errors import CheckpointError, DataError
from experiments.runs import checkpoint, plan, rows
from experiments.training.train import SupervisedLoop, train


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


def timeless(row):
    """What must not depend on how often the run was killed."""
    curve = [dataclasses.replace(point, seconds=0) for point in row.curve]
    return row.weights, curve, row.steps, row.diverged, row.run


@pytest.mark.parametrize("stops", [(1,), (4,), (8,), (2, 3, 7)], ids=str)
def test_a_stopped_run_goes_on_bitwise(run, tmp_path, stops):
    unbroken = train(run, Environment(tmp_path / "a", checkpoint_seconds=0))
    broken = Environment(tmp_path / "b", checkpoint_seconds=0)
    for stop in stops:
        with pytest.raises(Killed):
            train(run, broken, killed_at(stop))
        torch.manual_seed(stop)  # whatever the process does in between must not matter
        torch.rand(stop)
    row = train(run, broken)
    assert timeless(row) == timeless(unbroken)
    # the kill comes before the checkpoint of its step, so the first step leaves nothing to resume from
    assert row.resumed == sum(stop > 1 for stop in stops)
    assert unbroken.resumed == 0


def test_a_run_that_goes_on_with_other_code_names_both_commits(run, tmp_path, monkeypatch):
    place = Environment(tmp_path, checkpoint_seconds=0)
    for commit in ("first", "second", "second"):
        monkeypatch.setattr(environment, "versions", lambda commit=commit: {"torch": "t", "commit": commit})
        with pytest.raises(Killed):
            train(run, place, killed_at(4 if commit == "first" else 6))
    assert train(run, place).versions == {"torch": "t", "commit": "first, then second"}


def test_without_a_checkpoint_it_starts_anew_and_its_metrics_too(run, tmp_path):
    unbroken = train(run, Environment(tmp_path / "a"))
    place = Environment(tmp_path / "b", checkpoint_seconds=1000)
    with pytest.raises(Killed):
        train(run, place, killed_at(5))
    assert timeless(train(run, place)) == timeless(unbroken)
    lines = (rows.folder(place.out, run) / "metrics.jsonl").read_text().splitlines()
    assert [json.loads(line)["step"] for line in lines] == [point.step for point in unbroken.curve]


def test_metrics_written_after_the_checkpoint_are_cut(run, tmp_path):
    place = Environment(tmp_path, checkpoint_seconds=0)
    with pytest.raises(Killed):
        train(run, place, killed_at(4))
    metrics = rows.folder(tmp_path, run) / "metrics.jsonl"
    with metrics.open("a") as file:
        file.write('{"step": 5, "half a li')
    row = train(run, place)
    steps = [json.loads(line)["step"] for line in metrics.read_text().splitlines()]
    assert steps == [point.step for point in row.curve] == [3, 5, 7, 9]


def test_a_finished_run_is_not_run_again(run, place):
    first = train(run, place)

    def never(*_):
        raise AssertionError("it trained again")

    assert train(run, place, never) == first
    assert not (rows.folder(place.out, run) / "checkpoint.bin").exists()


def test_a_truncated_checkpoint_stops_the_run_with_the_remedy(run, tmp_path):
    place = Environment(tmp_path, checkpoint_seconds=0)
    with pytest.raises(Killed):
        train(run, place, killed_at(4))
    file = rows.folder(tmp_path, run) / "checkpoint.bin"
    file.write_bytes(file.read_bytes()[:-100])
    with pytest.raises(CheckpointError, match=r"Delete .*checkpoint\.bin to start this run anew"):
        train(run, place)


def test_the_checkpoint_of_another_team_is_refused(run, tmp_path):
    place = Environment(tmp_path, checkpoint_seconds=0)
    with pytest.raises(Killed):
        train(run, place, killed_at(4))
    file = rows.folder(tmp_path, run) / "checkpoint.bin"
    state = checkpoint.load(file, run.digest, torch.device("cpu"))
    for theirs in ({"processes": 2}, {"parallel": "fsdp2"}):
        checkpoint.save(file, run.digest, state | theirs)
        with pytest.raises(CheckpointError, match=r"written by . processes .*these are 1 \(ddp\)"):
            train(run, place)
    checkpoint.save(file, run.digest, state)
    assert train(run, place).resumed == 1


def test_a_checkpoint_of_other_data_is_refused_and_names_the_run(run, tmp_path, monkeypatch):
    place = Environment(tmp_path, checkpoint_seconds=0)
    with pytest.raises(Killed):
        train(run, place, killed_at(4))
    with monkeypatch.context() as patch:
        patch.setattr(data, "fingerprint", lambda *_: "0" * 16)
        with pytest.raises(CheckpointError, match=rf"run {re.escape(run.id)} was begun on other data .*{'0' * 16}"):
            train(run, place)
    assert train(run, place).resumed == 1  # nothing was lost


def test_a_row_of_other_data_is_refused_and_names_the_run(run, place, monkeypatch):
    first = train(run, place)
    with monkeypatch.context() as patch:
        patch.setattr(data, "fingerprint", lambda *_: "0" * 16)
        with pytest.raises(DataError, match=rf"run {re.escape(run.id)} was trained on other data .*{first.data}"):
            train(run, place)
    assert train(run, place) == first


@pytest.mark.parametrize("damage", ["absent", "short", "no JSON", "no evaluation"])
def test_a_checkpoint_without_its_metrics_is_refused_with_the_remedy(run, tmp_path, damage):
    place = Environment(tmp_path, checkpoint_seconds=0)
    with pytest.raises(Killed):
        train(run, place, killed_at(5))
    metrics = rows.folder(tmp_path, run) / "metrics.jsonl"
    text = metrics.read_text()
    if damage == "absent":
        metrics.unlink()
    else:
        metrics.write_text({"short": text[:20], "no JSON": "x" * len(text), "no evaluation": "3" * len(text)}[damage])
    with pytest.raises(CheckpointError, match=r"metrics.jsonl .*delete .*checkpoint\.bin to start this run anew"):
        train(run, place)
    (metrics.parent / "checkpoint.bin").unlink()
    assert train(run, place).resumed == 0


def test_a_checkpoint_from_before_the_first_evaluation_needs_no_metrics(run, tmp_path):
    place = Environment(tmp_path, checkpoint_seconds=0)
    with pytest.raises(Killed):
        train(run, place, killed_at(2))
    (rows.folder(tmp_path, run) / "metrics.jsonl").unlink()
    row = train(run, place)
    assert row.resumed == 1
    assert [point.step for point in row.curve] == [3, 5, 7, 9]


def test_a_checkpoint_of_another_version_is_refused_with_the_remedy(run, tmp_path):
    place = Environment(tmp_path, checkpoint_seconds=0)
    with pytest.raises(Killed):
        train(run, place, killed_at(4))
    file = rows.folder(tmp_path, run) / "checkpoint.bin"
    state = checkpoint.load(file, run.digest, torch.device("cpu"))
    del state["data"]
    checkpoint.save(file, run.digest, state)
    with pytest.raises(CheckpointError, match=r"another version \(it has no data\): delete"):
        train(run, place)


@pytest.mark.parametrize("damaged", [lambda text: text[:-40], lambda _: "3", lambda _: "[]"])
def test_a_damaged_row_is_refused(run, place, damaged):
    train(run, place)
    file = rows.folder(place.out, run) / "row.json"
    file.write_text(damaged(file.read_text()))
    with pytest.raises(DataError, match="is damaged"):
        train(run, place)


def test_another_runs_row_is_refused(run, place):
    row = train(run, place)
    other = dataclasses.replace(run, seed=9)
    rows.write(rows.folder(place.out, other), row)
    with pytest.raises(DataError, match="another run"):
        train(other, place)


def test_a_tuning_run_never_looks_at_the_test_set(tiny, place, monkeypatch):
    run = plan.tuning_runs(tiny, plan.Cell("small", "LAMB"), 160)[0]
    sets = data.load(run.data)
    seen = []
    real = SupervisedLoop._evaluate

    def spy(self):
        self.data = dataclasses.replace(self.data, test=data.Split(torch.empty(0, 1, 8, 8), torch.empty(0)))
        seen.append(self)
        return real(self)

    monkeypatch.setattr(SupervisedLoop, "_evaluate", spy)
    row = train(run, place)
    assert len(sets.test) > 0
    assert len(seen) == 1
    assert row.last.test is None


def test_the_same_seed_gives_all_competitors_the_same_start_and_order(tiny, place, tmp_path):
    sessions = [
        SupervisedLoop(plan.final_runs(tiny, plan.Cell("small", label), 0.05, 160)[0], place, tmp_path)
        for label in ("ALTO", "LAMB")
    ]
    starts = [torch.cat([p.flatten() for p in s.model.parameters()]) for s in sessions]
    assert torch.equal(*starts)
    assert torch.equal(sessions[0]._indices(), sessions[1]._indices())
    other = plan.final_runs(tiny, plan.Cell("small", "ALTO"), 0.05, 160)[1]
    assert not torch.equal(
        starts[0], torch.cat([p.flatten() for p in SupervisedLoop(other, place, tmp_path).model.parameters()])
    )


def test_every_epoch_sees_every_example_once(run, place, tmp_path):
    session = SupervisedLoop(run, place, tmp_path)
    orders = []
    for epoch in range(2):
        seen = []
        for step in range(session.per_epoch):
            session.step = epoch * session.per_epoch + step
            seen += session._indices().tolist()
        orders.append(seen)
        assert sorted(seen) == list(range(160))
    assert orders[0] != orders[1]


@pytest.mark.parametrize("augment", [False, True])
@pytest.mark.parametrize("micro", [1, 7, 20, 64])
def test_accumulated_micro_batches_give_the_gradient_of_the_whole_batch(run, place, tmp_path, micro, augment):
    def gradient(microbatch):
        training = dataclasses.replace(run.training, microbatch=microbatch)
        model = dataclasses.replace(run.model, options={"widths": [4, 8]})
        of = dataclasses.replace(run.data, augment=augment)
        session = SupervisedLoop(dataclasses.replace(run, training=training, model=model, data=of), place, tmp_path)
        session.model = session.model.double().eval()  # batch norm sees its micro-batch only, so it is frozen here
        session.forward = lambda images: session.model(images.double())
        session.optimizer.step = lambda: None
        session.advance()
        return torch.cat([p.grad.flatten() for p in session.model.parameters()])

    whole = gradient("batch")
    assert whole.norm() > 1e-3
    # the loss is summed in float32, the gradient in float64
    torch.testing.assert_close(gradient(micro), whole, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize(("clip", "expected"), [("none", None), (0.01, 0.01)])
def test_clipping_bounds_the_gradient_and_only_when_asked(run, place, tmp_path, clip, expected):
    session = SupervisedLoop(
        dataclasses.replace(run, training=dataclasses.replace(run.training, clip=clip)), place, tmp_path
    )
    session.advance()
    norm = torch.cat([p.grad.flatten() for p in session.model.parameters()]).norm().item()
    if expected is None:
        assert norm > 0.1
    else:
        assert norm == pytest.approx(expected, rel=1e-3)


def test_a_diverging_run_ends_and_says_so(run, place):
    wild = dataclasses.replace(run, optimizer="SGD", options={}, lr=1e30)
    row = train(wild, place)
    assert row.diverged
    assert row.steps < 9
    assert row.last.train_loss is None
    assert train(wild, place) == row


def test_a_row_says_where_it_comes_from(run, place):
    row = train(run, place)
    assert row.run == run
    assert {"python", "torch", "numpy", "alto-optim"} <= set(row.versions)
    assert row.hardware["threads"] == 1
    assert row.seconds > 0
    assert row.parameters == sum(p.numel() for p in SupervisedLoop(run, place, place.out).model.parameters())
    assert row.data == data.load(run.data).fingerprint()


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_low_precision_trains_and_resumes(run, tmp_path, precision):
    low = dataclasses.replace(run, training=dataclasses.replace(run.training, precision=precision))
    whole = train(low, Environment(tmp_path / "a"))
    place = Environment(tmp_path / "b", checkpoint_seconds=0)
    with pytest.raises(Killed):
        train(low, place, killed_at(5))
    assert timeless(train(low, place)) == timeless(whole)
    assert whole.last.train_loss < whole.curve[0].train_loss


def test_the_loss_scale_is_resumed(run, tmp_path, monkeypatch):
    """It doubles every second step here, so that one which began anew would lag behind."""
    real, scalers = torch.amp.GradScaler, []

    def growing(*arguments, **options):
        scalers.append(real(*arguments, growth_interval=2, init_scale=4.0, **options))
        return scalers[-1]

    monkeypatch.setattr(torch.amp, "GradScaler", growing)
    low = dataclasses.replace(run, training=dataclasses.replace(run.training, precision="float16"))
    train(low, Environment(tmp_path / "a"))
    unbroken = scalers[-1].get_scale()
    assert unbroken > 4
    place = Environment(tmp_path / "b", checkpoint_seconds=0)
    with pytest.raises(Killed):
        train(low, place, killed_at(5))
    train(low, place)
    assert scalers[-1].get_scale() == unbroken


def test_a_run_may_be_counted_in_steps(run, place):
    run = dataclasses.replace(run, training=dataclasses.replace(run.training, steps=5))
    row = train(run, place)
    assert row.steps == 5
    assert [point.step for point in row.curve] == [2, 3, 4, 5]
    assert row.last.epoch == 5 / 3  # 160 examples, batches of 64


def test_without_held_out_examples_every_example_trains_and_validation_is_absent(run, place):
    run = dataclasses.replace(run, data=dataclasses.replace(run.data, validation=0))
    row = train(run, place)
    assert row.steps == 3 * 4  # 200 examples
    assert {point.validation for point in row.curve} == {None}
    assert row.last.test is not None


@pytest.mark.parametrize("clip", ["none", 0.1])
def test_the_norm_of_every_gradient_is_recorded_before_the_clip(run, tmp_path, clip):
    run = dataclasses.replace(run, training=dataclasses.replace(run.training, clip=clip))
    session = SupervisedLoop(run, Environment(tmp_path), tmp_path)
    session.advance()
    norm = torch.cat([p.grad.flatten() for p in session.model.parameters()]).norm()
    assert float(norm) == pytest.approx(float(session.norms[0]) if clip == "none" else clip, rel=1e-4)
    with pytest.raises(Killed):
        train(run, Environment(tmp_path / "a", checkpoint_seconds=0), killed_at(4))
    broken = train(run, Environment(tmp_path / "a", checkpoint_seconds=0))
    whole = train(run, Environment(tmp_path / "b"))
    assert broken.gradient_norms == whole.gradient_norms
    assert len(whole.gradient_norms) == whole.steps
    assert whole.gradient_norms[0] == pytest.approx(float(session.norms[0]), rel=1e-3)
    assert min(whole.gradient_norms) > 0.1  # the clip acts, and the numbers are from before it
