"""The Triton engine against ``single``, under Triton's interpreter, and compiled for GPUs that need not be there.

Triton decides at its import whether kernels are interpreted, for the whole process. So the functions below named
``interpreted_*`` and ``compiled_*`` are the tests of two processes of their own, which the ``test_*`` functions start.
"""

import subprocess
import sys
from dataclasses import replace
from unittest import mock

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from alto._rule import Rule
from tests.alto.kernels import LISTS, PAPER, ROOT, clone, identity, in_a_process_of_its_own, tensors

pytest.importorskip("triton")

SIZES = (0, 1, 3, 2047, 2048, 2049, 5000)  # the kernels work in chunks of 2048
BETA = st.floats(0.0, 0.99)


def test_under_the_interpreter():
    in_a_process_of_its_own(__file__, "interpreted_*", {"TRITON_INTERPRET": "1"})


def test_triton_is_imported_by_nobody_else():
    program = "import sys, alto; assert not {'triton', 'alto.engines.gpu'} & sys.modules.keys()"
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True, timeout=120)


def test_a_broken_triton_is_as_good_as_none():
    """It is found, but its import fails: a step is taken all the same, and ``fused = True`` says why not."""
    program = """
import sys, warnings, torch
sys.modules["triton"] = None
from alto import engines
from alto.engines import foreach
engines._FUSED = {"meta": engines._TRITON}
engines.find_spec = lambda _: True
with warnings.catch_warnings(record=True) as told:
    warnings.simplefilter("always")
    engine, reason = engines._fused("meta")
assert engine is None
assert "triton is installed but cannot be used" in reason
assert len(told) == 1
"""
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True, timeout=120)


# Under the interpreter ----------------------------------------------------------------------------------------------


def flat(x, name):
    return torch.cat([y.reshape(-1).double() for y in getattr(x, name)] or [torch.empty(0).double()])


def both(x, rule=PAPER, lr=0.1, whole_norms=identity, **options):
    """``x`` after a step of the kernels, and after one of ``single`` in float64; foreach must not have helped."""
    from alto.engines import gpu, single

    exact = clone(x, torch.float64)
    single.alto_step_(exact, rule, lr, whole_norms, **options)
    with mock.patch.object(gpu.foreach, "alto_step_", side_effect=AssertionError("left to foreach")):
        gpu.alto_step_(x, rule, lr, whole_norms, **options)
    return x, exact


rules = st.builds(
    lambda c, beta1, *rest: Rule(-c / (1 - beta1), beta1, *rest),
    st.floats(-0.99, 0.99), BETA, BETA, BETA, st.floats(1e-8, 1.0), st.floats(1e-10, 1.0), st.floats(1e-10, 1.0),
    st.sampled_from([0.0, 1e-2, 0.5]), st.booleans(), st.booleans(), st.booleans(),
)  # fmt: skip


