"""DDP, FSDP1 and FSDP2 on two gloo processes: the same parameters as one process with the whole batch."""

import os
import socket
import time
import traceback
from functools import partial
from unittest import mock

import pytest
import torch
import torch.distributed as dist
import torch.distributed.nn.functional  # noqa: F401 - before a group exists, which it would keep alive
import torch.multiprocessing as mp
from torch import nn
from torch.distributed.checkpoint.state_dict import get_optimizer_state_dict, set_optimizer_state_dict
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import FullyShardedDataParallel, fully_shard
from torch.distributed.tensor import DTensor, Shard, distribute_tensor
from torch.nn.parallel import DistributedDataParallel

from alto import ALTO, LAMB, E, decay_groups
from tests.alto.zoo import forced

WORLD = 2
STEPS = 4

# Layer shapes that two ranks share unevenly: 5 rows are 3 + 2, one row is 1 + 0.
MAKE = {
    "ALTO": lambda model: ALTO(decay_groups(model), lr=0.05),
    "ALTO-foreach": lambda model: ALTO(decay_groups(model), lr=0.05, foreach=True),
    "ALTO-single": lambda model: ALTO(decay_groups(model), lr=0.05, foreach=False),
    "E(SGD)": lambda model: E(torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)),
    "E(AdamW)": lambda model: E(torch.optim.AdamW(model.parameters(), lr=0.05)),
}


def network():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 5), nn.Tanh(), nn.Linear(5, 8), nn.Tanh(), nn.Linear(8, 1)).double()


def batch():
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(8, 4, generator=generator, dtype=torch.float64)
    return x, x.sum(1, keepdim=True)


def train(model, optimizer, x, y, steps):
    for _ in range(steps):
        optimizer.zero_grad()
        nn.functional.mse_loss(model(x), y).backward()
        optimizer.step()


def whole(tensor):
    return (tensor.full_tensor() if isinstance(tensor, DTensor) else tensor).detach().clone()


def wrapped(model, kind):
    if kind == "DDP":
        return DistributedDataParallel(model)
    if kind == "FSDP1":
        return FullyShardedDataParallel(model, device_id=torch.device("cpu"), use_orig_params=True)
    for layer in (model[0], model[2], model[4]):
        fully_shard(layer)
    return fully_shard(model)


def case(rank, kind, name):
    """Train under one kind of sharding, with a checkpoint half-way; return the whole parameters."""
    x, y = (part.chunk(WORLD)[rank] for part in batch())
    model = wrapped(network(), kind)
    optimizer = MAKE[name](model)
    train(model, optimizer, x, y, 2)
    if kind != "FSDP1":  # state out, a new optimizer, state in
        state = get_optimizer_state_dict(model, optimizer)
        optimizer = MAKE[name](model)
        set_optimizer_state_dict(model, optimizer, state)
    with mock.patch("torch.distributed.all_reduce", side_effect=dist.all_reduce) as reduced:
        train(model, optimizer, x, y, STEPS - 2)
    # Norms travel together: one small all-reduce per step, and one per layer only in `single`, the specification.
    norms = 0 if kind != "FSDP2" or name.startswith("E(") else 3 if name == "ALTO-single" else 1
    assert reduced.call_count == norms * (STEPS - 2)
    if kind == "FSDP1":
        with FullyShardedDataParallel.summon_full_params(model):
            return [p.detach().clone().numpy() for p in model.parameters()]
    return [whole(p).numpy() for p in model.parameters()]


def refusals(rank):
    """What is said of a model that FSDP1 has flattened: by decay_groups, by ALTO, and of E, which is elementwise."""
    said = []
    for use_orig_params in (True, False):
        options = {"device_id": torch.device("cpu"), "use_orig_params": use_orig_params}
        model = FullyShardedDataParallel(network(), **options)
        for make in (decay_groups, lambda m: ALTO(m.parameters()), lambda m: E(LAMB(m.parameters()))):
            try:
                make(model)
                said.append("")
            except ValueError as error:
                said.append(str(error))
        E(torch.optim.AdamW(model.parameters()))
        ALTO(model.parameters(), layerwise=False)
        for make in (ALTO, lambda p: E(torch.optim.AdamW(p))):
            before = network()
            optimizer = make(before.parameters())
            optimizer.step()  # without gradients it does nothing, until the model is flattened
            if not use_orig_params:
                train(before, optimizer, *batch(), 1)
                optimizer.zero_grad()
                optimizer.load_state_dict(optimizer.state_dict())  # so it has a state, and has not stepped since
            model = FullyShardedDataParallel(before, **options)
            model(torch.ones(2, 4, dtype=torch.float64)).sum().backward()
            try:
                optimizer.step()
                said.append("")
            except ValueError as error:
                said.append(str(error))
    return said


