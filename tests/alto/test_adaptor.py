"""E around every torch base: what it computes, and that it leaves the base's contract as it is."""

import copy

import pytest
import torch
from torch import nn
from torch.optim.optimizer import register_optimizer_step_pre_hook

from alto import ALTO, ESGD, LAMB, E, EAdam, EAdamW
from tests.alto.zoo import BASES, equal, gradients, matrices, run


@pytest.fixture(params=BASES, ids=str)
def base(request):
    return BASES[request.param]


def by_hand(base, params, alpha, beta1, steps):
    """The paper's Algorithm 5 with its two buffers, around the bare base."""
    optimizer = base(params)
    a = [torch.zeros_like(p) for p in params]
    previous = [torch.zeros_like(p) for p in params]
    for step in range(steps):
        for i, (p, g) in enumerate(zip(params, gradients(params, step), strict=True)):
            a[i] = beta1 * a[i] + (1 - beta1) * (g - previous[i])
            previous[i] = g
            p.grad = g + alpha * a[i]
        optimizer.step()
    return [p.detach().clone() for p in params]


@pytest.mark.parametrize(("alpha", "beta1"), [(-5.0, 0.9), (0.5, 0.01), (-0.9, 0.0), (3.0, 0.7)])
def test_is_the_literal_two_buffer_algorithm(base, alpha, beta1):
    params = matrices(dtype=torch.float64)
    ours = run(E(base(params), alpha, beta1), params, 6)
    literal = by_hand(base, matrices(dtype=torch.float64), alpha, beta1, 6)
    # Muon computes its orthogonalisation in bfloat16: there a last digit of u can become 1e-3 of the step
    tolerance = {"atol": 1e-3, "rtol": 1e-2} if "Muon" in repr(base(matrices())) else {"atol": 1e-12, "rtol": 1e-11}
    for x, y in zip(ours, literal, strict=True):
        torch.testing.assert_close(x, y, **tolerance)


def test_alpha_zero_is_the_base_bit_for_bit_and_keeps_nothing(base):
    wrapped, bare = matrices(), matrices()
    optimizer = E(base(wrapped), alpha=0.0)
    bare_optimizer = base(bare)
    assert equal(run(optimizer, wrapped, 5), run(bare_optimizer, bare, 5))
    for p, q in zip(wrapped, bare, strict=True):
        assert optimizer.state[p].keys() == bare_optimizer.state[q].keys()


def test_differs_from_the_base_otherwise(base):
    wrapped, bare = matrices(), matrices()
    run(E(base(wrapped), alpha=-9.0, beta1=0.9), wrapped, 8)  # strong enough to turn a sign, all that Rprop sees
    run(base(bare), bare, 8)
    assert not equal(wrapped, bare)


def test_state_is_the_bases_own_and_one_key_more(base):
    params = matrices()
    inner = base(params)
    optimizer = E(inner)
    run(optimizer, params, 1)
    bare = matrices()
    bare_optimizer = base(bare)
    run(bare_optimizer, bare, 1)
    assert optimizer.state is inner.state
    assert optimizer.param_groups is inner.param_groups
    for p, q in zip(params, bare, strict=True):
        assert optimizer.state[p].keys() - bare_optimizer.state[q].keys() == {"explore_slow_avg"}
        assert bare_optimizer.state[q].keys() <= optimizer.state[p].keys()


def test_loads_a_checkpoint_of_the_bare_base_and_the_base_loads_ours(base):
    params = matrices()
    bare = base(params)
    run(bare, params, 3)
    saved = copy.deepcopy(bare.state_dict())
    wrapped = E(base(params), alpha=-2.0, beta1=0.7)
    wrapped.load_state_dict(saved)
    assert wrapped.param_groups[0]["explore_alpha"] == -2.0
    run(wrapped, params, range(3, 5))
    assert all("explore_slow_avg" in wrapped.state[p] for p in params)
    bare.load_state_dict(wrapped.state_dict())
    run(bare, params, range(5, 6))


def test_the_gradient_is_the_users_own_also_when_the_base_raises():
    class Broken(torch.optim.SGD):
        def step(self, closure=None):
            raise RuntimeError("broken base")

    params = matrices()
    optimizer = E(Broken(params, 0.1))
    grads = gradients(params, 0)
    copies = [g.clone() for g in grads]
    for p, g in zip(params, grads, strict=True):
        p.grad = g
    with pytest.raises(RuntimeError, match="broken base"):
        optimizer.step()
    for p, g, c in zip(params, grads, copies, strict=True):
        assert p.grad is g
        assert torch.equal(g, c)
    assert all("explore_slow_avg" not in optimizer.state.get(p, {}) for p in params)