@given(
    sizes=st.lists(st.sampled_from(SIZES), min_size=1, max_size=3),
    explores=st.booleans(),
    seed=st.integers(0, 9999),
    steps=st.lists(st.sampled_from([1, 2, 20, 3000]), min_size=1, max_size=2),
    rule=rules,
    lr=st.sampled_from([0.1, torch.tensor(0.25), torch.tensor(0.1, dtype=torch.float64)]),
    whole_norms=st.sampled_from([identity, lambda norms: norms + 1]),
    capturable=st.booleans(),
)
def interpreted_steps_in_float64(sizes, explores, seed, steps, rule, lr, whole_norms, capturable):
    start = tensors(sizes, torch.float64, explores=explores, seed=seed, steps=steps)
    ours, exact = both(clone(start), rule, lr, whole_norms, capturable=capturable)
    for name in LISTS:
        for x, y, z in zip(getattr(ours, name), getattr(exact, name), getattr(start, name), strict=True):
            size = max([1.0, *(float(t.abs().max()) for t in (y, z) if t.numel())])
            torch.testing.assert_close(x, y, rtol=1e-12, atol=1e-12 * size)
    assert all(torch.equal(x, y) for x, y in zip(ours.grads, start.grads, strict=True))
    assert ours.steps == [step + 1 for step in start.steps]


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16], ids=["fp32", "bf16", "fp16"])
@settings(max_examples=10)
@given(rule=rules, seed=st.integers(0, 1000), step=st.sampled_from([1, 2, 20, 3000]), explores=st.booleans())
def interpreted_steps_in_lower_precision(dtype, rule, seed, step, explores):
    """Averages to 4 ulps of float32; parameters to 16 ulps of the step and one rounding to their own dtype.

    Which is to the nearest on a GPU; the interpreter cuts bfloat16 off, up to a whole ulp.
    """
    start = tensors([1, 2049, 700], dtype, explores=explores, seed=seed, steps=[step])
    ours, exact = both(clone(start), rule)
    eps = torch.finfo(torch.float32).eps
    u = sum(flat(start, name).abs().max() for name in ("grads", *(["slow_avgs"] if explores else [])))
    for name in LISTS[2:]:
        if getattr(ours, name):
            x, y = flat(ours, name), flat(exact, name)
            scale = u * u if name == "exp_avg_sqs" else u
            assert (x - y).abs().max() <= 4 * eps * max(scale, flat(start, name).abs().max())
    for x, y, old in zip(ours.params, exact.params, start.params, strict=True):
        assert x.dtype is dtype
        moved = (y - old.double()).abs().max()
        own = torch.finfo(dtype).eps * torch.maximum(y.abs(), torch.tensor(torch.finfo(dtype).smallest_normal))
        rounding = 1.01 if dtype is torch.bfloat16 else 0.51
        assert ((x.double() - y).abs() <= rounding * own + 16 * eps * moved).all()


@pytest.mark.parametrize("size", [1e-30, 1e20, 1e33])
def interpreted_norms_reach_as_far_as_float32(size):
    start = tensors([2049], torch.float32, steps=[1])
    start.params[0].fill_(size)
    ours, exact = both(start, replace(PAPER, eps2=0.0, eps3=0.0))
    torch.testing.assert_close(ours.params[0].double(), exact.params[0], rtol=1e-4, atol=0)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16, torch.float16], ids=str)
@settings(max_examples=5)
@given(rule=rules, sizes=st.lists(st.sampled_from(SIZES), min_size=1, max_size=3), seed=st.integers(0, 1000))
def interpreted_exploration(dtype, rule, sizes, seed):
    from alto.engines import gpu, single

    x = tensors(sizes, dtype, seed=seed)
    exact, grads = clone(x, torch.float64), [g.clone() for g in x.grads]
    expected = single.explore_(exact.grads, exact.slow_avgs, alpha=rule.alpha, beta1=rule.beta1)
    with mock.patch.object(gpu.foreach, "explore_", side_effect=AssertionError("left to foreach")):
        us = gpu.explore_(x.grads, x.slow_avgs, alpha=rule.alpha, beta1=rule.beta1)
    assert all(torch.equal(g, old) for g, old in zip(x.grads, grads, strict=True))
    for u, h, g, u64, h64 in zip(us, x.slow_avgs, grads, expected, exact.slow_avgs, strict=True):
        assert u.dtype is dtype
        assert u.shape == g.shape
        torch.testing.assert_close(u.double(), u64, rtol=torch.finfo(dtype).eps, atol=16 * torch.finfo(h.dtype).eps)
        torch.testing.assert_close(h.double(), h64, rtol=0, atol=16 * torch.finfo(h.dtype).eps)


def interpreted_norms_are_exact_to_1e_6():
    seen = []
    x = tensors([150_000, 0, 7], torch.float32, steps=[5])
    x.params[0].add_(0.5)
    _, exact = both(clone(x), whole_norms=lambda norms: seen.append(norms.clone()) or norms)
    theirs, ours = torch.stack(seen[:3], dim=1), seen[3]
    assert ours.dtype is torch.float64
    torch.testing.assert_close(ours, theirs, rtol=1e-6, atol=0)
    assert len(exact.params) == ours.shape[1]


