"""Every engine against the paper's literal algorithms, in float64, on inputs drawn by hypothesis."""

from functools import partial
from unittest import mock

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from alto import ALTO, ESGD, EAdam
from alto.engines import cpu, single
from tests.alto.zoo import forced
from theory.method import algorithms as literal

SHAPES = st.lists(st.sampled_from([(), (1,), (3,), (2, 3), (1, 4, 2), (0,)]), min_size=1, max_size=3)
BETA = st.floats(0.0, 0.999)


@st.composite
def explorations(draw):
    """(alpha, beta1) over the whole admissible region, its edge left out by 1 %."""
    beta1 = draw(BETA)
    c = draw(st.floats(-0.99, 0.99))
    return -c / (1 - beta1), beta1


@st.composite
def problems(draw):
    """Parameters (some all zero) and, for each of a few steps, a gradient for each or None."""
    shapes = draw(SHAPES)
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    scale = 10.0 ** draw(st.integers(-3, 3))
    theta = [rng.normal(size=shape) * draw(st.sampled_from([0.0, 1.0, 100.0])) for shape in shapes]
    steps = draw(st.integers(1, 6))
    zero = draw(st.floats(0, 0.5))
    grads = [
        [
            None if rng.random() < 0.2 else scale * rng.normal(size=shape) * (rng.random(shape) >= zero)
            for shape in shapes
        ]
        for _ in range(steps)
    ]
    return theta, grads


def by_the_letter(make, problem, lr):
    """Each layer by an algorithm of its own, since a layer without a gradient takes no step."""
    theta, grads = problem
    result = []
    for i, start in enumerate(theta):
        algorithm = make()
        layers = algorithm.init([start.reshape(1, -1)])
        for step in grads:
            if step[i] is not None:
                layers = algorithm.step(layers, [step[i].reshape(1, -1)], lr)
        result.append(layers[0].reshape(start.shape))
    return result


def by_the_library(make, problem):
    theta, grads = problem
    params = [torch.from_numpy(np.array(x)) for x in theta]  # no leaves that require gradients: a step may be recorded
    optimizer = make(params)
    for step in grads:
        for p, g in zip(params, step, strict=True):
            p.grad = None if g is None else torch.from_numpy(np.array(g))
        optimizer.step()
    return [p.numpy() for p in params]


def assert_close(ours, letter, problem):
    size = max([1.0, *(float(np.abs(x).max(initial=0.0)) for x in (*letter, *problem[0]))])
    for x, y in zip(ours, letter, strict=True):
        np.testing.assert_allclose(x, y, rtol=1e-12, atol=1e-12 * size)


# id -> the engine and the options that ask for a path of its own in it
ENGINES = {
    "cpu": ("cpu", {}),
    "blocked": ("blocked", {}),
    "foreach": ("foreach", {}),
    "single": ("single", {}),
    "foreach-capturable": ("foreach", {"capturable": True}),
    "single-capturable": ("single", {"capturable": True}),
    "differentiable": ("single", {"differentiable": True}),
}


@pytest.mark.parametrize("engine", ENGINES)
@given(
    problem=problems(),
    exploration=explorations(),
    betas=st.tuples(BETA, BETA),
    eps=st.tuples(*3 * [st.floats(1e-10, 1.0)]),
    weight_decay=st.sampled_from([0.0, 1e-4, 0.5]),
    bias_correction=st.booleans(),
    layerwise=st.booleans(),
)
def test_alto_is_algorithms_1_and_2(engine, problem, exploration, betas, eps, weight_decay, bias_correction, layerwise):
    alpha, beta1 = exploration
    name, options = ENGINES[engine]
    lr = 0.1

    def letter():
        return literal.ALTO(
            alpha, beta1, *betas, *eps, weight_decay, bias_correction, layerwise, zero_norm_factor_one=True
        )

    def library(params):
        return ALTO(
            params, lr, alpha=alpha, beta1=beta1, betas=betas, eps=eps, weight_decay=weight_decay,
            bias_correction=bias_correction, layerwise=layerwise, **options,
        )  # fmt: skip

    with forced(name):
        ours = by_the_library(library, problem)
    assert_close(ours, by_the_letter(letter, problem, lr), problem)