class Late(torch.optim.Optimizer):
    """A base that makes its state in its second step, and checks for it in one of the two usual ways."""

    def __init__(self, params, new, raises=()):
        super().__init__(params, {"lr": 0.1})
        self.new, self.raises, self.calls = new, raises, 0

    def step(self, closure=None):
        self.calls += 1
        if self.calls in self.raises:
            raise RuntimeError("broken base")
        for p in self.param_groups[0]["params"] if self.calls > 1 else ():
            if self.new(self.state, p):
                self.state[p]["sum"] = torch.zeros_like(p)
            self.state[p]["sum"] += p.grad


@pytest.mark.parametrize(
    "new", [lambda state, p: len(state[p]) == 0, lambda state, p: p not in state], ids=["empty state", "no state"]
)
@pytest.mark.parametrize("raises", [(), (2,)], ids=["", "a step fails"])
def test_a_base_that_makes_its_state_later(new, raises):
    w = nn.Parameter(torch.zeros(3, dtype=torch.float64))
    optimizer = E(Late([w], new, raises), alpha=-5.0, beta1=0.9)
    h = expected = 0.0
    for k in range(1, 6):
        w.grad = torch.full((3,), float(k), dtype=torch.float64)
        if k in raises:
            with pytest.raises(RuntimeError, match="broken base"):
                optimizer.step()
        else:
            optimizer.step()
            expected += 0.5 * k + 0.5 * h if k > 1 else 0.0
            h += 0.1 * (k - h)
        assert optimizer.state[w]["explore_slow_avg"][0].item() == pytest.approx(h)
    assert optimizer.state[w]["sum"][0].item() == pytest.approx(expected)


def test_global_hooks_are_back_when_the_base_raises():
    class Broken(torch.optim.SGD):
        def step(self, closure=None):
            raise RuntimeError("broken base")

    seen = []
    handle = register_optimizer_step_pre_hook(lambda o, *_: seen.append(o))
    try:
        params = matrices()
        optimizer = E(Broken(params, 0.1))
        params[0].grad = torch.ones_like(params[0])
        with pytest.raises(RuntimeError, match="broken base"):
            optimizer.step()
        plain = torch.optim.SGD(matrices(), 0.1)
        plain.step()
    finally:
        handle.remove()
    assert seen == [optimizer, plain]


def test_hooks_on_the_base_itself_fire_too():
    params = matrices()
    inner = torch.optim.SGD(params, 0.1)
    seen = []
    inner.register_step_pre_hook(lambda o, *_: seen.append(o))
    run(E(inner), params, 2)
    assert seen == [inner, inner]


def test_exploration_per_group():
    params = matrices()
    inner = torch.optim.SGD([{"params": [params[0]], "explore_alpha": 0.0}, {"params": [params[1]]}], 0.1)
    optimizer = E(inner, alpha=-5.0, beta1=0.9)
    run(optimizer, params, 3)
    bare = matrices()
    run(torch.optim.SGD(bare, 0.1), bare, 3)
    assert torch.equal(params[0], bare[0])
    assert not torch.equal(params[1], bare[1])
    assert not optimizer.state.get(params[0])


def test_a_group_added_to_the_base_itself_explores():
    first, second = matrices()
    inner = torch.optim.SGD([first], 0.1)
    optimizer = E(inner, alpha=-5.0, beta1=0.9)
    inner.add_param_group({"params": [second]})
    run(optimizer, [first, second], 1)
    assert "explore_slow_avg" in optimizer.state[second]


def test_alpha_may_be_scheduled_through_zero():
    params = matrices()
    optimizer = E(torch.optim.SGD(params, 0.1), alpha=-5.0, beta1=0.9)
    run(optimizer, params, 2)
    optimizer.param_groups[0]["explore_alpha"] = 0.0
    before = [p.detach().clone() for p in params]
    run(optimizer, params, range(2, 3))
    for p, b, g in zip(params, before, gradients(params, 2), strict=True):
        torch.testing.assert_close(p.detach(), b - 0.1 * g)
    # the slow average went on meanwhile: it is that of all three gradients
    expected = sum(0.9 ** (2 - k) * 0.1 * gradients(params, k)[0] for k in range(3))
    torch.testing.assert_close(optimizer.state[params[0]]["explore_slow_avg"], expected)


