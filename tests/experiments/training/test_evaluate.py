import pytest
import torch
from torch import nn

from experiments import data
from experiments.config.schema import DataConfig
from experiments.training import evaluate


@pytest.fixture
def digits():
    return data.load(DataConfig())


class Fixed(nn.Module):
    """Says class 3 with certainty p, and counts the modes in which it was called."""

    def __init__(self):
        super().__init__()
        self.modes = []

    def forward(self, images):
        self.modes.append(self.training)
        return torch.zeros(len(images), 10).index_fill(1, torch.tensor([3]), 2.0)


def test_scores_of_a_constant_answer(digits):
    scores = evaluate.evaluate(Fixed(), digits, digits.test)
    share = (digits.test.targets == 3).double().mean().item()
    normaliser = torch.logsumexp(torch.tensor([2.0] + [0.0] * 9), 0).item()
    assert scores.accuracy == pytest.approx(share, abs=1e-12)
    assert scores.loss == pytest.approx(normaliser - 2 * share, rel=1e-6)


def test_it_is_evaluated_in_evaluation_mode_and_put_back(digits):
    model = Fixed()
    evaluate.evaluate(model, digits, digits.test)
    assert model.modes == [False]
    assert model.training


def test_ignored_positions_count_nowhere(digits):
    targets = digits.test.targets.clone()
    targets[::2] = data.IGNORED
    half = evaluate.evaluate(Fixed(), digits, data.Split(digits.test.inputs, targets))
    rest = evaluate.evaluate(Fixed(), digits, data.Split(digits.test.inputs[1::2], digits.test.targets[1::2]))
    assert half.accuracy == rest.accuracy
    assert half.loss == pytest.approx(rest.loss, rel=1e-5)  # float32 sums


def test_a_network_of_nans_has_no_loss(digits):
    scores = evaluate.evaluate(lambda_module(lambda x: torch.full((len(x), 10), torch.nan)), digits, digits.test)
    assert scores.loss is None
    assert 0 <= scores.accuracy < 0.2


def lambda_module(function):
    module = nn.Module()
    module.forward = function
    return module
