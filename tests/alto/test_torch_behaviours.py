"""What PyTorch's own tests expect of every torch optimizer, in our words, for each of ours in each engine."""

import pytest
import torch
from torch import nn
from torch.optim.lr_scheduler import (
    CosineAnnealingWarmRestarts,
    CyclicLR,
    LambdaLR,
    OneCycleLR,
    ReduceLROnPlateau,
    SequentialLR,
    StepLR,
)

from alto import ALTO, ESGD, LAMB, E, EAdam, EAdamW
from tests.alto.zoo import ALL, equal, gradients, matrices, run

CLASSES = [ALTO, LAMB, ESGD, EAdam, EAdamW]


@pytest.fixture(params=ALL, ids=str)
def make(request):
    return ALL[request.param]


@pytest.fixture(params=[name for name in ALL if name != "E-Muon"], ids=str)
def make_any(request):
    """Without Muon, which takes matrices only."""
    return ALL[request.param]


def a_model(dtype=torch.float32):
    torch.manual_seed(1)
    return nn.Sequential(nn.Linear(2, 3), nn.Sigmoid(), nn.Linear(3, 1), nn.Sigmoid()).to(dtype)


def descend(optimizer, params, steps=20, schedulers=()):
    """The loss of a small least-squares problem before and after."""
    x = torch.linspace(-1, 1, params[0].shape[1])

    def loss():
        return (params[0] @ x + params[1].flatten()).pow(2).sum()

    first = loss().item()
    for _ in range(steps):
        optimizer.zero_grad()
        value = loss()
        value.backward()
        optimizer.step()
        for scheduler in schedulers:
            scheduler.step(*([value.detach()] if isinstance(scheduler, ReduceLROnPlateau) else []))
    return first, loss().item()


def two(contiguous=True):
    """A weight and a bias (as a column, which Muon takes); ``contiguous=False``: in every second number."""
    torch.manual_seed(0)
    shapes = [(10, 5), (10, 1)]
    if contiguous:
        return [nn.Parameter(torch.randn(shape)) for shape in shapes]
    return [nn.Parameter(torch.randn(*shape, 2)[..., 0]) for shape in shapes]


SCHEDULERS = {
    "none": lambda o: [],
    "two": lambda o: [StepLR(o, 10, gamma=0.9), ReduceLROnPlateau(o)],
    "one-cycle": lambda o: [OneCycleLR(o, 0.1, total_steps=30)],
    "cyclic": lambda o: [CyclicLR(o, 1e-3, 0.05, step_size_up=5)],
    "sequence": lambda o: [SequentialLR(o, [LambdaLR(o, lambda k: k / 5), CosineAnnealingWarmRestarts(o, 20)], [5])],
}


@pytest.mark.parametrize("schedulers", SCHEDULERS)
def test_the_loss_falls_under_schedulers(make, schedulers):
    params = two()
    optimizer = make(params, lr=0.01)
    first, last = descend(optimizer, params, schedulers=SCHEDULERS[schedulers](optimizer))
    assert last < first


@pytest.mark.parametrize("name", [name for name in ALL if name != "EAdamW-fused"])  # torch's fused AdamW ascends there
def test_the_loss_falls_without_contiguous_memory(name):
    params = two(contiguous=False)
    first, last = descend(ALL[name](params, lr=0.01), params)
    assert last < first


def test_the_loss_rises_with_maximize(make_any):
    params = two()
    first, last = descend(make_any(params, lr=0.01, maximize=True), params)
    assert last > first


@pytest.mark.parametrize("tensor", [False, True], ids=["number", "tensor"])
def test_a_group_of_rate_0_stays_beside_one_that_moves(make, tensor):
    params, still = two(), nn.Parameter(torch.ones(2, 2))
    before = still.detach().clone()
    kind = torch.tensor if tensor else float
    try:
        optimizer = make([{"params": params, "lr": kind(0.01)}, {"params": [still], "lr": kind(1e-28)}])
    except ValueError as error:
        assert "Tensor" in str(error)  # noqa: PT017
        return
    still.grad = torch.rand(2, 2)
    first, last = descend(optimizer, params)
    assert last < first
    assert torch.equal(still, before)