def test_methods_of_the_base_are_reached():
    class Moody(torch.optim.SGD):
        mood = "none"

        def train(self):
            self.mood = "train"

    inner = Moody(matrices(), 0.1)
    optimizer = E(inner)
    optimizer.train()
    assert inner.mood == "train"
    assert not hasattr(optimizer, "no_such_thing")
    assert not optimizer._step_supports_amp_scaling


def test_a_fused_base_does_not_make_e_claim_to_unscale():
    optimizer = EAdamW(matrices(), fused=True)
    assert optimizer.base._step_supports_amp_scaling
    assert not optimizer._step_supports_amp_scaling


@pytest.mark.parametrize("wrap", [E, lambda b: E(b, alpha=0.0)], ids=["alpha=-5", "alpha=0"])
def test_refuses_double_wrapping(wrap):
    with pytest.raises(TypeError, match="explores already"):
        wrap(E(torch.optim.SGD(matrices(), 0.1)))
    with pytest.raises(TypeError, match="explores already"):
        wrap(ALTO(matrices()))
    wrap(ALTO(matrices(), alpha=0.0))


def test_refuses_what_is_no_base():
    with pytest.raises(TypeError, match=r"must be a torch\.optim\.Optimizer instance"):
        E(torch.optim.SGD)
    with pytest.raises(TypeError, match="needs a closure"):
        E(torch.optim.LBFGS(matrices()))


def test_around_lamb_is_alto():
    one, other = matrices(dtype=torch.float64), matrices(dtype=torch.float64)
    run(E(LAMB(one, lr=0.1), alpha=-5.0, beta1=0.9), one, 8)
    run(ALTO(other, lr=0.1, alpha=-5.0, beta1=0.9), other, 8)
    for a, b in zip(one, other, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-13, atol=1e-13)


