"""Who takes part, and who says why not."""

import pytest
import torch
from torch import nn

from experiments.bench import contestants, traffic
from experiments.bench.contestants import CONTESTANTS, FLOORS, YARDSTICK, Contestant
from experiments.bench.workload import Workload
from experiments.io.errors import ConfigError
from tests.experiments.bench.cases import CPU, TINY


def test_references_always_take_part_and_order_is_the_tables():
    chosen = contestants.choose(("official-alto", "alto-foreach"), references=True)
    assert [one.name for one in chosen] == ["alto-foreach", YARDSTICK, "official-alto", *FLOORS]
    assert [one.name for one in contestants.choose(("po-lamb",), references=False)] == ["po-lamb"]


def test_plain_operations_are_not_weighed():
    assert not set(FLOORS) & {one.name for one in contestants.choose((), references=False)}
    with pytest.raises(ConfigError, match="--only: 'copy' is not allowed"):
        contestants.choose(("copy",), references=False)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ValueError("fused = True:\n no kernels"), "fused = True: no kernels"),
        (RuntimeError("needs a GPU"), "needs a GPU"),
        (NotImplementedError(), "NotImplementedError"),
        (ModuleNotFoundError("gone", name="ALTO.sub"), "needs the package e-optimizer-adaptor"),
        (ModuleNotFoundError("gone", name="pytorch_optimizer"), "needs the package pytorch_optimizer"),
    ],
)
def test_who_cannot_run_says_why(error, reason):
    def build(_):
        raise error

    assert contestants.obstacle(Contestant("x", "X", traffic.ALTO, 0, build), CPU) == reason


def test_a_mistake_in_a_contestant_is_no_reason_to_skip_it():
    with pytest.raises(TypeError):
        contestants.obstacle(Contestant("x", "X", traffic.ALTO, 0, lambda: None), CPU)  # type: ignore[arg-type]


def test_all_take_the_same_decay_and_step_everywhere():
    """No contestant leaves a parameter out, and none is a no-op."""
    for contestant in contestants.choose((), references=False):
        if contestants.obstacle(contestant, CPU) is None:
            workload = Workload(TINY, CPU, seed=0)
            before = [param.detach().clone() for param in workload.params]
            workload.refresh()
            contestant.build(workload.params).step()
            assert all((a != b).any() for a, b in zip(before, workload.params, strict=True)), contestant.name


def test_the_plain_operations_take_as_many_numbers_as_the_network_has():
    params = [nn.Parameter(torch.ones(3, 2)), nn.Parameter(torch.ones(4))]
    for name in FLOORS:
        tensors = [value for value in vars(CONTESTANTS[name].build(params)).values() if torch.is_tensor(value)]
        assert {tensor.numel() for tensor in tensors} == {10}