@given(problem=problems(), exploration=explorations(), beta2=BETA)
def test_esgd_is_algorithm_3(problem, exploration, beta2):
    alpha, beta1 = exploration
    ours = by_the_library(lambda p: ESGD(p, 0.1, alpha=alpha, beta1=beta1, momentum=beta2), problem)
    assert_close(ours, by_the_letter(lambda: literal.ESGD(alpha, beta1, beta2), problem, 0.1), problem)


@given(problem=problems(), exploration=explorations(), betas=st.tuples(BETA, BETA), eps=st.floats(1e-8, 1.0))
def test_eadam_is_algorithm_4(problem, exploration, betas, eps):
    alpha, beta1 = exploration
    ours = by_the_library(lambda p: EAdam(p, 0.1, alpha=alpha, beta1=beta1, betas=betas, eps=eps), problem)
    assert_close(ours, by_the_letter(lambda: literal.EAdam(alpha, beta1, *betas, eps), problem, 0.1), problem)


def test_the_library_departs_from_the_letter_where_a_layer_is_zero():
    """The paper's phi is eps3 there, so the layer would move by about 1e-10 a step."""
    problem = ([np.zeros(3)], [[np.ones(3)]])
    settings = dict(zip(("alpha", "beta1", "beta2", "beta3"), (-5.0, 0.99, 0.9, 0.99), strict=True))
    settings |= {"eps1": 1e-6, "eps2": 1e-6, "eps3": 1e-10, "weight_decay": 0.0}
    settings |= {"bias_correction": True, "layerwise": True}
    frozen = by_the_letter(lambda: literal.ALTO(**settings), problem, 0.1)[0]
    moved = by_the_library(lambda p: ALTO(p, 0.1, weight_decay=0.0), problem)[0]
    assert np.abs(frozen).max() < 1e-10
    assert np.abs(moved).min() > 0.09


@pytest.mark.parametrize("engine", ["cpu", "blocked", "foreach"])
@given(problem=problems(), exploration=explorations())
def test_engines_agree_in_float32(engine, problem, exploration):
    alpha, beta1 = exploration
    theta, grads = problem
    problem = (
        [x.astype(np.float32) for x in theta],
        [[g if g is None else g.astype(np.float32) for g in s] for s in grads],
    )
    results = []
    for name in ("single", engine):
        with forced(name):
            results.append(by_the_library(lambda p: ALTO(p, 0.1, alpha=alpha, beta1=beta1), problem))
    one, many = results
    for x, y in zip(one, many, strict=True):
        assert x.dtype == y.dtype == np.float32
        # m cancels where gradients nearly do: then r keeps fewer digits, in either engine
        np.testing.assert_allclose(x, y, rtol=1e-5, atol=1e-5 * max(1.0, float(np.abs(y).max(initial=0.0))))


