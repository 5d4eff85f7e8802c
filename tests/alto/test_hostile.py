"""Tensors and surroundings that a kernel on raw addresses must not trust, and users who do the unexpected."""

import copy
import ctypes
import itertools
import os
import subprocess
import sys
import threading
import warnings
from contextlib import nullcontext
from unittest import mock

import pytest
import torch
from torch import nn
from torch.optim.optimizer import _global_optimizer_pre_hooks, register_optimizer_step_pre_hook

from alto import ALTO, ESGD, LAMB, E, EAdam, EAdamW, engines
from alto.engines import _cpu_kernels as kernels
from alto.engines import cpu
from alto.engines._layout import walkable
from tests.alto.zoo import equal, forced, gradients, matrices, run

ENGINES = ["cpu", "blocked", "foreach", "single"]


@pytest.mark.parametrize("make", [ALTO, ESGD], ids=["ALTO", "E"])
@pytest.mark.parametrize(("small", "large"), [((4, 8), (4000, 8)), ((4000, 8), (4, 8))], ids=["larger", "smaller"])
def test_state_of_another_shape_is_refused_and_no_memory_touched(make, small, large):
    saved, loaded = nn.Parameter(torch.ones(small)), nn.Parameter(torch.ones(large))
    a, b = make([saved]), make([loaded])
    saved.grad, loaded.grad = torch.ones(small), torch.ones(large)
    a.step()
    with pytest.raises(ValueError, match=r"has shape .*nothing is loaded"):
        b.load_state_dict(copy.deepcopy(a.state_dict()))
    assert not b.state
    b.step()
    for state in b.state.values():
        state.update({key: value for key, value in a.state[saved].items() if key != "step"})
    kept = loaded.detach().clone()
    with pytest.raises(RuntimeError, match=r"has shape \S+ \S+, the parameter"):
        b.step()
    assert torch.equal(loaded, kept)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_negative_view_as_gradient(engine):
    param = nn.Parameter(torch.ones(3))
    param.grad = torch._neg_view(torch.ones(3))
    with forced(engine):
        ALTO([param], lr=0.1, layerwise=False, weight_decay=0.0).step()
    assert (param > 1).all()
    param.grad = torch._neg_view(torch.ones(3))
    before = param.detach().clone()
    E(torch.optim.SGD([param], 0.1)).step()
    assert (param > before).all()


@pytest.mark.parametrize("engine", ENGINES)
def test_a_second_tensor_of_another_dtype_is_seen(engine):
    """An average that stayed in float32 when its parameter became float64: whatever happens, no memory is overrun."""
    params = matrices(2)
    optimizer = LAMB(params)
    run(optimizer, params[1:], 1)  # the first has no state yet, and will get one of the new dtype
    for p in params:
        p.data = p.data.double()
        p.grad = torch.ones_like(p)
    with forced(engine):
        try:
            optimizer.step()
        except RuntimeError:
            return  # as torch.optim's own do
    assert all(torch.isfinite(p).all() for p in params)


@pytest.mark.parametrize("dtypes", [(torch.bfloat16, torch.float32), (torch.float32, torch.bfloat16)], ids=str)
def test_gradients_of_another_dtype_than_their_parameters(dtypes):
    of_param, of_grad = dtypes
    results = []
    for engine in ("single", "cpu"):
        param = nn.Parameter(torch.linspace(1, 2, 64).to(of_param))
        param.grad_dtype = of_grad
        param.grad = torch.linspace(-1, 1, 64).to(of_grad)
        with forced(engine):
            ALTO([param], lr=0.1).step()
        results.append(param.detach().float())
    torch.testing.assert_close(*results, rtol=1e-2, atol=1e-6)


@pytest.mark.parametrize("make", [ALTO, lambda p: ALTO(p, foreach=True), EAdamW], ids=["fused", "foreach", "E"])
def test_under_another_default_device(make):
    params, others = matrices(), matrices()
    a, b = make(params), make(others)
    for k in range(2):
        for p, q, g in zip(params, others, gradients(params, k), strict=True):
            p.grad, q.grad = g, g.clone()
        with torch.device("meta"):
            a.step()
        b.step()
    assert equal(params, others)


@pytest.mark.parametrize("make", [ALTO, lambda p: ESGD(p, lr=0.1)], ids=["ALTO", "E"])
def test_a_stale_graph_is_refused(make):
    """A kernel that writes by address must say so, or this backward would use the new weights with the old graph."""
    first, second = (nn.Parameter(torch.ones(8, 8)) for _ in range(2))
    optimizer = make([first, second])
    loss = (first @ second).square().sum()
    loss.backward(retain_graph=True)
    optimizer.step()
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()


