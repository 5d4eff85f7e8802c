"""The training loop's switches, each in a run: memory format, compilation, precision, schedules, every optimizer."""

import dataclasses

import pytest
import torch

from experiments.data.dataset import PADDING
from experiments.io.environment import Environment
from experiments.optimizers import competitors, schedules
from experiments.runs import plan
from experiments.training import batches
from experiments.training.supervised import SupervisedLoop
from experiments.training.train import train
from tests.experiments.optimizers.test_competitors import SMALL_BATCH

LR = {"SGD": 0.3, "ESGD": 0.3, "Muon": 0.02, "Lion": 0.01}


@pytest.fixture
def run(tiny):
    return plan.final_runs(tiny, plan.Cell("small", "ALTO"), 0.05, 160)[0]


def changed(run, **training):
    return dataclasses.replace(run, training=dataclasses.replace(run.training, **training))


@pytest.mark.parametrize("name", competitors.NAMES)
def test_every_competitor_trains_in_a_run(run, place, name):
    options = SMALL_BATCH.get(name, {})
    one = dataclasses.replace(run, label=name, optimizer=name, options=options, lr=LR.get(name, 0.03))
    row = train(changed(one, epochs=10, evaluations=5), place)
    assert row.run.optimizer == name
    assert row.last.train_loss < 0.9 * row.curve[0].train_loss


def test_channels_last_is_the_memory_format_and_changes_no_result(run, tmp_path):
    rows = []
    for wanted in (False, True):
        session = SupervisedLoop(changed(run, channels_last=wanted), Environment(tmp_path), tmp_path / str(wanted))
        (tmp_path / str(wanted)).mkdir()
        weight = session.model.features[3].weight
        assert weight.is_contiguous(memory_format=torch.channels_last) == wanted
        rows.append(session.finish(lambda *_: None))
    for one, two in zip(*(row.curve for row in rows), strict=True):
        assert one.train_loss == pytest.approx(two.train_loss, rel=1e-4)


def tagging(run, **training):
    """A run of the BiLSTM on a corpus of made sentences."""
    options = {"embedding": 8, "hidden": 8, "layers": 1, "dropout": 0.0}
    one = dataclasses.replace(
        run,
        data=dataclasses.replace(run.data, name="made-sentences", validation=0.1),
        model=dataclasses.replace(run.model, name="bilstm", options=options),
    )
    return changed(one, schedule="constant", **training)


def test_a_full_batch_of_sentences_is_read_by_length_with_the_same_gradient(run, place, tmp_path):
    gradients = []
    for microbatch in ("batch", 64):
        (tmp_path / str(microbatch)).mkdir()
        full = tagging(run, batch_size="full", microbatch=microbatch)
        session = SupervisedLoop(full, place, tmp_path / str(microbatch))
        lengths = (session.train_split.inputs != PADDING).sum(dim=1)[session._indices()]
        assert lengths.tolist() == sorted(lengths.tolist())
        assert len(lengths) == len(session.train_split)
        session.advance()
        gradients.append([p.grad.clone() for p in session.parameters])
    for whole, split in zip(*gradients, strict=True):
        torch.testing.assert_close(whole, split, rtol=1e-4, atol=1e-7)


def test_smaller_batches_of_sentences_stay_in_the_order_of_the_seed(run, place, tmp_path):
    session = SupervisedLoop(tagging(run, batch_size=64), place, tmp_path)
    order = batches.order(len(session.train_split), run.seed, 0)
    assert torch.equal(session._indices(), order[:64])


def test_a_compiled_network_trains_like_the_other(run, tmp_path, monkeypatch):
    # captured, but not translated to C++, which takes minutes on a busy machine
    real, calls = torch.compile, []
    monkeypatch.setattr(torch, "compile", lambda model: (calls.append(model), real(model, backend="eager"))[1])
    still = dataclasses.replace(run.model, options={"widths": [4, 8]})  # dropout draws other numbers when compiled
    rows = [
        train(changed(dataclasses.replace(run, model=still), compile=wanted), Environment(tmp_path))
        for wanted in (False, True)
    ]
    assert len(calls) == 1
    assert rows[0].run.digest != rows[1].run.digest
    for one, two in zip(*(row.curve for row in rows), strict=True):
        assert one.train_loss == pytest.approx(two.train_loss, rel=1e-3)


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_low_precision_is_that_of_the_forward_pass_only(run, place, tmp_path, precision):
    session = SupervisedLoop(changed(run, precision=precision), place, tmp_path)
    seen = []
    session.model.head.register_forward_hook(lambda *call: seen.append(call[2].dtype))
    session.advance()
    assert seen == [getattr(torch, precision)]
    assert {p.dtype for p in session.model.parameters()} == {p.grad.dtype for p in session.model.parameters()}
    assert session.scaler.is_enabled() == (precision == "float16")


def test_an_overflow_in_float16_skips_the_step(run, place, tmp_path):
    session = SupervisedLoop(changed(run, precision="float16"), place, tmp_path)
    before = [p.detach().clone() for p in session.model.parameters()]
    scale = session.scaler.get_scale()
    session.model.head.weight.register_hook(lambda gradient: gradient * float("inf"))
    session.advance()
    assert session.scaler.get_scale() == scale / 2
    assert all(torch.equal(old, new) for old, new in zip(before, session.model.parameters(), strict=True))
    assert session.optimizer.state_dict()["state"] == {}


@pytest.mark.parametrize("schedule", ["constant", "step", "cosine", "polynomial"])
def test_every_step_has_its_learning_rate(run, place, tmp_path, schedule):
    session = SupervisedLoop(changed(run, schedule=schedule, warmup=1.0), place, tmp_path)
    assert (session.total, session.per_epoch) == (9, 3)
    for step in range(session.total):
        session.advance()
        rates = {group["lr"] for group in session.optimizer.param_groups}
        assert rates == {run.lr * schedules.factor(schedule, step, 9, 3)}
