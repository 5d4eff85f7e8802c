"""E keeps the mixed gradients' memory from step to step on a CPU, but only where nobody else still refers to it."""

import copy
import itertools
import pickle

import pytest
import torch

from alto import E
from alto.engines._layout import Blocks


def parameter(*shape):
    w = torch.nn.Parameter(torch.zeros(shape))
    w.grad = torch.ones(shape)
    return w


class Holder:
    """An object that holds a storage."""

    def __init__(self, storage):
        self.storage = storage


def largest(seen):
    seen = getattr(seen, "storage", seen) if isinstance(seen, Holder) else seen
    return float(torch.empty(0).set_(seen).max() if isinstance(seen, torch.UntypedStorage) else seen.max())


class Remembers(torch.optim.SGD):
    """A base that keeps what it was given in some form, as optimizers with gradient differences do."""

    def __init__(self, params, form):
        super().__init__(params, lr=0.0)
        self.form, self.seen = form, []

    def step(self, closure=None):
        self.seen += [self.form(p.grad) for group in self.param_groups for p in group["params"]]
        return super().step(closure)


@pytest.mark.parametrize(
    "form",
    [
        lambda u: u, lambda u: u.detach(), lambda u: u.view(-1)[1:], lambda u: u.numpy(), lambda u: u.T,
        torch.from_dlpack, lambda u: u.untyped_storage(), lambda u: Holder(u.untyped_storage()),
    ],
    ids=["itself", "detached", "part", "numpy", "transposed", "dlpack", "storage", "held storage"],
)  # fmt: skip
def test_what_a_base_refers_to_is_never_written_again(form):
    w = parameter(3, 2)
    optimizer = E(Remembers([w], form), alpha=-5.0, beta1=0.9)
    for scale in (1.0, 2.0, 3.0):
        w.grad = torch.full((3, 2), scale)
        optimizer.step()
    h, expected = 0.0, []
    for scale in (1.0, 2.0, 3.0):
        expected.append(0.5 * scale + 0.5 * h)
        h += 0.1 * (scale - h)
    assert [largest(u) for u in optimizer.base.seen] == pytest.approx(expected)


def test_the_next_step_takes_the_same_memory():
    w = parameter(4)
    addresses = []
    optimizer = E(torch.optim.SGD([w], lr=0.1), alpha=-5.0, beta1=0.9)
    optimizer.base.register_step_pre_hook(lambda *_: addresses.append(w.grad.data_ptr()))
    for _ in range(4):
        blocks = [torch.empty(4) for _ in range(9)]  # takes what a freed tensor would have left
        optimizer.step()
        del blocks
    assert len(addresses) == 4
    assert len(set(addresses[1:])) == 1  # the first step begins the averages, and keeps nothing


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda o: pickle.loads(pickle.dumps(o))], ids=["deepcopy", "pickle"])
def test_a_copy_has_memory_of_its_own(copied):
    w = parameter(4)
    optimizer = E(torch.optim.SGD([w], lr=0.1))
    for _ in range(2):
        optimizer.step()
    assert optimizer._kept
    assert not copied(optimizer)._kept


def test_a_base_that_raises_leaves_the_gradient():
    w = parameter(4)

    class Fails(torch.optim.SGD):
        def step(self, closure=None):
            raise RuntimeError("no")

    optimizer = E(Fails([w], lr=0.1))
    with pytest.raises(RuntimeError, match="no"):
        optimizer.step()
    assert torch.equal(w.grad, torch.ones(4))
    assert not optimizer._kept


def does(action):
    """A base that does something with the storage of each gradient after its step."""

    class Acts(torch.optim.SGD):
        def step(self, closure=None):
            super().step(closure)
            for group in self.param_groups:
                for p in group["params"]:
                    action(p.grad)

    return Acts


@pytest.mark.parametrize(
    "action",
    [lambda u: u.untyped_storage().resize_(0), lambda u: u.untyped_storage().resize_(8), lambda u: u.share_memory_()],
    ids=["freed", "shrunk", "shared with another process"],
)
def test_memory_that_was_freed_or_moved_is_not_taken_again(action):
    """Two steps later the process would have died, or another one would see its numbers change."""
    w = parameter(300, 2)
    optimizer = E(does(action)([w], lr=0.1), alpha=-5.0, beta1=0.9)
    for _ in range(3):
        optimizer.step()
    h = moved = 0.0
    for _ in range(3):
        moved += 0.1 * (0.5 + 0.5 * h)
        h += 0.1 * (1 - h)
    torch.testing.assert_close(w.detach(), torch.full((300, 2), -moved))
    blocks = Blocks([torch.empty(300, 2), torch.empty(3)])
    right = blocks.take()[1].data_ptr()
    action(blocks.take()[0])
    again, other = blocks.take()
    assert again.untyped_storage().nbytes() == 2400
    assert not again.is_shared()
    assert other.data_ptr() == right


@pytest.mark.parametrize(
    "action",
    [lambda u: u.t_(), lambda u: u.requires_grad_(), lambda u: setattr(u, "seen", True)],
    ids=["turned", "given to autograd", "marked"],
)
def test_what_a_base_does_to_a_mixed_gradient_ends_with_its_step(action):
    w = parameter(3, 2)
    optimizer = E(does(action)([w], lr=0.1), alpha=-5.0, beta1=0.9)
    seen = set()
    optimizer.base.register_step_pre_hook(
        lambda *_: seen.add((w.grad.shape, w.grad.requires_grad, hasattr(w.grad, "seen")))
    )
    for _ in range(4):
        optimizer.step()
    assert seen == {((3, 2), False, False)}


def test_memory_from_inference_mode_is_not_taken_again():
    w = parameter(4)
    held = []
    optimizer = E(does(lambda u: held.append(u.mul_(2.0)))([w], lr=0.1))
    for _ in range(3):
        optimizer.step()
    with torch.inference_mode():
        for _ in range(2):
            optimizer.step()
    assert not optimizer._kept
    for _ in range(2):
        optimizer.step()
    assert optimizer._kept


def test_gradients_that_come_and_go_and_change_their_kind():
    """Two parameters in every mixture of missing, float32, bfloat16, transposed and expanded gradients."""
    params = [parameter(3, 2), parameter(3, 2)]
    optimizer = E(torch.optim.SGD(params, lr=1.0), alpha=-5.0, beta1=0.9)
    for p in params:
        p.grad_dtype = None  # any
    h, theta = [0.0, 0.0], [0.0, 0.0]
    kinds = [
        lambda g: None,
        lambda g: g,
        lambda g: g.bfloat16(),
        lambda g: g.t().contiguous().t(),
        lambda g: g[:, :1].expand(3, 2),
    ]
    for k, (left, right) in enumerate(itertools.product(kinds, kinds)):
        for i, kind in enumerate((left, right)):
            p, g = params[i], 1.0 + i + k % 3
            p.grad = kind(torch.full((3, 2), g))
            if p.grad is not None:
                theta[i] -= 0.5 * g + 0.5 * h[i]
                h[i] += 0.1 * (g - h[i])
        optimizer.step()
    for p, expected in zip(params, theta, strict=True):
        torch.testing.assert_close(
            p.detach(), torch.full((3, 2), expected), rtol=2**-8, atol=0
        )  # half an ulp of bfloat16