@pytest.mark.parametrize("engine", ENGINES)
def test_averages_that_stayed_on_another_device(engine):
    """As after model.to() with an old optimizer: an error, and no memory touched. There is no address on meta."""
    params = matrices()
    optimizer = ALTO(params)
    run(optimizer, params, 1)
    before = [p.detach().clone() for p in params]
    for state in optimizer.state.values():
        state.update({key: value.to("meta") for key, value in state.items() if key != "step"})
    with forced(engine), pytest.raises((RuntimeError, NotImplementedError)):
        run(optimizer, params, 1)
    assert equal(before, params)


def test_only_plain_dense_memory_is_walked():
    class Wrapped(torch.Tensor):
        pass

    plain = torch.ones(3)
    known = {torch.float32}
    assert walkable(([[plain], [nn.Parameter(plain)]], known))
    for other in (plain.as_subclass(Wrapped), plain.to("meta"), plain.double(), torch.ones(4), torch.ones(6)[::2]):
        assert not walkable(([[plain], [other]], known)), other
    assert not walkable(([[plain], [torch._efficientzerotensor(3)]], known))
    assert not walkable(([[plain], [torch._neg_view(plain)]], known))


def test_where_no_lock_can_be_written_kernels_compile_all_the_same():
    cpu._compile.cache_clear()
    params = matrices()
    with mock.patch("alto.engines.cpu.open", side_effect=PermissionError("no place to write to"), create=True) as tried:
        run(ALTO(params, fused=True), params, 1)
    assert tried.call_count == 1
    assert all(p.isfinite().all() for p in params)


def test_a_learning_rate_tensor_of_one_dimension():
    for engine in ENGINES:
        param = nn.Parameter(torch.tensor(1.0))
        param.grad = torch.tensor(1.0)
        with forced(engine):
            ALTO([param], lr=torch.tensor([0.5]), layerwise=False, weight_decay=0.0).step()
        assert param.item() == pytest.approx(0.5, abs=1e-5)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("options", [{"maximize": True}, {"lr": torch.tensor(0.03)}], ids=["maximize", "tensor lr"])
def test_options_in_every_engine(engine, options):
    ours, reference = matrices(dtype=torch.float64), matrices(dtype=torch.float64)
    with forced(engine):
        run(ALTO(ours, **options), ours, 3)
    with forced("single"):
        plain = ALTO(reference, lr=float(options.get("lr", 0.01)))
        for k in range(3):
            for p, g in zip(reference, gradients(reference, k), strict=True):
                p.grad = -g if "maximize" in options else g
            plain.step()
    for p, q in zip(ours, reference, strict=True):
        torch.testing.assert_close(p, q, rtol=1e-7, atol=1e-9)  # a float32 learning rate


def test_a_numba_that_cannot_be_used_is_as_good_as_none():
    engines._fused.cache_clear()
    try:
        with mock.patch("alto.engines.import_module", side_effect=ImportError("needs another NumPy")):
            params = matrices()
            with pytest.warns(RuntimeWarning, match="needs another NumPy"):
                run(ALTO(params), params, 1)
            before = [p.detach().clone() for p in params]
            optimizer = ALTO(params, fused=True)
            with pytest.raises(RuntimeError, match="cannot be used: needs another NumPy"):
                run(optimizer, params, 1)
            assert equal(before, params)
            assert not optimizer.state
    finally:
        engines._fused.cache_clear()


def test_a_forked_child_steps_too():
    code = """
import os, torch
from alto import ALTO
torch.set_num_threads(2)
from alto.engines import _cpu_kernels as kernels
from alto.engines import cpu
w = torch.ones(2 * cpu._WORTH_A_THREAD); w.grad = torch.ones_like(w)
optimizer = ALTO([w]); optimizer.step()
assert cpu._team() is not None  # the team has a thread, which the child will lack
child = os.fork()
if child == 0:
    assert cpu._team() is None
    optimizer.step()
    os._exit(0)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
"""
    environment = os.environ | {"OMP_NUM_THREADS": "2"}
    subprocess.run([sys.executable, "-W", "ignore", "-c", code], check=True, timeout=60, env=environment)


