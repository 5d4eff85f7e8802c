"""Which parameters decay_groups excludes, and what the exclusion does."""

import copy

import numpy as np
import pytest
import torch
from torch import nn

from alto import ALTO, ESGD, LAMB, E, decay_groups, for_batch, large_batch, small_batch
from tests.alto.zoo import run


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


def test_only_a_model_has_layers():
    for wrong in (nn.Linear(2, 2).parameters(), [nn.Parameter(torch.ones(2))], None):
        with pytest.raises(TypeError, match=r"must be a torch\.nn\.Module .*not its parameters"):
            decay_groups(wrong)


def test_further_parameters_are_excluded_by_name():
    model = nn.ModuleDict({"head": nn.Linear(4, 4)})
    model.cls_token = nn.Parameter(torch.ones(1, 1, 4))
    model.head.gain = nn.Parameter(torch.ones(1, 4, 1, 1))
    decayed, plain = decay_groups(model, exclude=["cls_token", "*.gain"])
    assert [id(p) for p in decayed["params"]] == [id(model.head.weight)]
    assert {id(p) for p in plain["params"]} == {id(model.cls_token), id(model.head.gain), id(model.head.bias)}
    with pytest.raises(ValueError, match=r"exclude: 'cls_tokens' matches no name .*'cls_token'"):
        decay_groups(model, exclude=["cls_tokens"])


def test_a_shared_parameter_is_excluded_under_any_of_its_names():
    model = nn.ModuleDict({"one": nn.Linear(3, 3, bias=False), "other": nn.Linear(3, 3, bias=False)})
    model.other.weight = model.one.weight
    (plain,) = decay_groups(model, exclude=["other.weight"])
    assert plain["params"] == [model.one.weight]


def test_groups_with_names_go_on_with_named_groups():
    model = nn.Sequential(nn.Linear(3, 4), nn.LayerNorm(4))
    optimizer = ALTO(decay_groups(model, names=True))
    assert [group["param_names"] for group in optimizer.param_groups] == [
        ["0.weight"],
        ["0.bias", "1.weight", "1.bias"],
    ]
    optimizer.add_param_group({"params": nn.Linear(4, 2, bias=False).named_parameters()})
    assert optimizer.param_groups[2]["param_names"] == ["weight"]
    other = ALTO(decay_groups(model))
    for group, same in zip(decay_groups(model), optimizer.param_groups, strict=False):
        assert all(p is q for p, q in zip(group["params"], same["params"], strict=True))
    assert "param_names" not in other.param_groups[0]


def test_lazy_modules_are_split_as_they_will_be():
    model = nn.Sequential(nn.LazyConv2d(4, 3), nn.LazyBatchNorm2d(), nn.Flatten(), nn.LazyLinear(2))
    before = [[id(p) for p in group["params"]] for group in decay_groups(model)]
    model(torch.ones(2, 3, 5, 5))
    assert [[id(p) for p in group["params"]] for group in decay_groups(model)] == before
    assert [len(group) for group in before] == [2, 4]


def zero3(model):
    """What DeepSpeed's ZeRO-3 leaves of a model: empty placeholders that know their shapes."""
    for number, p in enumerate(model.parameters()):
        p.ds_id, p.ds_shape, p.data = number, p.shape, torch.empty(0)
    return model


def test_placeholders_of_zero3_are_split_by_the_shapes_that_they_note():
    model = nn.Sequential(nn.Linear(3, 4), nn.LayerNorm(4))
    expected = [[id(p) for p in group["params"]] for group in decay_groups(model)]
    assert [[id(p) for p in group["params"]] for group in decay_groups(zero3(model))] == expected


@pytest.mark.parametrize("mark", ["_fsdp_flattened", "_is_flat_param"])
def test_flattened_parameters_are_refused_with_a_remedy(mark):
    model = nn.Linear(3, 4)
    setattr(model.weight, mark, True)
    with pytest.raises(ValueError, match=r"parameter 'weight' was flattened by FSDP1 .*fully_shard \(FSDP2\)"):
        decay_groups(model)


def test_layerwise_norms_of_flattened_parameters_are_refused():
    for model in (zero3(nn.Linear(3, 4)), nn.Linear(3, 4)):
        model.bias._is_flat_param = True
        for make in (ALTO, LAMB, lambda p: E(LAMB(p))):
            with pytest.raises(ValueError, match=r"parameter \d .* flattened by .*fully_shard .*layerwise = False"):
                make(model.parameters())
        optimizer = ALTO(model.parameters(), layerwise=False)
        ESGD(model.parameters())
        for p in model.parameters():
            p.grad = torch.ones_like(p)
        optimizer.step()
        optimizer.param_groups[0]["layerwise"] = True
        with pytest.raises(ValueError, match="was flattened by"):
            optimizer.step()


@pytest.mark.parametrize("make", [ALTO, LAMB, lambda groups: E(LAMB(groups))], ids=["ALTO", "LAMB", "E(LAMB)"])
@pytest.mark.parametrize("copied", [False, True])
def test_flat_buffers_in_the_place_of_layers_are_refused(make, copied):
    """As ZeRO stages 1 and 2 and Megatron's distributed optimizer put them there."""
    model = nn.Sequential(nn.Linear(3, 4), nn.LayerNorm(4))
    optimizer = make(decay_groups(model))
    if copied:
        optimizer = copy.deepcopy(optimizer)
    for group in optimizer.param_groups:
        group["params"] = [nn.Parameter(nn.utils.parameters_to_vector(group["params"]).detach())]
        group["params"][0].grad = torch.ones_like(group["params"][0])
    before = optimizer.param_groups[0]["params"][0].detach().clone()
    with pytest.raises(ValueError, match=r"parameter 0 of group 0, .* a layer of 2 dimensions was.*layerwise = False"):
        optimizer.step()
    assert torch.equal(before, optimizer.param_groups[0]["params"][0])
    optimizer.param_groups[0]["layerwise"] = False
    optimizer.step()  # the other group had vectors from the beginning


def test_other_layers_in_the_place_of_layers_are_taken():
    """Master copies in float32, and points that a scene gains."""
    optimizer = ALTO([nn.Parameter(torch.ones(2, 3, dtype=torch.bfloat16))])
    optimizer.param_groups[0]["params"] = [gained := nn.Parameter(torch.ones(5, 3))]
    run(optimizer, [gained], 1)
    assert (gained != 1).all()


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