@pytest.mark.parametrize("engine", ["cpu", "blocked", "foreach"])
@pytest.mark.parametrize("layout", ["contiguous", "channels_last", "transposed"])
def test_large_tensors_in_any_memory_layout(engine, layout):
    """Larger than a block, so that it is cut; laid out as a convolution or a transposed view may be."""

    def start():
        torch.manual_seed(3)
        x = torch.randn(300, 16, 10, 10, dtype=torch.float64)
        if layout == "channels_last":
            return x.to(memory_format=torch.channels_last)
        return x.transpose(0, 1) if layout == "transposed" else x

    results = []
    for name in ("single", engine):
        with forced(name):
            param = start()
            optimizer = ALTO([param], lr=0.1)
            for step in range(3):
                param.grad = torch.cos(start() + step)  # its layout may differ from the parameter's: here it does not
                if step == 2:
                    param.grad = param.grad.contiguous()
                optimizer.step()
            results.append(param)
    torch.testing.assert_close(results[0], results[1], rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("options", [{}, {"layerwise": False}, {"alpha": 0.0, "maximize": True}], ids=str)
def test_joining_small_tensors_changes_no_bit(options):
    """Sizes around those from which norms are taken by rows; one layer of zeros, one without a gradient at times."""
    shapes = [(), (0,), (16, 3, 3, 3), (32, 32, 3, 3), (8193,), (70_000,), (9216,), (64, 40, 3), (9216,)]
    results = []
    for longest in (0, 1 << 19):
        generator = torch.Generator().manual_seed(5)
        params = [torch.nn.Parameter(torch.randn(shape, generator=generator)) for shape in shapes]
        params[-1].data.zero_()
        with forced("blocked"), mock.patch("alto.engines._joined._LONGEST", longest):
            optimizer = ALTO(params, 0.1, **options)
            for step in range(6):
                for i, param in enumerate(params):
                    param.grad = torch.randn(shapes[i], generator=generator)
                    if i == 3 and step == 2:
                        param.grad = None
                optimizer.step()
        states = [x for param in params for x in optimizer.state[param].values()]
        results.append([*params, *states])
    for one, other in zip(*results, strict=True):
        assert torch.equal(one, other)


def large(dtype, seed=0):
    """More than three threads' worth; sizes around the edges of tiles, rows and chunks, and one beyond all of them."""
    generator = torch.Generator().manual_seed(seed)
    shapes = [(3,), (63,), (64,), (65,), (16_383,), (16_385,), (513, 129), (1_000_003,)]
    return [torch.randn(shape, generator=generator).to(dtype) for shape in shapes]


@pytest.fixture
def threads():
    """Three threads; and how much work the fused engine gave to others than the caller's."""
    handed_over = []
    real = cpu._team()
    if real is None:
        pytest.skip("torch has no OpenMP team here")

    def counting(kernel, job, count, flags):
        handed_over.append(count - 1)
        real(kernel, job, count, flags)

    torch.set_num_threads(3)
    with mock.patch("alto.engines.cpu._team", return_value=counting):
        yield handed_over
    torch.set_num_threads(1)


@pytest.mark.parametrize("engine", ["cpu", "blocked", "foreach"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float64], ids=str)
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    exploration=explorations(),
    betas=st.tuples(BETA, BETA),
    weight_decay=st.sampled_from([0.0, 0.1]),
    bias_correction=st.booleans(),
    layerwise=st.booleans(),
    maximize=st.booleans(),
    seed=st.integers(0, 1000),
)
def test_large_tensors_in_several_threads_are_the_single_step_to_a_few_ulps(
    threads, engine, dtype, exploration, betas, weight_decay, bias_correction, layerwise, maximize, seed
):
    """Parameters and averages after one step of either engine from the same averages, which are not zero.

    m and h are means of numbers of size 1 and v one of squares: a few ulps of 1. With eps1 = 1 so is the step: a small
    one would divide the rounding of m by itself, and that of sqrt(v), where beta3 is small and u cancels, by its
    square.
    """
    alpha, beta1 = exploration
    outcomes = []
    for name in ("single", engine):
        params = large(dtype, seed)
        optimizer = ALTO(
            params, 0.1, alpha=alpha, beta1=beta1, betas=betas, weight_decay=weight_decay, eps=(1.0, 1e-6, 1e-10),
            bias_correction=bias_correction, layerwise=layerwise, maximize=maximize,
        )  # fmt: skip
        for step, stepper in enumerate(("single", name)):
            for p, g in zip(params, large(dtype, 5000 + seed + step), strict=True):
                p.grad = g
            with forced(stepper):
                optimizer.step()
        kept = [[optimizer.state[p].get(key) for key in ("exp_avg", "exp_avg_sq", "slow_avg")] for p in params]
        outcomes.append([(p, *averages) for p, averages in zip(params, kept, strict=True)])
    if engine == "cpu":
        assert set(threads) == {2}
    of_state, of_param = (torch.finfo(x).eps for x in (outcomes[0][0][1].dtype, dtype))
    for (p, *averages), (q, *others) in zip(*outcomes, strict=True):
        way = 0.1 * (1 + p.float().abs().max())
        assert ((p.double() - q.double()).abs() <= of_param * p.double().abs() + 10 * of_state * way).all()
        for x, y in zip(averages, others, strict=True):
            assert (x is None) == (y is None)
            if x is not None:
                assert ((x - y).abs() <= 8 * of_state * (1 + x.abs())).all()