def test_groups_are_as_many_optimizers(make):
    one, many = matrices(3), matrices(3)
    whole = make([{"params": one[:1], "lr": 0.01}, {"params": one[1:], "lr": 0.1}])
    parts = [make(many[:1], lr=0.01), make(many[1:], lr=0.1)]
    for step in range(3):
        for params in (one, many):
            for p, g in zip(params, gradients(params, step), strict=True):
                p.grad = g
        whole.step()
        for part in parts:
            part.step()
    bits = isinstance(whole, ALTO) and whole.defaults["slow_avg_dtype"]  # random bits follow from the place
    for p, q in zip(one, many, strict=True):
        torch.testing.assert_close(p, q, rtol=1e-2 if bits else 1e-6, atol=1e-3 if bits else 1e-7)


# In half precision torch's own engines differ by more than a rounding, and with them E around its optimizers.
DTYPES = [
    *((cls, torch.float64, default) for cls in CLASSES for default in (torch.float64, torch.float16)),
    *((cls, torch.float32, torch.float32) for cls in CLASSES),
    *((cls, half, torch.float32) for cls in (ALTO, LAMB) for half in (torch.float16, torch.bfloat16)),
]


@pytest.mark.parametrize(("cls", "dtype", "default"), DTYPES, ids=lambda x: getattr(x, "__name__", str(x)))
@pytest.mark.parametrize("flag", ["foreach", "fused"])
@pytest.mark.parametrize("options", [{}, {"weight_decay": 0.1, "maximize": True}], ids=["plain", "decay-maximize"])
def test_engines_agree_while_gradients_come_and_go(cls, flag, dtype, default, options):
    """Also the states; a 0-dim parameter is among them, a step finds no gradient, and a layer is frozen for two."""
    torch.set_default_dtype(default)
    try:
        models, optimizers = [], []
        for value in (False, True):
            models.append(a_model(dtype))
            scalar = nn.Parameter(torch.full((), 0.5, dtype=dtype))
            scalar.grad = torch.full_like(scalar, 0.25)
            models[-1].register_parameter("scalar", scalar)
            optimizers.append(cls(models[-1].parameters(), **{flag: value}, **options))
        x = torch.linspace(0.1, 0.6, 6, dtype=dtype).view(3, 2)
        for step in range(7):
            for model, optimizer in zip(models, optimizers, strict=True):
                optimizer.zero_grad()
                model[2].requires_grad_(step not in (3, 4))
                if step != 2:
                    model(x).sum().backward()
                optimizer.step()
            for p, q in zip(*(model.parameters() for model in models), strict=True):
                torch.testing.assert_close(p, q)
                ours, theirs = (o.state.get(x, {}) for o, x in zip(optimizers, (p, q), strict=True))
                assert ours.keys() == theirs.keys()
                for key in ours:
                    torch.testing.assert_close(ours[key], theirs[key], check_dtype=key != "step")
                if "step" in ours and not issubclass(cls, E):
                    assert ours["step"].dtype is (torch.float64 if default is torch.float64 else torch.float32)
    finally:
        torch.set_default_dtype(torch.float32)


@pytest.mark.parametrize("cls", CLASSES, ids=lambda c: c.__name__)
def test_fused_parameters_on_meta_are_refused_and_memory_may_come_later(cls):
    with torch.device("meta"):
        model = nn.Linear(2, 3)
    optimizer = cls(model.parameters(), fused=True)
    for p in model.parameters():
        p.grad = torch.empty_like(p)
    with pytest.raises(RuntimeError, match="`fused=True` requires all the params to be floating point Tensors"):
        optimizer.step()
    optimizer.zero_grad()
    model.to_empty(device="cpu")
    optimizer.step()
    assert not any(optimizer.state.values())


def test_without_gradients_a_step_returns_the_closures_value_and_no_more(make):
    params = [torch.ones(2, 3), torch.ones(2, 3)]
    optimizer = make(params)
    assert optimizer.step(lambda: torch.tensor([1.0])) == 1
    assert not optimizer.state
    assert equal(params, [torch.ones(2, 3)] * 2)


