import numpy as np
import pytest
import torch

from theory.monitor.sharpness import sharpness


@pytest.mark.parametrize("form", [iter, tuple], ids=["iterator", "tuple"])
def test_sharpness_takes_any_parameters(form):
    used, linear, unused = (torch.ones(2, requires_grad=True) for _ in range(3))
    frozen = torch.ones(2)
    found = sharpness(lambda: 1.5 * (used * used).sum() + linear.sum(), form([used, linear, unused, frozen]))
    assert found == pytest.approx(3.0)
    assert sharpness(linear.sum, form([linear])) == 0
    with pytest.raises(ValueError, match="none requires a gradient"):
        sharpness(frozen.sum, form([frozen]))


@pytest.mark.parametrize("top", [3.0, -3.0], ids=["convex", "concave"])
def test_a_close_second_eigenvalue_does_not_lower_it(top):
    """Thirty power iterations give 2.97 here."""
    values = torch.tensor([top, *np.linspace(-2.98, 2.98, 200)])
    point = torch.zeros(201, requires_grad=True)
    assert sharpness(lambda: 0.5 * (values * point * point).sum(), [point]) == pytest.approx(3.0, rel=1e-3)


def test_with_more_parameters_it_is_not_smaller():
    """The Hessian of a part is a block of the whole one, whose largest eigenvalue is at least as large."""
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(6, 16), torch.nn.Tanh(), torch.nn.Linear(16, 3))
    x, y = torch.randn(40, 6), torch.randint(0, 3, (40,))
    whole, part = (
        sharpness(lambda: torch.nn.functional.cross_entropy(model(x), y), chosen)
        for chosen in (model.parameters(), [p for p in model.parameters() if p.dim() == 2])
    )
    assert whole > part * (1 - 2e-3)


def test_one_coordinate_and_no_curvature():
    one, flat = (torch.ones(n, requires_grad=True) for n in (1, 5))
    assert sharpness(lambda: -2 * one.square().sum(), [one]) == 4
    assert sharpness((0 * flat * flat).sum, [flat]) == 0


def test_what_has_no_hessian_is_refused():
    point = torch.ones(3, requires_grad=True)
    with pytest.raises(ValueError, match="its value nan is not finite"):
        sharpness((point * torch.nan).sum, [point])
    with pytest.raises(ValueError, match=r"tolerance must be in \(0, 1\), got 0"):
        sharpness(lambda: point.square().sum(), [point], tolerance=0)
    for loss in (point.square, lambda: 3.0):
        with pytest.raises(ValueError, match="must return a tensor with one number"):
            sharpness(loss, [point])
    corner = torch.zeros(3, requires_grad=True)
    with pytest.raises(ValueError, match="its second derivative here is not finite"):
        sharpness((corner.abs() ** 1.5).sum, [corner])
