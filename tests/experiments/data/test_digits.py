import torch

from experiments import data
from experiments.config.schema import DataConfig


def test_the_three_parts_are_disjoint_and_whole():
    digits = data.load(DataConfig(validation=0.15))
    sizes = [len(split) for split in (digits.train, digits.validation, digits.test)]
    assert sizes == [1222, 216, 359]
    assert sum(sizes) == 1797
    everything = torch.cat([split.inputs for split in (digits.train, digits.validation, digits.test)]).flatten(1)
    from sklearn.datasets import load_digits

    original = torch.tensor(load_digits().data, dtype=torch.uint8)
    assert sorted(everything.tolist()) == sorted(original.tolist())


def test_a_limit_cuts_the_training_examples_and_leaves_the_test_set_alone():
    few, all_of_them = data.load(DataConfig(validation=0.2, limit=100)), data.load(DataConfig(validation=0.2))
    assert (len(few.train), len(few.validation)) == (80, 20)
    assert torch.equal(few.test.inputs, all_of_them.test.inputs)


def test_the_fingerprint_sees_every_pixel_and_label():
    digits = data.load(DataConfig())
    before = digits.fingerprint()
    for tensor in (digits.test.inputs, digits.validation.targets):
        tensor.view(-1)[7] += 1
        assert digits.fingerprint() != before
        tensor.view(-1)[7] -= 1
    assert digits.fingerprint() == before


def test_the_statistics_are_those_of_the_training_images():
    digits = data.load(DataConfig())
    pixels = digits.train.inputs.double()
    assert digits.mean.item() == pixels.mean().float().item()
    torch.testing.assert_close(digits.std.view(()).double(), pixels.std(correction=0), rtol=1e-6, atol=0)


def test_a_test_limit_keeps_the_first_test_examples():
    few, whole = data.load(DataConfig(test_limit=50)), data.load(DataConfig())
    assert torch.equal(few.test.inputs, whole.test.inputs[:50])
    assert torch.equal(few.train.inputs, whole.train.inputs)
    assert few.fingerprint() != whole.fingerprint()
