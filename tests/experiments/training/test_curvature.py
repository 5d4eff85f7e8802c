import copy
import dataclasses

import numpy as np
import pytest
import torch
from torch import nn

from experiments import data
from experiments.config.schema import DataConfig
from experiments.io.environment import Environment
from experiments.models.gpt import GPT
from experiments.runs import plan
from experiments.training import curvature
from experiments.training.curvature import Surface
from experiments.training.train import train


@pytest.fixture
def digits():
    return data.load(DataConfig())


@pytest.fixture
def network():
    """One hidden ReLU layer without biases, small enough for its whole Hessian."""
    torch.manual_seed(3)
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 4, bias=False), nn.ReLU(), nn.Linear(4, 10, bias=False))


def hessian(surface: Surface) -> np.ndarray:
    return torch.stack([surface.product(row) for row in torch.eye(surface.size, dtype=torch.float64)]).numpy()


def test_the_product_is_that_of_torchs_own_hessian(digits, network):
    surface = Surface(network, digits, 40)
    names = [name for name, _ in surface.model.named_parameters()]
    shapes = [p.shape for p in surface.parameters]

    def loss(flat):
        parts = [p.view(s) for p, s in zip(flat.split([s.numel() for s in shapes]), shapes, strict=True)]
        logits = torch.func.functional_call(surface.model, dict(zip(names, parts, strict=True)), surface.inputs)
        return nn.functional.cross_entropy(logits, surface.targets)

    at = torch.cat([p.detach().flatten() for p in surface.parameters])
    expected = torch.autograd.functional.hessian(loss, at).numpy()
    np.testing.assert_allclose(hessian(surface), expected, rtol=1e-9, atol=1e-12)


def test_the_eigenvalue_and_the_trace_are_those_of_the_whole_matrix(digits, network):
    surface = Surface(network, digits, 40)
    values = np.linalg.eigvalsh(hessian(surface))
    extreme = max(values, key=abs)
    found = curvature.measure(network, digits, 40)
    assert found.top_eigenvalue == pytest.approx(extreme, rel=2e-3)
    # the standard error is itself estimated from 16 probes: five of them are missed less than once in 5000 seeds,
    # and this seed is fixed
    assert abs(found.trace - values.sum()) < 5 * found.trace_error
    assert 0 < found.trace_error < 0.5 * values.sum()


def test_filter_sharpness_survives_rescaling_and_the_others_do_not(digits, network):
    scaled = copy.deepcopy(network)
    with torch.no_grad():
        scaled[1].weight.mul_(4)
        scaled[3].weight.div_(4)
    one, other = (curvature.measure(model, digits, 100) for model in (network, scaled))
    assert Surface(scaled, digits, 100).value() == pytest.approx(Surface(network, digits, 100).value(), rel=1e-12)
    assert other.filter_sharpness == pytest.approx(one.filter_sharpness, rel=1e-9)
    assert one.filter_sharpness > 0
    for name in ("top_eigenvalue", "trace", "sharpness"):
        assert abs(getattr(other, name) / getattr(one, name) - 1) > 0.1, name


def test_sharpness_is_first_order_right(digits, network):
    surface = Surface(network, digits, 100)
    slope = torch.cat([part.flatten() for part in surface.gradient()]).norm().item()
    step = surface.along_gradient(1e-6)
    assert torch.cat([part.flatten() for part in step]).norm().item() == pytest.approx(1e-6)
    assert surface.rise(step) == pytest.approx(1e-6 * slope, rel=1e-3)


def test_measuring_leaves_the_network_and_the_random_state_alone(digits, network):
    before, state = copy.deepcopy(network.state_dict()), torch.get_rng_state()
    network.train()
    first = curvature.measure(network, digits, 30)
    assert all(torch.equal(before[name], tensor) for name, tensor in network.state_dict().items())
    assert torch.equal(state, torch.get_rng_state())
    assert network.training
    assert curvature.measure(network, digits, 30) == first


def test_a_broken_network_has_no_curvature(digits, network):
    with torch.no_grad():
        network[1].weight[0, 0] = torch.nan
        network[1].weight[1:] = torch.nan
    assert dataclasses.astuple(curvature.measure(network, digits, 30)) == (None,) * 5