def one_row():
    """A matrix of one row, and its gradient: of two ranks, the second has none of it."""
    generator = torch.Generator().manual_seed(2)
    return [torch.randn(1, 8, generator=generator) for _ in range(2)]


def lone(make=lambda tensor: tensor):
    """The row after two steps of each engine, as the only parameter; ``make`` shards it."""
    found = {}
    for engine in ("cpu", "blocked", "foreach", "single"):
        theta, grad = one_row()
        param = nn.Parameter(make(theta))
        param.grad = make(grad)
        optimizer = ALTO([param], lr=0.05)
        with forced(engine):
            optimizer.step()
            optimizer.step()
        found[engine] = whole(param).numpy()
    return found


def sharded(tensor):
    return distribute_tensor(tensor, init_device_mesh("cpu", (WORLD,)), [Shard(0)])


def worker(rank, port, queue):
    """Run every case in one process group: to start one takes longer than all cases."""
    os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    torch.set_num_threads(1)
    dist.init_process_group("gloo", rank=rank, world_size=WORLD)
    results = {}
    functions = {key: partial(case, rank, *key) for key in CASES}
    functions |= {"refusals": partial(refusals, rank), "lone": partial(lone, sharded)}
    for key, function in functions.items():
        try:
            results[key] = function()
        except BaseException:  # what failed is a result, too; the other cases go on
            results[key] = traceback.format_exc()
    queue.put((rank, results))
    # Gloo's threads let their tensors go meanwhile: one that still holds some as Python shuts down aborts the process.
    time.sleep(0.5)
    dist.destroy_process_group()


# Under DDP a step sees whole tensors, whatever the engine; under FSDP2 each engine meets shards.
CASES = [
    ("DDP", "ALTO"),
    ("DDP", "E(AdamW)"),
    ("FSDP1", "E(SGD)"),
    ("FSDP1", "E(AdamW)"),
    *(("FSDP2", name) for name in MAKE),
]


@pytest.fixture(scope="module")
def results():
    """From each case to what both ranks returned."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    context = mp.get_context("spawn")
    queue = context.Queue()
    processes = [context.Process(target=worker, args=(rank, port, queue)) for rank in range(WORLD)]
    for process in processes:
        process.start()
    found = dict(queue.get(timeout=240) for _ in processes)
    for process in processes:
        process.join(120)
        assert process.exitcode == 0
    return {key: [found[rank][key] for rank in range(WORLD)] for key in found[0]}


@pytest.mark.parametrize(("kind", "name"), CASES)
def test_two_processes_equal_one(results, kind, name):
    model = network()
    train(model, MAKE[name](model), *batch(), STEPS)
    for result in results[kind, name]:
        assert not isinstance(result, str), result
        for one, two in zip(model.parameters(), result, strict=True):
            torch.testing.assert_close(torch.from_numpy(two), one.detach(), rtol=1e-6, atol=1e-9)


def test_a_process_without_any_element_takes_its_part_in_the_norms(results):
    alone = lone()
    for found in results["lone"]:
        assert isinstance(found, dict), found
        for engine, row in found.items():
            torch.testing.assert_close(torch.from_numpy(row), torch.from_numpy(alone[engine]))


def test_what_fsdp1_has_flattened_is_refused_with_a_remedy(results):
    for said in results["refusals"]:
        assert isinstance(said, list), said
        assert len(said) == 10
        assert said.pop(4) == ""  # E around AdamW steps the shards of parameters that are there still
        for message in said:
            assert "was flattened by FSDP1" in message
            assert "fully_shard" in message