def interpreted_layers_keep_to_themselves():
    """A NaN gradient, a layer of zeros, a step of zeros: none touches another layer, and the factor of zeros is 1."""
    x = tensors([100, 100, 100], torch.float64, steps=[3])
    x.grads[0][5] = float("nan")
    x.params[1].zero_()
    for name in LISTS[1:]:
        getattr(x, name)[2].zero_()
    ours, exact = both(x, Rule(-5.0, 0.99, 0.9, 0.99, 1e-6, 1e-6, 1e-10, 0.0, True, True, False))
    assert ours.params[0].isnan().sum() == 1
    for p, q in zip(ours.params, exact.params, strict=True):
        torch.testing.assert_close(p, q, rtol=1e-12, atol=1e-12, equal_nan=True)


def interpreted_a_vanishing_eps1():
    """Float32 makes 1e-60 a 0, and 0 / 0 of a chunk's unused places: they must not reach the norm."""
    rule = Rule(-5.0, 0.99, 0.9, 0.99, 1e-60, 1e-6, 1e-10, 0.0, True, True, False)
    with np.errstate(invalid="ignore", divide="ignore"):
        ours, exact = both(tensors([100], torch.float32, steps=[3]), rule)
    torch.testing.assert_close(ours.params[0].double(), exact.params[0], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("size", [1, 2047, 2048, 2049, 4096])
@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16], ids=["fp64", "bf16"])
def interpreted_nothing_is_written_outside(size, dtype):
    """Tensors that are pieces of larger ones, not aligned to 16 bytes, with sentinels around them."""
    x = tensors([size, 5], dtype, steps=[2])
    around = [torch.full((size + 4096,), 7.0, dtype=getattr(x, name)[0].dtype) for name in LISTS]
    for buffer, name in zip(around, LISTS, strict=True):
        piece = buffer[3 : 3 + size]
        getattr(x, name)[0] = piece.copy_(getattr(x, name)[0])
    ours, exact = both(x)
    for buffer, name in zip(around, LISTS, strict=True):
        assert (buffer[:3] == 7).all()
        assert (buffer[3 + size :] == 7).all()
        torch.testing.assert_close(
            getattr(ours, name)[0].double(), getattr(exact, name)[0], rtol=torch.finfo(dtype).eps, atol=1e-5
        )


def interpreted_the_table_is_kept_and_changed_rows_are_rewritten():
    """Same lists: nothing is uploaded or allocated, and only gradients and counters are copied."""
    from alto.engines import gpu

    x = tensors([2049, 3], torch.float64, steps=[1])
    both(x)
    table = x.kept["gpu"]
    with mock.patch.object(gpu, "_upload", side_effect=AssertionError("a new table")):
        for k in range(2 * gpu._TURNS):
            if k % 2:
                x.grads[0] = torch.full((2049,), float(k), dtype=torch.float64)
            ours, exact = both(x)
            torch.testing.assert_close(ours.params, exact.params, rtol=1e-12, atol=1e-12)
    assert x.kept["gpu"] is table
    assert table._copies == 2 * gpu._TURNS
    assert len(table._turns) == gpu._TURNS
    before = table._copies
    with mock.patch.object(gpu, "advance_"):  # the counters, too, are as they were
        both(x)
    assert table._copies == before


def interpreted_an_unaligned_gradient_is_noticed():
    x = tensors([2048], torch.float64, steps=[1])
    both(x)
    assert x.kept["gpu"].aligned[3] == (x.grads[0].data_ptr() % 16 == 0)
    x.grads[0] = torch.ones(2050, dtype=torch.float64)[1:2049]
    both(x)
    assert x.kept["gpu"].aligned[3] == (x.grads[0].data_ptr() % 16 == 0)


def interpreted_a_pinned_buffer_is_written_after_its_last_copy():
    from alto.engines import gpu

    calls = []

    def event(number):
        return mock.Mock(
            synchronize=lambda: calls.append(("wait", number)), record=lambda _: calls.append(("copied", number))
        )

    events = iter(map(event, range(gpu._TURNS)))
    table = gpu._Table((5,), [[1], [2]], torch.device("cpu"), 0)
    with (
        mock.patch.object(gpu, "_pinned", side_effect=lambda shape, _: (torch.empty(shape).long(), next(events))),
        mock.patch.object(torch.cuda, "current_stream"),
    ):
        for number in range(gpu._TURNS + 1):
            table.write(np.array([[10 + number]]))
            assert table.rows.tolist() == [[10 + number], [2]]
    assert calls == [(what, n) for n in (*range(gpu._TURNS), 0) for what in ("wait", "copied")]


