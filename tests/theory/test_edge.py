"""The sharpness probe on the network's own Hessian, and that it leaves torch's threads as they were."""

import pytest
import torch

from theory import edge


def test_a_probe_is_the_top_eigenvalue_of_the_hessian():
    """Against diagonal entries of the Hessian at the start: its top eigenvalue is no smaller than any of them."""
    generator = torch.Generator().manual_seed(0)
    weights, loss = edge._network(generator)
    flat = torch.cat([w.detach().reshape(-1) for w in weights])
    sizes = [w.numel() for w in weights]
    graph = torch.autograd.grad(loss(), weights, create_graph=True)
    rows = []
    for index in (0, 5, len(flat) - 1):
        unit = torch.zeros_like(flat)
        unit[index] = 1
        parts = [part.view_as(w) for part, w in zip(unit.split(sizes), weights, strict=True)]
        row = torch.autograd.grad(graph, weights, grad_outputs=parts, retain_graph=True)
        rows.append(torch.cat([r.reshape(-1) for r in row])[index].item())
    assert max(rows) <= edge.settled_sharpness(0.0, 0.99, eta=1e-12, steps=400) * (1 + 1e-6)


def test_output_bias_has_curvature_one():
    """The loss is half the mean square: its second derivative in the output bias is exactly 1, a lower bound."""
    assert edge.settled_sharpness(0.0, 0.99, eta=1e-12, steps=200) >= 1


def test_threads_are_restored():
    before = torch.get_num_threads()
    edge.settled_sharpness(0.0, 0.99, eta=0.1, steps=100)
    assert torch.get_num_threads() == before


@pytest.mark.parametrize("alpha", [0.0, -5.0])
def test_training_lowers_nothing_at_zero_rate(alpha):
    start = edge.settled_sharpness(alpha, 0.99, eta=1e-12, steps=400)
    later = edge.settled_sharpness(alpha, 0.99, eta=1e-12, steps=800)
    assert later == pytest.approx(start, rel=1e-3)
