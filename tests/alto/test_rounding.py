"""A slow average in bfloat16: that rounding at random loses nothing on average, and that every engine rounds alike.

Each test of a random outcome has its seed fixed; with another seed it would raise a false alarm with a probability of
at most 1e-6 (said with each).
"""

import copy
import io
import math
import pickle
from unittest import mock

import pytest
import torch
from torch import nn

from alto import ALTO, LAMB
from alto.engines import _rounding
from tests.alto.kernels import PAPER, identity, tensors
from tests.alto.zoo import equal, forced, gradients, matrices, run

ENGINES = ["cpu", "blocked", "foreach", "single"]
BF16 = torch.bfloat16


def alto(params, **options):
    return ALTO(params, slow_avg_dtype=BF16, **options)


def bits(count, step=1.0, position=0, first=0):
    return _rounding.random_bits(torch.empty(count), torch.tensor(step), position, first)


# The generator and the rounding -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("counter", "key", "expected"),
    [
        ([0] * 4, [0] * 2, [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]),
        ([0xFFFFFFFF] * 4, [0xFFFFFFFF] * 2, [0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD]),
        (
            [0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344],
            [0xA4093822, 0x299F31D0],
            [0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1],
        ),
    ],
    ids=["zeros", "ones", "pi"],
)
def test_philox_gives_the_published_words(counter, key, expected):
    """The known answers that its authors publish with Random123 (kat_vectors, philox4x32 10)."""
    words = _rounding.philox([torch.tensor([x]) for x in counter], [torch.tensor(x) for x in key])
    assert [word.item() for word in words] == expected


def test_bits_are_uniform():
    """Chi-square over 256 classes of the upper and of the lower byte: beyond 6 sigma once in 1e8 seeds."""
    drawn = bits(1 << 18)
    assert drawn.dtype is torch.int32
    for byte in (drawn >> 8, drawn & 0xFF):
        expected = len(drawn) / 256
        chi_square = (torch.bincount(byte, minlength=256) - expected).square().sum().item() / expected
        assert abs(chi_square - 255) < 6 * math.sqrt(2 * 255)


def test_bits_differ_between_elements_steps_and_parameters():
    """Two independent draws of 16 bits agree with probability 2^-16: of 1e5 pairs 1.5; more than 12 once in 1e8."""
    drawn = bits(100_000)
    for other in (bits(100_000, step=2.0), bits(100_000, position=1), bits(100_000, first=8), drawn.roll(1)):
        assert (drawn == other).sum() <= 12
    assert (bits(9, step=3.0, position=5) != bits(9, step=5.0, position=3)).any()


@pytest.mark.parametrize("first", [0, 1, 7, 8, 13])
def test_a_block_has_the_bits_of_its_place(first):
    assert torch.equal(bits(20)[first:], bits(20 - first, first=first))


def test_bits_are_numbered_in_the_order_of_memory():
    x = torch.empty(2, 3, 4, 4).to(memory_format=torch.channels_last)
    drawn = _rounding.random_bits(x, torch.tensor(1.0), 0)
    assert drawn.stride() == x.stride()
    assert torch.equal(drawn.permute(0, 2, 3, 1).reshape(-1), bits(96))
    part = _rounding.random_bits(x[:, :2], torch.tensor(1.0), 0)  # not dense: its elements are numbered without gaps
    assert torch.equal(part.flatten().sort().values, bits(64).sort().values)


@pytest.mark.parametrize("x", [1.0 + 2**-9, -3.3, 1e-30, 3.2e38, 1e-40, -0.7 * 2**-133], ids=str)
def test_over_all_bits_the_mean_is_the_number_itself(x):
    """Exhaustive: each of the 65536 values of the bits once."""
    x = torch.tensor(x)
    results = _rounding.rounded(x.expand(65536), torch.arange(65536, dtype=torch.int32)).double()
    assert results.unique().numel() == 2
    assert results.mean().item() == x.double().item()


def test_what_bfloat16_can_hold_is_kept_for_all_bits():
    every = torch.arange(65536, dtype=torch.int32).to(torch.int16).view(BF16)
    for b in (0, 1, 0x8000, 0xFFFF):
        kept = _rounding.rounded(every.float(), torch.full((65536,), b, dtype=torch.int32))
        torch.testing.assert_close(kept, every, rtol=0, atol=0, equal_nan=True)


def test_every_nan_stays_one_and_float64_is_taken():
    nans = torch.tensor([0x7F800001, 0x7FFFFFFF, -1], dtype=torch.int32).view(torch.float32)
    assert _rounding.rounded(nans, torch.full((3,), 0xFFFF, dtype=torch.int32)).isnan().all()
    wide = torch.tensor([1.0, math.inf, -math.inf, math.nan], dtype=torch.float64)
    kept = _rounding.rounded(wide, torch.full((4,), 0xFFFF, dtype=torch.int32))
    torch.testing.assert_close(kept.double(), wide, rtol=0, atol=0, equal_nan=True)


