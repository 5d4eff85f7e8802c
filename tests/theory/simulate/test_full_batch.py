"""The sharpness probe on the network's own Hessian, and that it leaves torch's threads as they were."""

import pytest
import torch

from theory.simulate import full_batch, network


def test_a_probe_is_the_top_eigenvalue_of_the_dense_hessian():
    """All 1377 columns of the Hessian at the start, and its largest eigenvalue in modulus by a dense solver."""
    x, y, weights = network.problem(torch.Generator().manual_seed(0))
    weights = [w.requires_grad_() for w in weights]
    slope = torch.autograd.grad(full_batch.loss(weights, x, y), weights, create_graph=True)
    flat = torch.cat([g.reshape(-1) for g in slope])
    columns = [
        torch.cat([g.reshape(-1) for g in torch.autograd.grad(entry, weights, retain_graph=True)]) for entry in flat
    ]
    eigenvalues = torch.linalg.eigvalsh(torch.stack(columns))
    assert eigenvalues[-1] > -eigenvalues[0], "power iteration finds the top of the spectrum"
    found = full_batch.settled_sharpness(0.0, 0.99, eta=1e-12, steps=800)
    assert found == pytest.approx(eigenvalues[-1].item(), rel=1e-4)


def test_the_gradient_by_hand_has_the_bits_of_autograd():
    x, y, weights = network.problem(torch.Generator().manual_seed(0))
    found = [torch.zeros_like(w) for w in weights]
    value = full_batch._loss_and_gradient(weights, x, y, found)
    weights = [w.requires_grad_() for w in weights]
    expected = full_batch.loss(weights, x, y)
    assert value == expected
    assert all(map(torch.equal, found, torch.autograd.grad(expected, weights)))


def test_output_bias_has_curvature_one():
    """The loss is half the mean square: its second derivative in the output bias is exactly 1, a lower bound."""
    assert full_batch.settled_sharpness(0.0, 0.99, eta=1e-12, steps=200) >= 1


def test_threads_are_restored():
    before = torch.get_num_threads()
    full_batch.settled_sharpness(0.0, 0.99, eta=0.1, steps=100)
    assert torch.get_num_threads() == before


@pytest.mark.parametrize("alpha", [0.0, -5.0])
def test_training_lowers_nothing_at_zero_rate(alpha):
    start = full_batch.settled_sharpness(alpha, 0.99, eta=1e-12, steps=400)
    later = full_batch.settled_sharpness(alpha, 0.99, eta=1e-12, steps=800)
    assert later == pytest.approx(start, rel=1e-3)
