"""The gradient noise where a process is one of several, and where parameters have no gradient."""

import pytest
import torch
import torch.distributed as dist
from torch import nn
from torch.distributed.fsdp import fully_shard
from torch.nn.parallel import DistributedDataParallel

import theory
from theory.monitor.noise import Noise


@pytest.fixture
def group(tmp_path):
    """A group of one process."""
    dist.init_process_group("gloo", init_method=f"file://{tmp_path}/store", rank=0, world_size=1)
    yield
    dist.destroy_process_group()


class Raises(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x.clone()

    @staticmethod
    def backward(ctx, g):
        raise KeyError("mine")


@pytest.mark.usefixtures("group")
def test_ddp_gradients_are_read_once_at_the_end_of_each_pass(monkeypatch):
    """Also after a backward pass that raised, and so never came to its end."""
    calls, averaged = [], Noise._averaged
    monkeypatch.setattr(Noise, "_averaged", lambda self: (calls.append(1), averaged(self)))
    model = DistributedDataParallel(nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 1)))
    x = torch.ones(4, 2, requires_grad=True)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    run = theory.watch(optimizer, every=1, ddp=model)
    with model.no_sync(), pytest.raises(KeyError, match="mine"):
        model(Raises.apply(x)).sum().backward()
    optimizer.step()
    for _ in range(3):
        optimizer.zero_grad()
        for _ in range(2):
            model(x).sum().backward()
        optimizer.step()
    assert len(calls) == 6
    assert run.report().variance == pytest.approx(0, abs=1e-4)  # equal micro-batches


@pytest.mark.usefixtures("group")
@pytest.mark.parametrize(
    ("sharded", "words"), [(True, "FSDP2 keeps a shard"), (False, "ddp=model on every process")], ids=["FSDP2", "plain"]
)
def test_without_a_variance_the_report_says_what_to_give(sharded, words):
    model = nn.Linear(2, 1)
    if sharded:
        fully_shard(model)
        with pytest.raises(TypeError, match=r"^ddp is a FSDPLinear: .*; under FSDP2 leave ddp out and give variance=$"):
            theory.watch(torch.optim.SGD(model.parameters(), lr=0.1), ddp=model)
    report = train(model)
    assert report.variance is None
    assert f"not measured: {report.no_variance}" in str(report)
    assert words in report.no_variance
    assert report.not_claimed["Theorem N"] == f"the variance is not known: {report.no_variance}"


def test_one_process_with_one_pass_per_step_is_sent_to_micro_batches():
    assert "micro-batches" in train(nn.Linear(2, 1)).no_variance


def test_noise_where_the_first_parameter_has_no_gradient_and_a_step_drops_all():
    """So no gradient is there when a parameter is chosen to count the passes."""
    unused, weight = (nn.Parameter(torch.zeros(3)) for _ in range(2))
    optimizer = torch.optim.SGD([unused, weight], lr=0.1)
    optimizer.register_step_post_hook(lambda *_: optimizer.zero_grad())
    run = theory.watch(optimizer, every=1)
    for _ in range(5):
        for part in (torch.eye(3)[0], torch.eye(3)[1]):
            (weight * part).sum().backward()
        optimizer.step()
    assert run.report().variance == pytest.approx(2)  # 2 (1 + 1 - 2 / 2) / 1


def train(model):
    optimizer = torch.optim.SGD(model.parameters(), lr=0.001)
    run = theory.watch(optimizer, every=1)
    for _ in range(3):
        optimizer.zero_grad()
        loss = model(torch.ones(4, 2)).square().sum()
        run.note_loss(loss)
        loss.backward()
        optimizer.step()
    return run.report()
