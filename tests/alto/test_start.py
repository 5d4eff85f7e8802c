"""What a slow average begins with: 0 as in the paper, the first gradient as in Grokfast, or a weighted mean."""

import copy
import pickle

import pytest
import pytorch_optimizer
import torch
from torch import nn

from alto import ESGD, E, EAdam, EAdamW
from alto._base import SLOW_AVG, WEIGHT

ALPHA, BETA1, LR = -5.0, 0.9, 0.1
C, NU = 0.5, 0.5 / 0.9
ENGINES = {"single": {"foreach": False, "fused": False}, "foreach": {"foreach": True, "fused": False}, "default": {}}


def gradients(steps=6, seed=0):
    drawn = torch.Generator().manual_seed(seed)
    return [torch.randn(3, 5, generator=drawn, dtype=torch.float64) for _ in range(steps)]


def stepped(optimizer, w, gs):
    """The steps of SGD over its learning rate, which are the u_k."""
    us = []
    for g in gs:
        before, w.grad = w.detach().clone(), g.clone()
        optimizer.step()
        us.append((before - w.detach()) / LR)
    return us


def started(start, **mixing):
    w = nn.Parameter(torch.zeros(3, 5, dtype=torch.float64))
    return E(torch.optim.SGD([w], lr=LR), ALPHA, BETA1, start=start, **mixing), w


def expected(gs, start):
    """u_k by its formula, with sums over all gradients and no recursion."""
    us = []
    for k, g in enumerate(gs, start=1):
        h = sum((1 - BETA1) * BETA1 ** (k - i) * gs[i - 1] for i in range(1, k + 1))
        if start == "corrected":
            us.append((1 - NU) * g + NU * h / (1 - BETA1**k))
        else:
            us.append((1 - NU) * g + NU * (h + (BETA1**k * gs[0] if start == "first" else 0)))
    return us


@pytest.mark.parametrize("mixing", ENGINES.values(), ids=ENGINES)
@pytest.mark.parametrize("start", ["zero", "first", "corrected"])
def test_each_start_is_its_formula_on_every_engine(start, mixing):
    optimizer, w = started(start, **mixing)
    gs = gradients()
    for found, right in zip(stepped(optimizer, w, gs), expected(gs, start), strict=True):
        torch.testing.assert_close(found, right, rtol=0, atol=1e-13)


def test_the_default_keeps_no_weight_and_is_unchanged():
    optimizer, w = started("zero")
    bare = nn.Parameter(torch.zeros(3, 5, dtype=torch.float64))
    plain = E(torch.optim.SGD([bare], lr=LR), ALPHA, BETA1)
    assert plain.start == "zero"
    gs = gradients()
    stepped(optimizer, w, gs)
    stepped(plain, bare, gs)
    assert torch.equal(w, bare)
    assert WEIGHT not in optimizer.state[w]
    assert WEIGHT not in str(optimizer.state_dict())


def test_the_first_gradient_goes_through_as_it_is():
    for start in ("first", "corrected"):
        optimizer, w = started(start)
        w.grad = torch.full((3, 5), 0.3, dtype=torch.float64)
        optimizer.step()
        assert torch.equal(w.detach(), -LR * torch.full((3, 5), 0.3, dtype=torch.float64))


@pytest.mark.parametrize("start", ["zero", "first", "corrected"])
@pytest.mark.parametrize("way", ["state_dict", "copy", "pickle"])
def test_a_run_that_is_resumed_is_the_unbroken_run(start, way):
    """A checkpoint decides how its averages go on, whatever start the optimizer that loads it has."""
    gs = gradients(8)
    unbroken, whole = started(start)
    stepped(unbroken, whole, gs)
    first, w = started(start)
    stepped(first, w, gs[:3])
    if way == "state_dict":
        second, other = started("zero")
        other.data.copy_(w.data)
        second.load_state_dict(copy.deepcopy(first.state_dict()))
    else:
        second, other = copy.deepcopy((first, w)) if way == "copy" else pickle.loads(pickle.dumps((first, w)))
        assert second.start == start
    stepped(second, other, gs[3:])
    assert torch.equal(whole, other)


def test_a_beta1_that_changes_keeps_a_weighted_mean():
    """Equal gradients: any weighted mean of them is the gradient, so every step is the base's."""
    optimizer, w = started("corrected")
    for beta1 in (0.9, 0.5, 0.99, 0.0):
        optimizer.param_groups[0]["explore_beta1"] = beta1
        optimizer.param_groups[0]["explore_alpha"] = -0.4
        (u,) = stepped(optimizer, w, [torch.ones(3, 5, dtype=torch.float64)])
        torch.testing.assert_close(u, torch.ones(3, 5, dtype=torch.float64), rtol=0, atol=1e-14)


