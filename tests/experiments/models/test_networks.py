import pytest
import torch

from experiments import data, models
from experiments.config.schema import DataConfig, ModelConfig
from experiments.io.errors import ConfigError


def test_a_network_fits_its_data():
    digits = data.load(DataConfig())
    logits = models.create(ModelConfig("convnet"), digits)(torch.zeros(3, *digits.shape))
    assert logits.shape == (3, 10)


@pytest.mark.parametrize(
    ("config", "key"),
    [
        (ModelConfig("resnot"), "model.name"),
        (ModelConfig("convnet", {"depth": 1}), "model.options.depth"),
        (ModelConfig("convnet", {"widths": "many"}), "model.options"),
    ],
)
def test_a_wrong_network_is_refused_by_name(config, key):
    with pytest.raises(ConfigError) as caught:
        models.create(config, data.load(DataConfig()))
    assert caught.value.key == key
