"""Which parameters decay_groups excludes, and what the exclusion does."""

import numpy as np
import pytest
import torch
from torch import nn

from alto import ALTO, decay_groups, for_batch, large_batch, small_batch


class HomeMadeNorm(nn.Module):
    def __init__(self):
        super().__init__()
        self.gain = nn.Parameter(torch.ones(4))


@pytest.mark.parametrize(
    "norm",
    [
        nn.BatchNorm1d(4),
        nn.SyncBatchNorm(4),
        nn.InstanceNorm2d(4, affine=True),
        nn.GroupNorm(2, 4),
        nn.LayerNorm((4, 3)),
        nn.RMSNorm((4, 3)),
        HomeMadeNorm(),
    ],
    ids=lambda m: type(m).__name__,
)
def test_normalisation_layers_neither_decay_nor_scale(norm):
    groups = decay_groups(nn.ModuleList([norm, nn.Linear(4, 4, bias=False)]), weight_decay=0.1)
    decayed, plain = groups
    assert [p.shape for p in decayed["params"]] == [(4, 4)]
    assert len(plain["params"]) == len(list(norm.parameters()))
    assert (decayed["weight_decay"], plain["weight_decay"], plain["layerwise"]) == (0.1, 0.0, False)


def test_biases_and_scalars_are_excluded_and_embeddings_are_not():
    model = nn.ModuleDict({"embed": nn.Embedding(5, 4), "conv": nn.Conv2d(2, 3, 3)})
    model.temperature = nn.Parameter(torch.tensor(1.0))
    decayed, plain = decay_groups(model)
    assert {p.ndim for p in decayed["params"]} == {2, 4}
    assert {p.ndim for p in plain["params"]} == {0, 1}


def test_biases_of_attention_are_excluded():
    attention = nn.MultiheadAttention(4, 2, add_bias_kv=True)
    decayed, plain = decay_groups(attention)
    assert {id(p) for p in decayed["params"]} == {id(attention.in_proj_weight), id(attention.out_proj.weight)}
    assert {id(attention.bias_k), id(attention.bias_v)} < {id(p) for p in plain["params"]}


def test_every_parameter_once_also_when_tied():
    model = nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 3))
    model[1].weight = model[0].weight
    listed = [id(p) for group in decay_groups(model) for p in group["params"]]
    assert sorted(listed) == sorted({id(p) for p in model.parameters()})


def test_an_empty_group_is_left_out():
    assert len(decay_groups(nn.Linear(3, 3, bias=False))) == 1
    assert len(decay_groups(nn.LayerNorm(3))) == 1


def test_the_plain_group_takes_the_unscaled_step():
    bias = nn.Parameter(torch.full((3,), 100.0))
    optimizer = ALTO([{"params": [bias], "weight_decay": 0.0, "layerwise": False}], lr=0.1)
    bias.grad = torch.ones(3)
    optimizer.step()
    torch.testing.assert_close(bias.detach(), torch.full((3,), 99.9))  # Adam's first step is lr, whatever |theta|


def test_trust_ratio_does_not_hang_on_weight_decay():
    one, other = nn.Parameter(torch.full((3,), 100.0)), nn.Parameter(torch.full((3,), 100.0))
    for p, decay in ((one, 0.0), (other, 1e-12)):
        optimizer = ALTO([p], lr=0.1, weight_decay=decay)
        p.grad = torch.ones(3)
        optimizer.step()
    torch.testing.assert_close(one, other)
    assert one[0] < 91  # scaled to the norm: lr |theta| / sqrt 3 and not lr


def test_presets_are_the_papers():
    assert small_batch() == {"alpha": 0.5, "beta1": 0.01}
    assert large_batch() == {"alpha": -5.0, "beta1": 0.99}
    assert for_batch(999) == small_batch()
    assert for_batch(1000) == large_batch()
    assert for_batch(np.int64(999)) == small_batch()
    assert for_batch(np.uint16(1000)) == large_batch()
