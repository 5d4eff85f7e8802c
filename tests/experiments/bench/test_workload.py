"""The parameters and gradients that all contestants share."""

import weakref

import torch

from experiments.bench.shapes import Case
from experiments.bench.workload import Workload
from tests.experiments.bench.cases import CPU, TINY


def test_gradients_vary_in_sign_and_size_and_are_ordinary_numbers():
    workload = Workload(Case("one", "One", ((1000,),)), CPU, seed=0)
    seen = []
    for _ in range(30):
        workload.refresh()
        seen.append(workload.params[0].grad.clone())
    assert {bool((grad[0] > 0).item()) for grad in seen} == {True, False}
    assert len({grad[0].item() for grad in seen}) == 30
    assert all(1e-3 < grad.std().item() < 3e-2 for grad in seen)


def test_what_a_step_does_to_gradients_does_not_reach_the_next_one():
    workload, untouched = (Workload(TINY, CPU, seed=0) for _ in range(2))
    for index in range(3):
        workload.refresh()
        untouched.refresh()
        assert all(torch.equal(a.grad, b.grad) for a, b in zip(workload.params, untouched.params, strict=True)), index
        for param in workload.params:
            param.grad.mul_(1e-30)
            param.grad = torch.zeros_like(param)


def test_given_gradients_belong_to_the_parameters_alone():
    workload = Workload(TINY, CPU, seed=0)
    workload.give()
    grad = weakref.ref(workload.params[0].grad)
    workload.params[0].grad = None
    assert grad() is None
