import pytest
import torch

from experiments.training import batches


def test_an_order_is_a_permutation_that_follows_seed_and_epoch():
    first = batches.order(100, 1, 0)
    assert sorted(first.tolist()) == list(range(100))
    assert torch.equal(first, batches.order(100, 1, 0))
    assert not torch.equal(first, batches.order(100, 1, 1))
    assert not torch.equal(first, batches.order(100, 2, 0))


def test_an_order_leaves_the_global_random_state_alone():
    before = torch.get_rng_state()
    batches.order(100, 1, 0)
    batches.moves(2, 1, 2)
    assert torch.equal(before, torch.get_rng_state())


@pytest.mark.parametrize(("examples", "size", "steps"), [(10, 5, 2), (11, 5, 3), (5, 10, 1)])
def test_no_example_is_dropped(examples, size, steps):
    assert batches.steps_per_epoch(examples, size) == steps


def test_every_augmented_image_is_a_shift_or_a_mirrored_shift():
    image = torch.arange(1.0, 1 + 2 * 6 * 5).view(2, 6, 5)
    images = image.repeat(400, 1, 1, 1)
    result = batches.augment(images, batches.moves(400, 3, 4, padding=2))
    padded = torch.nn.functional.pad(image, (2,) * 4)
    shifts = [padded[:, top : top + 6, left : left + 5] for top in range(5) for left in range(5)]
    allowed = torch.stack([*shifts, *(shift.flip(2) for shift in shifts)])
    matches = (result[:, None] == allowed).flatten(2).all(2)
    assert matches.any(1).all()
    # 50 outcomes of equal probability in 400 draws: each is missed with probability 3e-4, three or more are never seen
    # to be missing unless an outcome is impossible
    assert matches.any(0).sum() >= 48


def test_augmentation_follows_seed_and_step():
    images = torch.rand(16, 3, 8, 8)

    def augmented(seed, step):
        return batches.augment(images, batches.moves(16, seed, step))

    first = augmented(1, 5)
    assert torch.equal(first, augmented(1, 5))
    assert not torch.equal(first, augmented(1, 6))
    assert not torch.equal(first, augmented(2, 5))


def test_an_image_is_augmented_alike_in_whatever_part_of_the_batch_it_is():
    images = torch.rand(16, 3, 8, 8)
    how = batches.moves(16, 1, 5)
    whole = batches.augment(images, how)
    for places in (slice(0, 16, 2), slice(5, 6), slice(12, 16)):
        assert torch.equal(batches.augment(images[places], how.take(places)), whole[places])
