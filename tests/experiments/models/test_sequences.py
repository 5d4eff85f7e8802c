"""GPT and the tagger: what goes in must not reach where it may not."""

import pytest
import torch

from experiments.data.dataset import PADDING
from experiments.models.bilstm import BiLSTM
from experiments.models.gpt import GPT


@pytest.fixture
def gpt():
    torch.manual_seed(0)
    return GPT(11, 11, context=12, layers=2, heads=2, width=16).eval()


def test_no_token_sees_its_future(gpt):
    tokens = torch.randint(0, 11, (3, 12), generator=torch.Generator().manual_seed(1))
    changed = tokens.clone()
    changed[:, 7:] = (changed[:, 7:] + 1) % 11
    before, after = gpt(tokens), gpt(changed)
    assert torch.equal(before[:, :7], after[:, :7])
    assert (before[:, 7] - after[:, 7]).abs().max() > 1e-3


def test_every_token_sees_its_past(gpt):
    tokens = torch.zeros(1, 12, dtype=torch.int64)
    changed = tokens.clone()
    changed[0, 0] = 5
    assert (gpt(tokens)[0, -1] - gpt(changed)[0, -1]).abs().max() > 1e-6


def test_gpt2_medium_has_the_papers_size():
    with torch.device("meta"):
        model = GPT(50257, 50257, context=1024, layers=24, heads=16, width=1024)
    # GPT-2 medium, which its authors first counted as 345 M
    assert sum(p.numel() for p in model.parameters()) == 354_823_168


def test_a_fresh_gpt_knows_nothing(gpt):
    loss = torch.nn.functional.cross_entropy(
        gpt(torch.randint(0, 11, (8, 12))).flatten(0, 1), torch.randint(0, 11, (96,))
    )
    assert loss.item() == pytest.approx(torch.tensor(11.0).log().item(), abs=0.05)


@pytest.mark.parametrize(
    ("options", "words"), [({"heads": 3, "width": 16}, "must divide width"), ({"classes": 5}, "its own tokens")]
)
def test_an_impossible_gpt_is_refused(options, words):
    with pytest.raises(ValueError, match=words):
        GPT(**{"vocabulary": 11, "classes": 11, **options})


def test_padding_changes_nothing_for_the_words_before_it():
    torch.manual_seed(0)
    tagger = BiLSTM(20, 5).eval()
    sentence = torch.randint(1, 20, (1, 6))
    padded = torch.cat([sentence, torch.full((1, 4), PADDING)], dim=1)
    torch.testing.assert_close(tagger(padded)[:, :6], tagger(sentence), rtol=1e-6, atol=1e-7)
    assert tagger(padded).shape == (1, 10, 5)


def test_every_sentence_of_a_batch_gets_its_own_tags():
    torch.manual_seed(0)
    tagger = BiLSTM(20, 5).eval()
    batch = torch.randint(1, 20, (3, 7))
    lengths = (4, 7, 2)
    for row, length in zip(batch, lengths, strict=True):
        row[length:] = PADDING
    for row, length, tags in zip(batch, lengths, tagger(batch), strict=True):
        torch.testing.assert_close(tags[:length], tagger(row[None, :length])[0], rtol=1e-6, atol=1e-7)
        assert not tags[length:].any()


def test_sentences_of_one_length_are_read_together_with_the_same_result():
    torch.manual_seed(0)
    tagger = BiLSTM(20, 5, dropout=0.0)
    batch = torch.randint(1, 20, (24, 7), generator=torch.Generator().manual_seed(1))
    batch[:8, 4:], batch[16:, 2:] = PADDING, PADDING
    lengths = (batch != PADDING).sum(dim=1)
    found = []
    for logits in (tagger(batch), tagger._packed(batch, lengths)):
        tagger.zero_grad()
        (logits * torch.arange(logits.numel()).view_as(logits).cos()).sum().backward()
        found.append([logits.detach(), *(p.grad for p in tagger.parameters())])
    for together, packed in zip(*found, strict=True):
        torch.testing.assert_close(together, packed, rtol=1e-5, atol=1e-6)
    assert not found[0][0][:8, 4:].any()
    assert not found[0][0][16:, 2:].any()


def test_the_tagger_in_bfloat16_is_near_that_in_float32():
    torch.manual_seed(0)
    tagger = BiLSTM(20, 5).eval()
    alike = torch.randint(1, 20, (16, 6), generator=torch.Generator().manual_seed(1))
    mixed = alike.clone()
    mixed[torch.arange(6)[None] >= torch.arange(16)[:, None] % 6 + 1] = PADDING
    for batch in (alike, mixed):
        with torch.autocast("cpu", torch.bfloat16):
            coarse = tagger(batch)
        exact = tagger(batch)
        assert not torch.equal(coarse.float(), exact)
        torch.testing.assert_close(coarse.float(), exact, rtol=0.02, atol=0.01)


def test_the_tagger_reads_both_ways():
    torch.manual_seed(0)
    tagger = BiLSTM(20, 5).eval()
    sentence = torch.randint(2, 20, (1, 6))
    for changed_at, seen_at in ((5, 0), (0, 5)):
        other = sentence.clone()
        other[0, changed_at] = 1
        assert (tagger(other) - tagger(sentence))[0, seen_at].abs().max() > 1e-5


def test_the_tagger_has_the_papers_sizes():
    with torch.device("meta"):
        tagger = BiLSTM(1000, 9)
    # embedding 1000 x 100; per layer and direction 4 x 128 x (inputs + 128 + 2); tags 9 x 256 + 9
    lstm = 2 * 512 * (100 + 128 + 2) + 2 * 512 * (256 + 128 + 2)
    assert sum(p.numel() for p in tagger.parameters()) == 100_000 + lstm + 9 * 257