def test_a_child_that_is_forked_before_the_first_step_steps_too():
    """Its parent's team, which torch has begun, is not there."""
    code = """
import os, torch, alto
torch.set_num_threads(2)
torch.ones(1 << 20).add_(1)  # the team starts
child = os.fork()
if child == 0:
    from alto.engines import cpu
    w = torch.ones(1 << 10); w.grad = torch.ones_like(w)
    ws = [w.clone() for _ in range(200)]
    for w in ws:
        w.grad = torch.ones(1 << 10)
    alto.ALTO(ws).step()
    assert cpu._team() is None
    os._exit(0)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
"""
    environment = os.environ | {"OMP_NUM_THREADS": "2"}
    subprocess.run([sys.executable, "-W", "ignore", "-c", code], check=True, timeout=60, env=environment)


def test_a_process_that_is_forked_during_a_compilation_does_not_keep_the_lock(tmp_path):
    code = f"""
import os, signal, tempfile
tempfile.tempdir = {str(tmp_path)!r}
from alto.engines import cpu
with cpu._one_process_at_a_time():
    child = os.fork()
    if child == 0:
        signal.pause()
        os._exit(0)
try:
    signal.alarm(20)  # ends this process if it waits
    with cpu._one_process_at_a_time():
        pass
finally:
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
"""
    subprocess.run([sys.executable, "-W", "ignore", "-c", code], check=True, timeout=60)


def test_the_team_is_found_in_a_folder_with_a_space_in_its_name(monkeypatch):
    maps = "7f0-7f1 r-xp 00000000 08:01 12   /a folder/torch/lib/libgomp.so.1\n7f2-7f3 rw-p 00000000 00:00 0\n"
    opened = mock.mock_open(read_data=maps)
    monkeypatch.setattr(cpu, "open", opened, raising=False)
    monkeypatch.setattr(cpu.ctypes, "CDLL", lambda path: path)
    assert cpu._openmp.__wrapped__() == "/a folder/torch/lib/libgomp.so.1"


