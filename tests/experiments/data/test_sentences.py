"""Sentences to classify and word pieces: real layouts with made content, and every way in which they can be wrong."""

import datasets
import pytest
import torch
from transformers import BertTokenizerFast

from experiments import data
from experiments.config.schema import DataConfig
from experiments.data import conll, pieces, sentences
from experiments.io.errors import ConfigError, DataError

PAIRS = [("the cat sat", "a cat sat down", 1), ("rain fell", "the dog ran off", 0)] * 10
VOCABULARY = [
    "[PAD]",
    "[UNK]",
    "[CLS]",
    "[SEP]",
    "[MASK]",
    "the",
    "cat",
    "sat",
    "a",
    "down",
    "rain",
    "fell",
    "dog",
    "ran",
    "off",
    "play",
    "##ing",
    "##er",
    "lima",
    "in",
]


def save(root, pairs=PAIRS, name="mrpc", columns=("sentence1", "sentence2", "label")):
    table = dict(zip(columns, (list(column) for column in zip(*pairs, strict=True)), strict=True))
    whole = datasets.Dataset.from_dict(table)
    parts = {"train": whole, "validation": whole.select(range(6)), "test": whole.select(range(4))}
    datasets.DatasetDict(parts).save_to_disk(str(root / name))


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pieces")
    (folder / "vocab.txt").write_text("\n".join(VOCABULARY))
    BertTokenizerFast(vocab=str(folder / "vocab.txt")).save_pretrained(folder / "saved")
    return folder / "saved"


def test_pairs_of_words(tmp_path):
    save(tmp_path)
    found = data.load(DataConfig("mrpc", validation=0.1), tmp_path)
    assert (found.kind, found.classes) == ("sentence", 2)
    assert (len(found.train), len(found.validation), len(found.test)) == (18, 2, 6)
    tokens, segments = found.test.inputs[0]
    words = sorted({word for a, b, _ in PAIRS for word in f"{a} {b}".split()})
    expected = [2, *(4 + words.index(w) for w in ["the", "cat", "sat"]), 3]
    expected += [*(4 + words.index(w) for w in ["a", "cat", "sat", "down"]), 3]
    assert tokens.tolist() == expected
    assert segments.tolist() == [0] * 5 + [1] * 5
    assert found.test.targets.tolist() == [1, 0, 1, 0, 1, 0]
    assert found.vocabulary == 4 + len(words)


def test_single_sentences_and_the_cut(tmp_path):
    save(tmp_path, [("one two three four", 0, 1), ("five", 0, 0)] * 10, "imdb", ("text", "other", "label"))
    found = data.load(DataConfig("imdb", context=4), tmp_path)
    assert found.test.inputs.shape == (4, 2, 4)
    assert found.test.inputs[1, 0].tolist()[2:] == [3, 0]
    assert found.test.inputs[:, 1].sum() == 0


def test_word_pieces_of_pairs(tmp_path, tokenizer):
    save(tmp_path)
    found = data.load(DataConfig("mrpc", pieces=str(tokenizer)), tmp_path)
    assert found.vocabulary == len(VOCABULARY)
    words = [VOCABULARY[int(token)] for token in found.test.inputs[0, 0]]
    assert words == ["[CLS]", "the", "cat", "sat", "[SEP]", "a", "cat", "sat", "down", "[SEP]"]
    assert found.test.inputs[0, 1].tolist() == [0] * 5 + [1] * 5


def test_word_pieces_of_tagged_words(tmp_path, tokenizer):
    folder = tmp_path / "conll"
    folder.mkdir()
    for part in ("train", "valid", "test"):
        (folder / f"{part}.txt").write_text("playing NN O\nLima NNP B-LOC\n\nplayer NN B-PER\n")
    found = data.load(DataConfig("conll", pieces=str(tokenizer)), tmp_path)
    assert [VOCABULARY[int(token)] for token in found.train.inputs[0]] == ["[CLS]", "play", "##ing", "lima", "[SEP]"]
    none = data.IGNORED
    assert [none if t == none else found.labels[t] for t in found.train.targets[0].tolist()] == [
        none, "O", none, "B-LOC", none,
    ]  # fmt: skip
    assert conll.f1(found.train.targets.clamp_min(0), found.train.targets, found.labels) == 1.0
    with pytest.raises(DataError, match=r"data\.context = 4: raise it"):
        data.load(DataConfig("conll", pieces=str(tokenizer), context=4), tmp_path)


