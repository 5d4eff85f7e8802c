"""E keeps the mixed gradients' memory from step to step on a CPU, but only where nobody else still refers to it."""

import copy
import pickle

import pytest
import torch

from alto import E
from alto._spare import Spare


def parameter(*shape):
    w = torch.nn.Parameter(torch.zeros(shape))
    w.grad = torch.ones(shape)
    return w


class Remembers(torch.optim.SGD):
    """A base that keeps what it was given in some form, as optimizers with gradient differences do."""

    def __init__(self, params, form):
        super().__init__(params, lr=0.0)
        self.form, self.seen = form, []

    def step(self, closure=None):
        self.seen += [self.form(p.grad) for group in self.param_groups for p in group["params"]]
        return super().step(closure)


@pytest.mark.parametrize(
    "form", [lambda u: u, lambda u: u.detach(), lambda u: u.view(-1)[1:], lambda u: u.numpy(), lambda u: u.T],
    ids=["itself", "detached", "part", "numpy", "transposed"],
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
    assert [float(u.max()) for u in optimizer.base.seen] == pytest.approx(expected)


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
    assert len(set(addresses)) == 1


@pytest.mark.parametrize("other", [(3, 2), (6,)], ids=str)
def test_memory_of_another_shape_is_not_taken(other):
    spare = Spare()
    first = spare.take([torch.empty(2, 3)])
    address = first[0].data_ptr()
    del first
    spare.settle()
    assert spare.take([torch.empty(other)])[0].shape == other
    assert spare.take([torch.empty(2, 3, dtype=torch.float64)])[0].dtype == torch.float64
    assert spare.take([torch.empty(2, 3)])[0].data_ptr() == address


def test_no_more_is_kept_than_the_last_step_used():
    spare = Spare()
    spare.take([torch.empty(2), torch.empty(3)])
    spare.settle()
    assert len(spare) == 2
    spare.take([torch.empty(2)])
    spare.settle()
    assert len(spare) == 1


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda o: pickle.loads(pickle.dumps(o))], ids=["deepcopy", "pickle"])
def test_a_copy_has_memory_of_its_own(copied):
    w = parameter(4)
    optimizer = E(torch.optim.SGD([w], lr=0.1))
    optimizer.step()
    assert optimizer._spare
    assert not copied(optimizer)._spare


def test_a_base_that_raises_leaves_the_gradient():
    w = parameter(4)

    class Fails(torch.optim.SGD):
        def step(self, closure=None):
            raise RuntimeError("no")

    optimizer = E(Fails([w], lr=0.1))
    with pytest.raises(RuntimeError, match="no"):
        optimizer.step()
    assert torch.equal(w.grad, torch.ones(4))
    assert not optimizer._spare._lent