def test_hooks_for_all_optimizers_in_several_threads():
    counts: dict[type, int] = {}
    handle = register_optimizer_step_pre_hook(lambda o, *_: counts.update({type(o): counts.get(type(o), 0) + 1}))
    failures = []

    def loop(optimizer, params):
        try:
            for _ in range(200):
                run(optimizer, params, 1)
        except Exception as error:
            failures.append(error)

    try:
        one, other = matrices(seed=1), matrices(seed=2)
        threads = [
            threading.Thread(target=loop, args=(EAdamW(one), one)),
            threading.Thread(target=loop, args=(torch.optim.SGD(other, 0.1), other)),
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        handle.remove()
    assert not failures
    assert counts == {EAdamW: 200, torch.optim.SGD: 200}


def test_hooks_for_all_optimizers_stay_registered_while_the_base_steps():
    seen = []

    class Looking(torch.optim.SGD):
        def step(self, closure=None):
            seen.append(dict(_global_optimizer_pre_hooks))
            return super().step(closure)

    params = matrices()
    handle = register_optimizer_step_pre_hook(lambda *_: None)
    try:
        run(E(Looking(params, 0.1)), params, 1)
        assert seen == [dict(_global_optimizer_pre_hooks)]
        assert seen[0]
    finally:
        handle.remove()


def test_a_scheduler_on_the_base_sees_its_steps_and_hooks_fire_once():
    params = matrices()
    base = torch.optim.SGD(params, 0.1)
    scheduler = torch.optim.lr_scheduler.StepLR(base, 1, gamma=0.5)
    optimizer = E(base, alpha=0.5, beta1=0.01)
    seen = []
    handle = register_optimizer_step_pre_hook(lambda o, *_: seen.append(o))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # "scheduler.step() before optimizer.step()"
            run(optimizer, params, 1)
            scheduler.step()
    finally:
        handle.remove()
    assert seen == [optimizer]
    assert optimizer.param_groups[0]["lr"] == 0.05


@pytest.mark.parametrize("make", [ESGD, EAdam, EAdamW], ids=lambda m: m.__name__)
def test_variants_take_alpha_and_beta1_per_group(make):
    first, second, third = matrices(3)
    optimizer = make([{"params": [first], "alpha": 0.0}, {"params": [second]}])
    optimizer.add_param_group({"params": [third], "alpha": 0.5, "beta1": 0.01})
    assert [g["explore_alpha"] for g in optimizer.param_groups] == [0.0, -5.0, 0.5]
    assert [g["explore_beta1"] for g in optimizer.param_groups] == [0.99, 0.99, 0.01]
    assert "alpha" not in optimizer.param_groups[0]


def test_state_and_groups_of_e_may_be_assigned():
    optimizer = EAdamW(matrices())
    groups = optimizer.param_groups
    optimizer.state, optimizer.param_groups = {}, list(groups)
    assert optimizer.base.state == {}
    assert optimizer.base.param_groups == groups


def test_a_base_that_needs_arguments_is_refused():
    class Needy(torch.optim.SGD):
        def step(self, loss):
            return loss

    with pytest.raises(TypeError, match="its step needs 'loss'"):
        E(Needy(matrices(), 0.1))


def test_a_base_that_begins_to_explore_is_refused():
    params = matrices()
    optimizer = E(LAMB(params))
    optimizer.param_groups[0]["alpha"] = -5.0
    with pytest.raises(TypeError, match=r"alpha = -5\.0 in a group of the base"):
        run(optimizer, params, 1)


def test_another_optimizers_checkpoint_is_refused_by_the_option():
    params = matrices()
    optimizer = ALTO(params)
    other = torch.optim.AdamW(matrices())
    with pytest.raises(ValueError, match="group 0 lacks 'alpha', 'beta1', so it was not saved by ALTO; nothing"):
        optimizer.load_state_dict(other.state_dict())
    assert optimizer.param_groups[0]["eps"] == (1e-6, 1e-6, 1e-10)


def test_a_loaded_step_counter_stays_on_the_cpu():
    """torch moves it to the parameters' device for a fused optimizer; reading it there would wait for the device."""
    params = [nn.Parameter(torch.ones(2, device="meta"))]
    optimizer = ALTO(params)
    params[0].grad = torch.ones(2, device="meta")
    optimizer.step()
    assert optimizer.state[params[0]]["step"].device.type == "cpu"
    optimizer.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    assert optimizer.state[params[0]]["step"].device.type == "cpu"


def test_a_scheduled_rate_is_the_step_that_is_taken():
    steps = []
    for factor in (1.0, 0.5):
        param = nn.Parameter(torch.zeros(3))
        optimizer = E(torch.optim.SGD([param], 0.1), alpha=0.5, beta1=0.01)
        optimizer.param_groups[0]["lr"] *= factor
        param.grad = torch.ones(3)
        optimizer.step()
        steps.append(param.detach().clone())
    torch.testing.assert_close(steps[1], 0.5 * steps[0])


@pytest.mark.parametrize("passes", [1, 2])
def test_items_visit_each_element_once_a_pass_and_the_second_time_after_its_layer(passes):
    """A thousand biases before one embedding, in pieces of a size; a later item never holds up an earlier one."""
    sizes = [8] * 1000 + [300_000, 0, 5]
    stages, chunks = cpu._stages(sizes, passes)
    seen = [[], []]
    first_passes = [0] * len(sizes)
    for tensor, first, end, chunk in itertools.chain(*stages):
        assert 0 < end - first <= cpu._CHUNK
        seen[chunk == kernels.SECOND].append((tensor, first, end))
        if chunk == kernels.SECOND:
            assert first_passes[tensor] == chunks[tensor]
        else:
            first_passes[tensor] += 1
    assert (
        sum(end - first for _, first, end in seen[0])
        == sum(sizes)
        == len({(tensor, i) for tensor, first, end in seen[0] for i in range(first, end)})
    )
    assert seen[1] == (seen[0] if passes == 2 else [])


def test_without_a_team_or_with_a_smaller_one_the_step_is_the_same():
    """OpenMP may give fewer threads than were asked for: here one of two, which calls itself the second."""
    second = ctypes.CFUNCTYPE(ctypes.c_int)(lambda: 1)
    number = ctypes.cast(second, ctypes.c_void_p).value
    outcomes = []
    for team in (cpu._team(), None, lambda kernel, job, *_: kernel(job)):
        param = nn.Parameter(torch.linspace(-1, 1, 4 * cpu._WORTH_A_THREAD))
        optimizer = ALTO([param])
        torch.set_num_threads(2)
        numbers = mock.patch("alto.engines.cpu._thread_number", return_value=number) if outcomes else nullcontext()
        try:
            with mock.patch("alto.engines.cpu._team", return_value=team), numbers:
                run(optimizer, [param], 2)
        finally:
            torch.set_num_threads(1)
        outcomes.append(param.detach())
    assert torch.equal(outcomes[0], outcomes[1])
    assert torch.equal(outcomes[0], outcomes[2])