# In the optimizer ---------------------------------------------------------------------------------------------------


def average_after(steps, engine="single", count=4000, round_=None):
    """The average that began at 1 and was then fed gradients of 1.1."""
    param = nn.Parameter(torch.zeros(count))
    optimizer = alto([param], lr=0.0)
    param.grad = torch.ones(count)
    optimizer.step()
    optimizer.state[param]["slow_avg"].fill_(1.0)
    param.grad = torch.full((count,), 1.1)
    with forced(engine), mock.patch.object(_rounding, "rounded", round_ or _rounding.rounded):
        for _ in range(steps):
            optimizer.step()
    return optimizer.state[param]["slow_avg"].double()


def test_small_changes_add_up_where_rounding_to_nearest_loses_them():
    """A step moves h by 1e-3 at most, and the neighbours of 1 are 4e-3 below and 8e-3 above.

    The mean over 4000 elements after 300 steps: its standard error is at most that of the standard deviation measured;
    beyond 5 of them once in 1e6 seeds.
    """
    nearest = average_after(300, round_=lambda x, _: x.bfloat16())
    assert (nearest == 1).all()
    h = average_after(300)
    expected = 1.1 - 0.1 * 0.99**300
    assert abs(h.mean().item() - expected) < 5 * h.std().item() / math.sqrt(h.numel())
    assert 0.001 < h.std() < 0.05
    assert 0.09 < expected - 1 < 0.1


@pytest.mark.parametrize("engine", ["cpu", "blocked", "foreach"])
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, BF16], ids=["fp64", "fp32", "bf16"])
@pytest.mark.parametrize("maximize", [False, True])
def test_engines_round_with_the_same_bits(engine, dtype, maximize):
    """Float64 averages agree to 1e-15, so all are rounded alike.

    Float32 ones may differ by an ulp, which moves a rounding once in thousands.
    """
    results = []
    for name in ("single", engine):
        torch.manual_seed(2)
        params = [torch.randn(70_003).to(dtype), torch.randn(()).to(dtype), torch.zeros(0, dtype=dtype),
                  torch.randn(6, 5, 4, 4).to(dtype, memory_format=torch.channels_last)]  # fmt: skip
        optimizer = alto(params, maximize=maximize)
        with forced(name):
            for _ in range(3):
                for p in params:
                    p.grad = torch.randn_like(p)
                optimizer.step()
        results.append([optimizer.state[p]["slow_avg"] for p in params] + params)
    for x, y in zip(*results, strict=True):
        assert x.dtype is y.dtype
        assert x.stride() == y.stride()
        unlike = (x != y).float().mean().item() if x.numel() else 0.0
        assert unlike <= (0 if dtype is torch.float64 and x.dtype is BF16 else 2e-3 if x.dtype is BF16 else 1)
        torch.testing.assert_close(x, y, rtol=2**-7 if x.dtype is BF16 else 1e-5, atol=1e-5)


@pytest.mark.parametrize("engine", ENGINES)
def test_steps_differ_from_full_precision_only_by_the_rounding(engine):
    """One step reads an average of zero, so u is exact; later the average is within two of its ulps."""
    ours, full = matrices(), matrices()
    a, b = alto(ours), ALTO(full, foreach=False)
    with forced(engine):
        run(a, ours, 1)
        run(b, full, 1)
        for p, q in zip(ours, full, strict=True):
            torch.testing.assert_close(p, q)
        run(a, ours, range(1, 4))
        run(b, full, range(1, 4))
    for p, q in zip(ours, full, strict=True):
        h, exact = (o.state[x]["slow_avg"].float() for o, x in ((a, p), (b, q)))
        assert not torch.equal(h, exact)
        torch.testing.assert_close(h, exact, rtol=4 * 2**-7, atol=1e-3)


@pytest.mark.parametrize("engine", ENGINES)
def test_the_number_of_threads_changes_no_bits(engine):
    def stepped(threads):
        torch.set_num_threads(threads)
        try:
            torch.manual_seed(5)
            param = torch.randn(300_001, dtype=torch.float64)
            optimizer = alto([param])
            param.grad = torch.randn_like(param)
            with forced(engine):
                optimizer.step()
            return optimizer.state[param]["slow_avg"]
        finally:
            torch.set_num_threads(1)

    assert torch.equal(stepped(1), stepped(3))


def test_bits_hang_on_the_place_in_the_optimizer_and_not_on_the_other_gradients():
    """The same number in two places is rounded differently; a gradient that is missing elsewhere changes nothing."""

    def averages(alone):
        params = [nn.Parameter(torch.ones(1000)) for _ in range(3)]
        optimizer = alto([{"params": params[:2]}, {"params": params[2:]}])
        for p in params[2:] if alone else params:
            p.grad = torch.full((1000,), 1.1)
        optimizer.step()
        return [optimizer.state[p]["slow_avg"] for p in (params[2:] if alone else params)]

    first, second, third = averages(alone=False)
    for x, y in ((first, second), (first, third), (second, third)):
        assert not torch.equal(x, y)
    assert torch.equal(averages(alone=True)[0], third)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, BF16], ids=["fp64", "fp32", "bf16"])
