"""The convolutional networks: parameter counts against the papers, shapes, and what each must be able to do."""

import pytest
import torch

from experiments.models.convnet import ConvNet
from experiments.models.densenet import DenseNet169
from experiments.models.resnet import ResNet, ResNet20, _Subsample
from experiments.models.vgg import VGG16


def count(model):
    return sum(p.numel() for p in model.parameters())


@pytest.mark.parametrize(
    ("build", "expected", "rounded"),
    [
        pytest.param(lambda: ResNet20(3, 10), 269_722, (1e4, 27), id="resnet20: 0.27 M, the paper"),
        pytest.param(lambda: VGG16(3, 10), 33_730_666, (1e4, 3373), id="vgg16: 33.73 M, the paper"),
        pytest.param(lambda: DenseNet169(3, 10), 7_267_594, (1e4, 727), id="densenet169: 7.27 M, the paper"),
        pytest.param(lambda: ResNet(3, 1000, 18, False), 11_689_512, (1e5, 117), id="resnet18: torchvision"),
        pytest.param(lambda: ResNet(3, 1000, 34, False), 21_797_672, (1e5, 218), id="resnet34: torchvision"),
        pytest.param(lambda: ResNet(3, 1000, 50, False), 25_557_032, (1e5, 256), id="resnet50: torchvision"),
        pytest.param(lambda: ResNet(3, 100, 18), 11_220_132, (1e5, 112), id="resnet18: CIFAR-100"),
    ],
)
def test_parameter_counts(build, expected, rounded):
    with torch.device("meta"):
        found = count(build())
    assert found == expected
    unit, value = rounded
    assert round(found / unit) == value


@pytest.mark.parametrize(
    ("build", "side"),
    [
        pytest.param(lambda: ConvNet(3, 7), 8, id="convnet"),
        pytest.param(lambda: ResNet20(3, 7), 32, id="resnet20"),
        pytest.param(lambda: ResNet(3, 7, 18), 32, id="resnet18"),
        pytest.param(lambda: ResNet(3, 7, 50, False), 64, id="resnet50"),
        pytest.param(lambda: VGG16(3, 7), 32, id="vgg16"),
        pytest.param(lambda: DenseNet169(3, 7), 32, id="densenet169"),
    ],
)
def test_every_parameter_gets_a_gradient(build, side):
    torch.manual_seed(0)
    model = build()
    logits = model(torch.randn(4, 3, side, side))
    assert logits.shape == (4, 7)
    logits.square().sum().backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name
    # a bias in front of a batch norm has no effect; every other parameter must have one
    without = {name for name, p in model.named_parameters() if p.grad.abs().max() == 0}
    assert without == set()


def test_the_shortcut_without_parameters():
    images = torch.arange(1.0, 33).view(1, 2, 4, 4)
    result = _Subsample(2, 2)(images)
    assert result.shape == (1, 4, 2, 2)
    assert result[0, 1].tolist() == [[1, 3], [9, 11]]
    assert result[0, 0].abs().sum() == result[0, 3].abs().sum() == 0


def test_an_unknown_depth_is_refused():
    with pytest.raises(ValueError, match="depth = 19"):
        ResNet(3, 10, 19)