def interpreted_another_stream_has_a_table_of_its_own():
    from alto.engines import gpu

    x = tensors([2049, 3], torch.float64, steps=[1])
    both(x)
    table = x.kept["gpu"]
    with mock.patch.object(gpu, "_stream", return_value=7):
        both(x)
    assert x.kept["gpu"] is not table


def interpreted_a_captured_step_has_tables_of_its_own():
    from alto.engines import gpu

    x = tensors([2049, 3], torch.float64, steps=[1])
    both(x, capturable=True)
    table, before = x.kept["gpu"], len(gpu._READ_BY_GRAPHS)
    with mock.patch.object(gpu, "_capturing", return_value=True):
        ours, exact = both(x, capturable=True)
    assert x.kept["gpu"] is table
    assert len(gpu._READ_BY_GRAPHS) == before + 2  # sizes and addresses
    torch.testing.assert_close(ours.params, exact.params, rtol=1e-12, atol=1e-12)


def interpreted_kept_exploration():
    """Mixed gradients at new addresses in each call, through one table."""
    from alto.engines import gpu, single

    x = tensors([2049, 3], torch.float64)
    kept, alive = {}, []
    for k in range(3):
        exact = clone(x)
        expected = single.explore_(exact.grads, exact.slow_avgs, alpha=-5.0, beta1=0.99)
        us = gpu.explore_(x.grads, x.slow_avgs, alpha=-5.0, beta1=0.99, kept=kept)
        torch.testing.assert_close(list(us), list(expected), rtol=1e-12, atol=1e-12)
        torch.testing.assert_close(x.slow_avgs, exact.slow_avgs, rtol=1e-12, atol=1e-12)
        assert kept["gpu"]._copies == k
        x.grads[0] = torch.full((2049,), float(k), dtype=torch.float64)
        alive.append(us)  # so that the next ones lie elsewhere


def interpreted_one_order_of_memory():
    """Dense strides that all share go to the kernels; anything else to foreach, and each gives the same numbers."""
    from alto.engines import gpu, single

    def images():
        return tensors([(6, 5, 4, 4)], torch.float64, steps=[2])

    def laid_out(x, change, names=LISTS):
        for name in names:
            getattr(x, name)[0] = change(getattr(x, name)[0])
        return x

    def channels_last(t):
        return t.to(memory_format=torch.channels_last)

    def transposed(t):
        return t.transpose(0, 1).contiguous().transpose(0, 1)

    def sliced(t):
        return torch.cat((t, t), dim=1)[:, :5]

    def expanded(t):
        return t[:1].expand(6, 5, 4, 4)

    cases = [
        (laid_out(images(), channels_last), True, True),
        (laid_out(images(), transposed), True, True),
        (laid_out(images(), sliced), False, False),
        (laid_out(images(), channels_last, ["grads"]), False, False),
        (laid_out(images(), channels_last, LISTS[:1] + LISTS[2:]), False, False),
        (laid_out(images(), expanded, ["grads"]), False, False),
        (laid_out(images(), lambda t: t.float(), ["grads"]), False, True),
    ]
    for x, step_by_kernels, exploration_by_kernels in cases:
        exact = clone(x)
        single.alto_step_(exact, PAPER, 0.1, identity)
        with mock.patch.object(gpu.foreach, "alto_step_", wraps=gpu.foreach.alto_step_) as left:
            gpu.alto_step_(x, PAPER, 0.1, identity)
        assert left.called is not step_by_kernels
        for name in LISTS:
            torch.testing.assert_close(getattr(x, name), getattr(exact, name), rtol=1e-12, atol=1e-12)
        with mock.patch.object(gpu.foreach, "explore_", wraps=gpu.foreach.explore_) as left:
            (u,) = gpu.explore_(x.grads, x.slow_avgs, alpha=-5.0, beta1=0.99)
        assert left.called is not exploration_by_kernels
        (v,) = single.explore_(exact.grads, exact.slow_avgs, alpha=-5.0, beta1=0.99)
        torch.testing.assert_close(u, v, rtol=1e-6 if u.dtype is torch.float32 else 1e-12, atol=1e-12)
