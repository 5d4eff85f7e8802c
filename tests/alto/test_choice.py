"""Which engine takes a step: the requested one, else the fastest that is available and correct."""

from importlib import import_module
from inspect import signature
from unittest import mock

import pytest
import torch

from alto import ALTO, E, engines
from alto.engines import blocked, cpu, foreach, single
from tests.alto.zoo import equal, matrices, run

HERE, META = torch.zeros(1), torch.zeros(1, device="meta")


def _named(value):
    """A test's name that is the same in every process: no address, path or number of the run."""
    match value:
        case torch.Tensor():
            return value.device.type
        case dict():
            return "-".join(f"{k}={v}" for k, v in value.items()) or "default"
        case _:
            return value.__name__.rpartition(".")[2]


@pytest.fixture(autouse=True)
def _fresh():
    engines._fused.cache_clear()
    yield
    engines._fused.cache_clear()


@pytest.mark.parametrize(
    ("tensor", "asked", "engine"),
    [
        (HERE, {}, cpu),
        (HERE, {"fused": True}, cpu),
        (HERE, {"fused": False}, blocked),
        (HERE, {"foreach": True}, blocked),
        (HERE, {"foreach": False}, single),
        (HERE, {"foreach": False, "fused": True}, cpu),
        (HERE, {"differentiable": True}, single),
        (META, {}, foreach),
        (META, {"foreach": True}, foreach),
        (META, {"foreach": False}, single),
    ],
    ids=_named,
)
def test_what_is_chosen(tensor, asked, engine):
    assert engines.choose(tensor, **asked) is engine


def test_without_numba_plain_torch_steps_and_fused_says_what_it_needs():
    with mock.patch("alto.engines.find_spec", return_value=None):
        assert engines.choose(HERE) is blocked
        with pytest.raises(RuntimeError, match=r"it needs numba: pip install alto-optim\[fused\]"):
            engines.choose(HERE, fused=True)


def test_a_gpu_gets_the_triton_engine_only_on_request():
    on_gpu = mock.Mock(device=torch.device("cuda"))
    triton = mock.Mock(name="gpu")
    with mock.patch("alto.engines._fused", return_value=(triton, "")):
        assert engines.choose(on_gpu) is foreach
        assert engines.choose(on_gpu, fused=True) is triton


def test_a_compiler_gets_what_it_can_see_through():
    on_gpu = mock.Mock(device=torch.device("cuda"))
    triton = mock.Mock(name="gpu")
    with (
        mock.patch("torch.compiler.is_compiling", return_value=True),
        mock.patch("alto.engines._fused", return_value=(triton, "")),
    ):
        assert engines.choose(HERE, fused=True) is foreach
        assert engines.choose(on_gpu) is foreach
        assert engines.choose(on_gpu, fused=True) is triton


@pytest.mark.parametrize(
    ("asked", "engine"), [({}, cpu), ({"foreach": True}, blocked), ({"foreach": False}, single), ({"fused": True}, cpu)]
)
def test_e_mixes_by_the_engine_that_it_was_told(asked, engine):
    params = matrices()
    with mock.patch.object(engine, "explore_", side_effect=engine.explore_) as used:
        run(E(torch.optim.SGD(params, 0.1), **asked), params, 2)
    assert used.call_count == 2


def test_e_refuses_a_switch_that_is_none():
    with pytest.raises(ValueError, match="fused = 'yes': must be True or False or None"):
        E(torch.optim.SGD(matrices(), 0.1), fused="yes")


def test_state_goes_from_engine_to_engine():
    """A run that changes its engine at each checkpoint ends where one engine would have ended."""
    steady, wandering = matrices(dtype=torch.float64), matrices(dtype=torch.float64)
    optimizer = ALTO(steady, foreach=False)
    run(optimizer, steady, 8)
    state = None
    for k, options in enumerate(({"fused": True}, {"foreach": True}, {"foreach": False}, {"capturable": True})):
        other = ALTO(wandering, **options)
        if state is not None:
            options_now = [{k: v for k, v in g.items() if k != "params"} for g in other.param_groups]
            other.load_state_dict(state)
            for group, own in zip(other.param_groups, options_now, strict=True):
                group.update(own)
        run(other, wandering, range(2 * k, 2 * k + 2))
        state = other.state_dict()
    for p, q in zip(steady, wandering, strict=True):
        torch.testing.assert_close(p, q, rtol=1e-10, atol=1e-12)
    assert not equal(wandering, matrices(dtype=torch.float64))


@pytest.mark.parametrize("name", ["single", "foreach", "blocked", "cpu", "gpu"])
@pytest.mark.parametrize("function", ["explore_", "alto_step_"])
def test_every_engine_has_the_protocols_signatures(name, function):
    """Names, order, kinds and defaults; the type checker compares the types."""
    if name == "gpu":
        pytest.importorskip("triton")
    engine = import_module(f"alto.engines.{name}")
    expected = signature(getattr(engines.Engine, function)).parameters.values()
    actual = signature(getattr(engine, function)).parameters.values()
    assert [(p.name, p.kind, p.default) for p in actual] == [(p.name, p.kind, p.default) for p in expected]


def test_groups_with_equal_options_share_a_call():
    """Bit for bit as in one group; a group with an option of its own takes a call of its own."""
    grouped, together, mixed = matrices(12), matrices(12), matrices(12)
    expected = run(ALTO(together), together, 3)
    with mock.patch.object(cpu, "alto_step_", side_effect=cpu.alto_step_) as calls:
        assert equal(run(ALTO([{"params": [p]} for p in grouped]), grouped, 3), expected)
        assert calls.call_count == 3
        calls.reset_mock()
        own = ALTO([{"params": [p], "lr": 0.5 if i == 7 else 0.01} for i, p in enumerate(mixed)])
        run(own, mixed, 3)
        assert calls.call_count == 6
    assert [torch.equal(p, q) for p, q in zip(mixed, expected, strict=True)] == [i != 7 for i in range(12)]


def test_e_mixes_groups_with_equal_options_in_one_call():
    grouped, together = matrices(12), matrices(12)
    expected = run(E(torch.optim.SGD(together, 0.1)), together, 3)
    with mock.patch.object(cpu, "explore_", side_effect=cpu.explore_) as calls:
        optimizer = E(torch.optim.SGD([{"params": [p]} for p in grouped], 0.1))
        assert equal(run(optimizer, grouped, 3), expected)
        assert calls.call_count == 3