def test_positions_that_do_not_count_break_no_entity():
    labels = ("O", "B-LOC", "I-LOC")
    truth = torch.tensor([[-100, 1, -100, 2, 0, -100]])
    right = torch.tensor([[1, 1, 0, 2, 0, 1]])
    assert conll.f1(right, truth, labels) == 1.0
    assert conll.f1(torch.tensor([[1, 1, 0, 0, 0, 1]]), truth, labels) == 0.0


def test_an_absent_folder_says_how_to_get_it(tmp_path):
    with pytest.raises(DataError, match="fetch imdb --data-dir DIR"):
        sentences.read(DataConfig("imdb"), tmp_path)


def test_a_label_out_of_range_is_refused_by_name(tmp_path):
    save(tmp_path, [*PAIRS[:3], ("a", "b", -1)] * 4)
    with pytest.raises(DataError, match=r"mrpc/train: example 3 has label -1, allowed are 0 to 1"):
        sentences.read(DataConfig("mrpc"), tmp_path)


def test_a_missing_column_is_refused_by_name(tmp_path):
    save(tmp_path, columns=("sentence1", "second", "label"))
    with pytest.raises(DataError, match=r"mrpc/train cannot be read .*sentence2"):
        sentences.read(DataConfig("mrpc"), tmp_path)


def test_a_missing_part_is_refused_by_name(tmp_path):
    save(tmp_path)
    (tmp_path / "mrpc/validation").rename(tmp_path / "mrpc/dev")
    with pytest.raises(DataError, match=r"mrpc/validation is absent"):
        sentences.read(DataConfig("mrpc"), tmp_path)


def test_a_truncated_file_is_refused_by_name(tmp_path):
    save(tmp_path)
    (file,) = (tmp_path / "mrpc/train").glob("*.arrow")
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    with pytest.raises(DataError, match=r"mrpc/train cannot be read"):
        sentences.read(DataConfig("mrpc"), tmp_path)


def test_absent_word_pieces_are_refused_with_the_remedy(tmp_path):
    with pytest.raises(DataError, match="neither a folder nor in the hub's cache"):
        pieces.load(str(tmp_path / "nothing"))


@pytest.mark.parametrize(("package", "call"), [
    ("transformers", lambda root: pieces.load("bert-base-cased")),
    ("datasets", lambda root: sentences.read(DataConfig("mrpc"), root)),
])  # fmt: skip
def test_a_missing_package_is_named_with_the_remedy(tmp_path, monkeypatch, package, call):
    save(tmp_path)
    monkeypatch.setitem(__import__("sys").modules, package, None)
    with pytest.raises(ConfigError, match=f"pip install {package}"):
        call(tmp_path)


@pytest.mark.parametrize("name", ["made-reviews", "made-pairs"])
def test_the_made_corpora_are_the_same_every_time_and_balanced(name):
    found = data.load(DataConfig(name))
    assert (len(found.train), len(found.validation), len(found.test)) == (1350, 150, 500)
    data.load.cache_clear()
    assert data.load(DataConfig(name)).fingerprint() == found.fingerprint()
    share = found.train.targets.double().mean().item()
    assert 0.4 < share < 0.65
    # no single word tells the class: the majority answer by any one word's presence stays far from right
    for word in range(4, found.vocabulary):
        has = (found.train.inputs[:, 0] == word).any(dim=1).long()
        right = max(
            (has == found.train.targets).double().mean().item(), (has != found.train.targets).double().mean().item()
        )
        assert right < 0.7