def test_around_sgd_is_quasi_hyperbolic_momentum():
    """QHM (Ma and Yarats 2019): theta -= lr ((1 - nu) g + nu h), h the average that includes g; nu = c / beta1."""
    beta1, alpha, lr = 0.9, -4.0, 0.1
    nu = -alpha * (1 - beta1) / beta1
    params = matrices(dtype=torch.float64)
    theta = [p.detach().clone() for p in params]
    h = [torch.zeros_like(t) for t in theta]
    run(ESGD(params, lr, alpha=alpha, beta1=beta1, momentum=0.0), params, 10)
    for step in range(10):
        for i, g in enumerate(gradients(params, step)):
            h[i] = beta1 * h[i] + (1 - beta1) * g
            theta[i] = theta[i] - lr * ((1 - nu) * g + nu * h[i])
    for p, t in zip(params, theta, strict=True):
        torch.testing.assert_close(p.detach(), t, rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize(
    ("variant", "bare"),
    [
        (ESGD, lambda p: torch.optim.SGD(p, momentum=0.9)),
        (EAdam, lambda p: torch.optim.Adam(p, betas=(0.9, 0.99))),
        (EAdamW, lambda p: torch.optim.AdamW(p, betas=(0.9, 0.99))),
    ],
    ids=["ESGD", "EAdam", "EAdamW"],
)
def test_variants_are_e_over_torchs_own(variant, bare):
    ours, theirs, plain = matrices(), matrices(), matrices()
    assert equal(run(variant(ours), ours, 4), run(E(bare(theirs)), theirs, 4))
    assert equal(run(variant(plain, alpha=0.0), plain, 4), run(bare(matrices_again := matrices()), matrices_again, 4))


def test_a_recorded_step_can_be_differentiated():
    """d(theta after two steps)/d(lr) through E over a differentiable SGD, against its closed form."""
    lr = torch.tensor(0.1, dtype=torch.float64, requires_grad=True)
    theta0 = torch.tensor([1.0, 2.0], dtype=torch.float64)
    theta = theta0.clone().requires_grad_(True)
    param = theta.clone()  # no leaf: the step writes into the graph
    inner = torch.optim.SGD([param], lr=lr, differentiable=True)
    optimizer = E(inner, alpha=-5.0, beta1=0.9)
    c = 0.5
    param.grad = param.detach().clone()
    optimizer.step()
    param.sum().backward()
    torch.testing.assert_close(lr.grad, -(1 - c) * theta0.sum())


def test_half_precision_parameters_have_a_float32_average_also_after_a_load():
    params = matrices(dtype=torch.bfloat16)
    optimizer = E(torch.optim.SGD(params, 0.01, momentum=0.9))
    run(optimizer, params, 3)
    average = optimizer.state[params[0]]["explore_slow_avg"]
    assert average.dtype is torch.float32
    assert not torch.equal(average, average.bfloat16().float())
    saved = copy.deepcopy(optimizer.state_dict())
    resumed = [nn.Parameter(p.detach().clone()) for p in params]
    other = E(torch.optim.SGD(resumed, 0.01, momentum=0.9))
    other.load_state_dict(saved)
    assert torch.equal(other.state[resumed[0]]["explore_slow_avg"], average)
    assert equal(run(optimizer, params, range(3, 6)), run(other, resumed, range(3, 6)))


@pytest.mark.parametrize("number", [1e30, float("inf"), float("nan")])
def test_a_gradient_that_a_hook_of_the_base_refuses_leaves_no_trace(number):
    results = []
    for refuses in (True, False):
        params = matrices()
        optimizer = E(torch.optim.SGD(params, lr=0.1), alpha=0.5, beta1=0.9)

        def refuse(base, *_, params=params):
            if not all(p.grad.abs().max() < 1e20 for p in params):
                raise FloatingPointError

        optimizer.base.register_step_pre_hook(refuse)
        run(optimizer, params, 3)
        if refuses:
            params[0].grad = torch.full_like(params[0], number)
            with pytest.raises(FloatingPointError):
                optimizer.step()
        results.append(run(optimizer, params, range(3, 6)))
    assert equal(*results)


def test_a_base_that_fails_after_it_has_changed_its_gradients_leaves_the_averages():
    class Clipping(torch.optim.SGD):
        def step(self, closure=None):
            for p in params:
                p.grad.zero_()
            raise MemoryError

    params = matrices()
    optimizer = E(Clipping(params, lr=0.1), alpha=0.5, beta1=0.0)
    with pytest.raises(MemoryError):
        run(optimizer, params, 1)
    optimizer.base.__class__ = torch.optim.SGD
    run(optimizer, params, 1)
    before = [optimizer.state[p]["explore_slow_avg"].clone() for p in params]
    optimizer.base.__class__ = Clipping
    with pytest.raises(MemoryError):
        run(optimizer, params, range(1, 2))
    assert equal([optimizer.state[p]["explore_slow_avg"] for p in params], before)


def test_a_gradient_that_no_longer_fits_its_parameter_is_named():
    param = nn.Parameter(torch.ones(4, 5))
    optimizer = E(torch.optim.SGD([param], lr=0.1))
    run(optimizer, [param], 1)
    param.grad = torch.ones(4, 5)
    param.grad.data = torch.ones(7)
    with pytest.raises(RuntimeError, match=r"the gradient of parameter 0 .*has shape \(7,\), the parameter \(4, 5\)"):
        optimizer.step()


@pytest.mark.parametrize("start", ["zero", "corrected"])
@pytest.mark.parametrize("beta1", [0.0, 0.01, 0.9])
@pytest.mark.parametrize("failing", [1, 3])
def test_a_base_that_fails_may_be_stepped_again(failing, beta1, start):
    """As after an allocation that failed: the slow averages are those before the step."""

    class Failing(torch.optim.SGD):
        calls = 0

        @torch.no_grad()
        def step(self, closure=None):
            self.calls += 1
            if self.calls == failing:
                raise MemoryError
            return super().step(closure)

    results = []
    for base in (Failing, torch.optim.SGD):
        params = matrices()
        optimizer = E(base(params, lr=0.1), alpha=0.5, beta1=beta1, start=start)
        run(optimizer, params, failing - 1)
        if base is Failing:
            with pytest.raises(MemoryError):
                run(optimizer, params, range(failing - 1, failing))
            assert equal([p.grad for p in params], gradients(params, failing - 1))
        results.append(run(optimizer, params, range(failing - 1, 5)))
    for found, expected in zip(*results, strict=True):
        torch.testing.assert_close(found, expected)