@pytest.mark.parametrize("engine", ["cpu", "blocked", "foreach"])
@pytest.mark.parametrize("transposed", [False, True])
@pytest.mark.parametrize("explores", [False, True])
def test_layers_about_the_limits_of_plain_torch_are_stepped_once(engine, transposed, explores):
    """Below and above 2^17 elements and the largest block; some a multiple of 512; gradients laid out in both ways."""
    outcomes = []
    for name in ("single", engine):
        generator = torch.Generator().manual_seed(0)
        params = [
            torch.randn(shape, generator=generator) for shape in [(8,), (16,), (512, 512), (256, 512), (701, 803)]
        ]
        optimizer = ALTO(params, 0.1, alpha=-5.0 if explores else 0.0, eps=(1.0, 1e-6, 1e-10))
        with forced(name):
            for _ in range(2):
                for p in params:
                    grad = torch.randn(p.shape[::-1], generator=generator).t() if p.dim() == 2 else torch.ones_like(p)
                    p.grad = grad if transposed else grad.contiguous()
                optimizer.step()
        outcomes.append([(p, optimizer.state[p]["exp_avg"], optimizer.state[p]["exp_avg_sq"]) for p in params])
    for ones, others in zip(*outcomes, strict=True):
        for x, y in zip(ones, others, strict=True):
            torch.testing.assert_close(x, y, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
def test_exploring_large_gradients_in_several_threads(dtype, threads):
    results = []
    for engine in (single, cpu):
        slow_avgs = [x.float() for x in large(dtype, 1)]
        us = engine.explore_(large(dtype), slow_avgs, alpha=-5.0, beta1=0.9)
        results.append((us, slow_avgs))
    assert threads == [2]
    for ones, others in zip(*results, strict=True):
        for x, y in zip(ones, others, strict=True):
            assert x.dtype is y.dtype
            assert ((x - y).abs() <= 2 * torch.finfo(x.dtype).eps * (1 + x.abs())).all()


@pytest.mark.parametrize("engine", ["cpu", "blocked", "foreach", "single"])
@pytest.mark.parametrize("options", [{}, {"bias_correction": False}, {"alpha": 0.0}], ids=str)
def test_results_do_not_depend_on_the_number_of_threads(engine, options, threads):
    """The fused engine's bit for bit, the others' beyond the rounding of the norms.

    Either norm is exact to 1e-6 of itself, so an element may differ by 2e-6 of the way that it went, and by its ulps.
    """

    def stepped(count):
        torch.set_num_threads(count)
        params = large(torch.float32)
        ways = [torch.zeros_like(p) for p in params]
        optimizer = ALTO(params, lr=0.1, **options)
        for step in range(3):
            before = [p.clone() for p in params]
            for p, g in zip(params, large(torch.float32, 1 + step), strict=True):
                p.grad = g
            with forced(engine):
                optimizer.step()
            ways = [way + (p - old).abs() for way, p, old in zip(ways, params, before, strict=True)]
        return params, ways

    one, ways = stepped(1)
    assert threads == []
    three, _ = stepped(3)
    assert bool(threads) == (engine == "cpu")
    for x, y, way in zip(one, three, ways, strict=True):
        allowed = 0.0 if engine == "cpu" else 2e-6 * way + 4 * torch.finfo(torch.float32).eps * x.abs()
        assert ((x - y).abs() <= allowed).all()


@pytest.mark.parametrize("engine", ["cpu", "blocked", "foreach", "single"])
def test_norms_of_fifty_million_elements(engine):
    """Equal squares are the worst case of a running sum: each addition is rounded the same way."""
    size = 50_000_000
    seen = []
    param = torch.full((size,), 0.1)
    optimizer = ALTO([param], lr=0.1, alpha=0.0, weight_decay=0.0)
    param.grad = torch.ones(size)
    with (
        forced(engine),
        mock.patch("alto._sharding.whole_norms", return_value=lambda norms: seen.append(norms.clone()) or norms),
    ):
        optimizer.step()
    theta_norm, r_norm = (float(norm) for norm in torch.cat([norms.reshape(2, -1) for norms in seen], 1))
    one = float(torch.tensor(0.1))  # r is 1 / (1 + eps1)
    assert theta_norm == pytest.approx(one * size**0.5, rel=1e-6)
    assert r_norm == pytest.approx(size**0.5 / (1 + 1e-6), rel=1e-6)


@pytest.mark.parametrize("engine", ["cpu", "blocked", "foreach", "single"])
@pytest.mark.parametrize("make", [partial(ALTO, weight_decay=0.0), ESGD], ids=["ALTO", "E"])
def test_averages_that_forget_everything(engine, make):
    """With decay 0 an average *is* the newest number, even after one that is 1e9 times larger."""
    param = torch.zeros(70)
    optimizer = make([param], lr=0.0, alpha=0.5, beta1=0.0, **({"betas": (0.0, 0.0)} if make is not ESGD else {}))
    with forced(engine):
        for size in (1e6, 1e-3):
            param.grad = torch.full_like(param, size)
            optimizer.step()
    slow_avg = optimizer.state[param]["explore_slow_avg" if make is ESGD else "slow_avg"]
    assert torch.equal(slow_avg, torch.full_like(param, 1e-3))


@pytest.mark.parametrize("engine", ["cpu", "blocked", "foreach", "single"])
def test_nothing_to_do_is_no_nan_even_without_eps2_and_eps3(engine):
    """R = 0 and theta = 0: the factor is 1, and not 0 / 0."""
    params = [torch.zeros(3), torch.ones(3)]
    optimizer = ALTO(params, lr=0.1, eps=(1e-8, 0.0, 0.0), weight_decay=0.0)
    for p in params:
        p.grad = torch.zeros(3)
    with forced(engine):
        optimizer.step()
    assert torch.equal(params[0], torch.zeros(3))
    assert torch.equal(params[1], torch.ones(3))


@pytest.mark.parametrize("engine", ["cpu", "blocked", "foreach", "single"])
@pytest.mark.parametrize("size", [3, 600, 200_000])
@pytest.mark.parametrize("weight_decay", [0.0, 0.1])
def test_an_infinite_weight_spoils_no_other_of_its_layer(engine, size, weight_decay):
    """Its norm is no number to divide by: the factor is 1, and the others move as without it."""
    outcomes = []
    for layerwise in (True, False):
        weights = torch.linspace(1, 2, size)
        weights[1] = -torch.inf
        param = weights.clone()
        optimizer = ALTO([param], lr=0.1, weight_decay=weight_decay, layerwise=layerwise)
        with forced(engine):
            for _ in range(3):
                param.grad = torch.ones(size)
                param.grad[1] = 0
                optimizer.step()
        finite = torch.arange(size) != 1
        assert (param[finite] < weights[finite] - 0.1).all()
        assert not param[1].isfinite()
        outcomes.append(param[finite])
    torch.testing.assert_close(*outcomes)
