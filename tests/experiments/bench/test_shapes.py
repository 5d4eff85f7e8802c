"""The parameter shapes of well-known networks."""

from collections import Counter

import pytest
import torch

from experiments.bench import shapes
from experiments.bench.shapes import MODELS
from experiments.models.gpt import GPT
from experiments.models.resnet import ResNet, ResNet20


@pytest.mark.parametrize(
    ("name", "parameters"),
    [("resnet20", 269_722), ("resnet50", 25_557_032), ("gpt2-small", 124_439_808), ("bert-base", 109_482_240)],
)
def test_published_numbers_of_parameters(name, parameters):
    assert MODELS[name].parameters == parameters


@pytest.mark.parametrize(
    ("name", "build"),
    [
        ("resnet20", lambda: ResNet20(3, 10)),
        ("resnet50", lambda: ResNet(3, 1000, depth=50, small_images=False)),
        ("gpt2-small", lambda: GPT(50_257, 50_257, context=1024, layers=12, heads=12, width=768)),
    ],
)
def test_shapes_are_those_of_the_networks_that_are_trained(name, build):
    with torch.device("meta"):
        network = build()
    assert Counter(MODELS[name].shapes) == Counter(tuple(param.shape) for param in network.parameters())


def test_a_wrong_total_is_refused():
    with pytest.raises(AssertionError, match="Wrong has 6 parameters, and should have 7"):
        shapes._cases(("wrong", "Wrong", [(2, 3)], 7))


def test_scaling_takes_one_tensor_of_each_power_of_ten():
    assert [case.shapes for case in shapes.tensors(20_000)] == [((1_000,),), ((10_000,),)]
    assert [case.name for case in shapes.tensors(shapes.LARGEST)] == ["1e3", "1e4", "1e5", "1e6", "1e7", "1e8"]