def test_a_base_that_initialises_an_empty_state_still_does():
    """Many bases take an empty state for "not initialised yet"; the weight must not lie there before."""
    w = nn.Parameter(torch.zeros(4))
    optimizer = E(torch.optim.Adam([w], lr=LR), ALPHA, BETA1, start="corrected")
    for _ in range(2):
        w.grad = torch.ones(4)
        optimizer.step()
    assert optimizer.state[w].keys() == {"step", "exp_avg", "exp_avg_sq", SLOW_AVG, WEIGHT}
    assert optimizer.state[w][WEIGHT] == pytest.approx(1 - BETA1**2)


class LateState(torch.optim.Optimizer):
    """Keeps state from its second step on, and begins it where the state is empty."""

    def __init__(self, params):
        super().__init__(params, {"lr": LR})
        self.steps = 0

    def step(self):
        self.steps += 1
        for param in self.param_groups[0]["params"]:
            if self.steps > 1 and len(self.state[param]) == 0:
                self.state[param]["begun"] = self.steps


def test_a_base_that_begins_its_state_late_still_does():
    w = nn.Parameter(torch.zeros(4))
    optimizer = E(LateState([w]), ALPHA, BETA1, start="corrected")
    for _ in range(3):
        w.grad = torch.ones(4)
        optimizer.step()
    assert optimizer.state[w].keys() == {"begun", SLOW_AVG, WEIGHT}
    assert optimizer.state[w]["begun"] == 2


@pytest.mark.parametrize("make", [ESGD, EAdam, EAdamW])
def test_the_variants_have_the_option(make):
    w = nn.Parameter(torch.zeros(2))
    optimizer = make([w], lr=LR, start="first", alpha=ALPHA, beta1=BETA1)
    assert optimizer.start == optimizer.defaults["start"] == "first"
    w.grad = torch.ones(2)
    optimizer.step()
    assert torch.equal(optimizer.state[w][SLOW_AVG], torch.ones(2))


def test_another_start_is_refused():
    with pytest.raises(ValueError, match="start = 'grokfast': must be one of 'zero', 'first', 'corrected'"):
        started("grokfast")


@pytest.mark.parametrize("weight", [2.0, -0.1, "1"], ids=str)
def test_a_damaged_weight_is_refused(weight):
    optimizer, w = started("corrected")
    stepped(optimizer, w, gradients(2))
    saved = copy.deepcopy(optimizer.state_dict())
    saved["state"][0][WEIGHT] = weight
    with pytest.raises(ValueError, match=WEIGHT):
        optimizer.load_state_dict(saved)


@pytest.mark.parametrize(("lamb", "beta"), [(2.0, 0.98), (0.5, 0.9)])
def test_from_grokfast_is_the_published_grokfast(lamb, beta):
    """GrokFastAdamW of pytorch_optimizer, which normalises its learning rate by 1 + lambda; eps adds nothing here."""
    torch.manual_seed(0)
    mine = nn.Parameter(torch.randn(3, 5, dtype=torch.float64))
    theirs = nn.Parameter(mine.detach().clone())
    ours = E.from_grokfast(torch.optim.AdamW([mine], LR, (0.9, 0.99), 1e-30, 0.1), lamb, beta)
    published = pytorch_optimizer.GrokFastAdamW(
        [theirs], LR, (0.9, 0.99), grokfast_alpha=beta, grokfast_lamb=lamb, weight_decay=0.1, normalize_lr=False,
        eps=1e-30, foreach=False,
    )  # fmt: skip
    for g in gradients(30):
        mine.grad, theirs.grad = g.clone(), g.clone()
        ours.step()
        published.step()
    torch.testing.assert_close(mine, theirs, rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    ("lamb", "beta", "name"), [(-1.0, 0.9, "lamb"), (2.0, 1.0, "beta"), (float("nan"), 0.9, "lamb")]
)
def test_from_grokfast_checks_its_numbers(lamb, beta, name):
    with pytest.raises(ValueError, match=f"^{name} = "):
        E.from_grokfast(torch.optim.SGD([nn.Parameter(torch.zeros(2))], lr=LR), lamb, beta)


@pytest.mark.filterwarnings("ignore:.*torch.jit.*:DeprecationWarning")  # torch compiling its own SGD
def test_a_compiled_step_takes_the_same_steps_and_is_compiled_once():
    """The weight is a new number in each step; no graph may hold it."""
    torch._dynamo.reset()
    counts = torch._dynamo.utils.counters["stats"]
    counts.clear()
    gs, graphs = gradients(6), []
    eager, w = started("corrected")
    stepped(eager, w, gs)
    compiled, other = started("corrected")
    step = torch.compile(compiled.step, backend="eager")
    for g in gs:
        other.grad = g.clone()
        step()
        graphs.append(counts["unique_graphs"])
    torch._dynamo.reset()
    assert torch.equal(w, other)
    assert graphs[0] >= 1
    assert graphs[1:] == graphs[1:2] * 5