ERRORS = {
    "a tensor": (lambda p: (p[0], {}), TypeError, "should be an iterable of Tensors or dicts"),
    "no tensors": (lambda p: ([1.0], {}), TypeError, "can only optimize Tensors"),
    "empty": (lambda p: ([], {}), ValueError, "empty parameter list"),
    "twice": (lambda p: ([{"params": p[0]}, {"params": p[0]}], {}), ValueError, "more than one parameter group"),
    "no leaf": (lambda p: ([p[0] * 2], {}), ValueError, "non-leaf Tensor"),
    "rates": (lambda p: (None, {"lr": torch.ones(2)}), ValueError, "Tensor lr must be 1-element"),
    "some names": (lambda p: ([("w", p[0]), p[1]], {}), ValueError, "with/without names. Some param names are missing"),
    "names in a group": (
        lambda p: ([{"params": p[:1]}, {"params": [("w", p[1])]}], {}),
        ValueError,
        "cannot add param group with names to the optimizer",
    ),
    "a set": (lambda p: ([{"params": set(p)}], {}), TypeError, "ordered collections"),
    "an option": (lambda p: (p, {"nonsense": 1}), TypeError, "unexpected keyword argument 'nonsense'"),
}


@pytest.mark.parametrize("cls", CLASSES, ids=lambda c: c.__name__)
@pytest.mark.parametrize("case", ERRORS)
def test_wrong_arguments_get_torchs_error(cls, case):
    arguments, error, message = ERRORS[case]
    params, options = arguments(matrices())
    with pytest.raises(error, match=message):
        cls(params, **options)


@pytest.mark.parametrize(
    "options", [{"betas": (1.0, 0.0)}, {"eps": -1.0}, {"lr": -0.1}, {"weight_decay": -1.0}], ids=str
)
@pytest.mark.parametrize(("cls", "base"), [(EAdam, torch.optim.Adam), (EAdamW, torch.optim.AdamW)])
def test_a_variant_says_what_its_base_says(cls, base, options):
    with pytest.raises(ValueError, match="Invalid") as theirs:
        base(matrices(), **options)
    with pytest.raises(ValueError, match="Invalid") as ours:
        cls(None, **options)
    assert str(ours.value) == str(theirs.value)


def test_is_printed_with_its_options(make):
    assert f"lr: {make(matrices(), lr=0.125).param_groups[0]['lr']}" in repr(make(matrices(), lr=0.125))


@pytest.mark.parametrize("options", [{}, {"maximize": True, "weight_decay": 0.1}], ids=["plain", "decay-maximize"])
@pytest.mark.parametrize(
    "name", [name for name in ALL if "fused" not in name and "Muon" not in name and "NAdam" not in name]
)
def test_complex_and_real_parameters_together(name, options):
    torch.manual_seed(0)
    shapes = [(10, 5), (10,), ()]
    mixed = [torch.randn(s, dtype=torch.complex64, requires_grad=True) for s in shapes]
    mixed.append(torch.randn(10, 5, requires_grad=True))
    if "bfloat16" in name:
        with pytest.raises(RuntimeError, match="no complex numbers in bfloat16"):
            run(ALL[name](mixed, **options), mixed, 1)
        return
    real = [torch.view_as_real(p).detach().clone() if p.is_complex() else p.detach().clone() for p in mixed]
    one, other = ALL[name](mixed, **options), ALL[name]([p.requires_grad_() for p in real], **options)
    for _ in range(3):
        for p, q in zip(mixed, real, strict=True):
            q.grad = torch.randn_like(q)
            p.grad = torch.view_as_complex(q.grad) if p.is_complex() else q.grad
        one.step()
        other.step()
        for p, q in zip(mixed, real, strict=True):
            torch.testing.assert_close(torch.view_as_real(p) if p.is_complex() else p, q)


@pytest.mark.parametrize("layerwise", [True, False], ids=["layerwise", "plain"])
@pytest.mark.parametrize("alpha", [-5.0, 0.0])
def test_a_differentiable_step_has_the_right_derivatives(layerwise, alpha):
    """Of the new parameter and averages, in the old ones and the gradient."""
    torch.manual_seed(0)
    keys = ["exp_avg", "exp_avg_sq", "slow_avg"][: 3 if alpha else 2]
    tensors = [torch.rand(4, dtype=torch.float64) + 0.1 for _ in range(2 + len(keys))]

    def step(p, grad, *averages):
        p = p.clone()
        p.grad = grad
        optimizer = ALTO([p], lr=0.3, alpha=alpha, layerwise=layerwise, weight_decay=0.1, differentiable=True)
        state = {key: average.clone() for key, average in zip(keys, averages, strict=True)}
        optimizer.state[p] = {"step": torch.tensor(10.0, dtype=torch.float64), **state}
        optimizer.step()
        return p, *(optimizer.state[p][key] for key in keys)

    assert torch.autograd.gradcheck(step, [t.requires_grad_() for t in tensors])