def test_a_resumed_run_is_the_unbroken_one_bit_for_bit(dtype):
    params = matrices(dtype=dtype)
    optimizer = alto(params)
    run(optimizer, params, 3)
    file = io.BytesIO()
    torch.save(optimizer.state_dict(), file)
    file.seek(0)
    saved = torch.load(file, weights_only=True)
    copies = [nn.Parameter(p.detach().clone()) for p in params]
    other = ALTO(copies)  # its group takes the saved option, as torch's do
    other.load_state_dict(saved)
    clones = [copy.deepcopy(optimizer), pickle.loads(pickle.dumps(optimizer))]
    unbroken = run(optimizer, params, range(3, 6))
    assert equal(unbroken, run(other, copies, range(3, 6)))
    for q in copies:
        assert other.state[q]["slow_avg"].dtype is BF16
        assert other.state[q]["exp_avg"].dtype is torch.promote_types(dtype, torch.float32)
    for clone in clones:
        cloned = [p for group in clone.param_groups for p in group["params"]]
        assert equal(unbroken, run(clone, cloned, range(3, 6)))


def test_a_checkpoint_without_the_option_loads():
    params = matrices()
    optimizer = ALTO(params)
    run(optimizer, params, 2)
    saved = optimizer.state_dict()
    for group in saved["param_groups"]:
        del group["slow_avg_dtype"]
    other = alto(matrices())
    other.load_state_dict(saved)
    assert other.param_groups[0]["slow_avg_dtype"] is None
    run(other, [p for group in other.param_groups for p in group["params"]], 1)


def test_the_option_is_a_groups_and_an_average_keeps_the_dtype_that_it_began_with():
    first, second = matrices()
    optimizer = ALTO([{"params": [first], "slow_avg_dtype": BF16}, {"params": [second]}])
    run(optimizer, [first, second], 1)
    assert [optimizer.state[p]["slow_avg"].dtype for p in (first, second)] == [BF16, torch.float32]
    optimizer.param_groups[1]["slow_avg_dtype"] = BF16
    run(optimizer, [first, second], range(1, 2))
    assert optimizer.state[second]["slow_avg"].dtype is torch.float32
    optimizer.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    assert optimizer.state[second]["slow_avg"].dtype is BF16
    run(optimizer, [first, second], range(2, 3))


def test_no_bits_are_drawn_without_the_option():
    params = matrices(2, BF16) + matrices(1)
    with mock.patch.object(_rounding, "random_bits") as drawn:
        for engine in ENGINES:
            for make in (ALTO, LAMB):
                with forced(engine):
                    run(make(params), params, 2)
    drawn.assert_not_called()


def test_a_step_never_reads_from_the_device():
    for options in ({"foreach": True}, {"foreach": False}, {"capturable": True}):
        params = [nn.Parameter(torch.ones(3, 2, device="meta")), nn.Parameter(torch.ones(5, device="meta"))]
        optimizer = alto(params, **options)
        for p in params:
            p.grad = torch.ones_like(p)
        optimizer.step()
        assert optimizer.state[params[0]]["slow_avg"].dtype is BF16


def test_the_rule_compiles_into_one_graph():
    from alto.engines import foreach

    eager, compiled = (tensors([40, 3], torch.float64, steps=[2], slow=BF16) for _ in range(2))
    foreach.alto_step_(eager, PAPER, 0.1, identity, capturable=True)
    torch.compile(foreach.alto_step_, backend="aot_eager", fullgraph=True)(
        compiled, PAPER, 0.1, identity, capturable=True
    )
    for x, y in zip(eager.slow_avgs + eager.params, compiled.slow_avgs + compiled.params, strict=True):
        torch.testing.assert_close(x, y, rtol=1e-14 if x.dtype is torch.float64 else 0, atol=0)


def test_complex_parameters_are_refused_before_anything_moves():
    params = [*matrices(1), *matrices(1, torch.complex64)]
    optimizer = alto(params)
    with pytest.raises(
        RuntimeError, match=r"slow_avg_dtype = torch\.bfloat16 with a parameter of dtype torch\.complex"
    ):
        run(optimizer, params, 1)
    assert equal(params, [*matrices(1), *matrices(1, torch.complex64)])


def test_gradients_stay_the_users_own():
    params = matrices()
    optimizer = alto(params)
    grads = gradients(params, 0)
    for p, g in zip(params, grads, strict=True):
        p.grad = g.clone()
    optimizer.step()
    assert equal([p.grad for p in params], grads)