def test_attention_has_a_second_derivative():
    torch.manual_seed(0)
    tokens = torch.randint(0, 7, (4, 6))
    split = data.Split(tokens, tokens.roll(-1, 1))
    sequences = data.Dataset("made", "text", 7, split, split, split, vocabulary=7)
    found = curvature.measure(GPT(7, 7, context=6, layers=1, heads=2, width=8), sequences, 4)
    assert found.top_eigenvalue != 0
    assert found.sharpness > 0


def test_a_run_records_movement_and_curvature_and_resumes_with_them(tiny, tmp_path):
    run = plan.final_runs(tiny, plan.Cell("small", "ALTO"), 0.05, 160)[0]
    watched = dataclasses.replace(
        run, training=dataclasses.replace(run.training, curvature=20, epochs=8, evaluations=2)
    )
    whole = train(watched, Environment(tmp_path / "a"))
    assert [point.step for point in whole.curve] == [12, 24]
    for point in whole.curve:
        assert 0 < point.moved_lately < point.moved * 3
        assert point.curvature.top_eigenvalue is not None

    class Killed(Exception):
        pass

    def kill(done, _):
        if done == 7:  # between the snapshot before step 3 and the evaluation after step 12
            raise Killed

    place = Environment(tmp_path / "b", checkpoint_seconds=0)
    with pytest.raises(Killed):
        train(watched, place, kill)
    row = train(watched, place)
    assert row.resumed == 1
    assert [dataclasses.replace(p, seconds=0) for p in row.curve] == [
        dataclasses.replace(p, seconds=0) for p in whole.curve
    ]
    # evaluations less than ten steps apart: each has the weights of ten steps before it, or none
    often = dataclasses.replace(watched, training=dataclasses.replace(watched.training, evaluations=4))
    near = train(often, Environment(tmp_path / "c"))
    assert [(point.step, point.moved_lately is None) for point in near.curve] == [
        (6, True), (12, False), (18, False), (24, False),
    ]  # fmt: skip
    assert near.curve[1].moved_lately == whole.curve[0].moved_lately
    # watching changes nothing: the same run unwatched ends in the same weights
    blind = dataclasses.replace(watched, training=dataclasses.replace(watched.training, curvature=0))
    assert train(blind, place).weights == whole.weights


class Unused(nn.Module):
    """A network with a layer that its output does not use, and a frozen one."""

    def __init__(self, inner: nn.Module):
        super().__init__()
        self.inner, self.unused, self.frozen = inner, nn.Linear(3, 2), nn.Linear(2, 2)
        self.frozen.requires_grad_(False)

    def forward(self, images):
        return self.inner(images)


def test_unused_and_frozen_parameters_have_derivatives_of_0(digits, network):
    plain, more = Surface(network, digits, 20), Surface(Unused(network), digits, 20)
    vector = torch.randn(more.size, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    product = more.product(vector)
    assert torch.equal(product[: plain.size], plain.product(vector[: plain.size]))
    assert not product[plain.size :].any()
    assert curvature.measure(Unused(network), digits, 20).sharpness == curvature.measure(network, digits, 20).sharpness


class Constant(nn.Module):
    """Logits so far apart that the loss is exactly 0, and so are its derivatives."""

    def __init__(self, targets, scale):
        super().__init__()
        self.logits = nn.Parameter(2000.0 * nn.functional.one_hot(targets, 10).float())
        self.scale = scale

    def forward(self, _):
        return self.logits * self.scale if self.scale else self.logits.detach()


@pytest.mark.parametrize("scale", [1.0, 0.0], ids=["loss of 0", "no parameter is used"])
def test_a_constant_loss_has_measures_of_0(digits, scale):
    network = Constant(digits.train.targets[:6], scale)
    assert dataclasses.asdict(curvature.measure(network, digits, 6)) == dict.fromkeys(
        ("top_eigenvalue", "trace", "trace_error", "sharpness", "filter_sharpness"), 0.0
    )


def test_a_network_without_trained_parameters_has_no_measures(digits, network):
    assert curvature.measure(network.requires_grad_(False), digits, 6).top_eigenvalue is None
