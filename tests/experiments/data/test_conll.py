import pytest
import torch

from experiments import data
from experiments.config.schema import DataConfig
from experiments.data import IGNORED, conll
from experiments.data.dataset import PADDING
from experiments.io.errors import DataError

TRAIN = """-DOCSTART- -X- -X- O

EU NNP B-NP B-ORG
rejects VBZ B-VP O
German JJ B-NP B-MISC

Peter NNP B-NP B-PER
Blackburn NNP I-NP I-PER
"""


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "conll2003"
    path.mkdir()
    (path / "train.txt").write_text(TRAIN)
    (path / "testa.txt").write_text("peter x B-PER\n")
    (path / "test.txt").write_text("Someone x B-PER\nrejects x O\n")
    return path


def test_words_and_tags_are_numbered_and_padded(folder):
    corpus = conll.read(DataConfig("conll2003"), folder.parent)
    assert corpus.labels == ("B-MISC", "B-ORG", "B-PER", "I-PER", "O")
    # 0 is padding, 1 is unknown; blackburn 2, eu 3, german 4, peter 5, rejects 6
    assert corpus.train.inputs.tolist() == [[3, 6, 4], [5, 2, PADDING]]
    assert corpus.train.targets.tolist() == [[1, 4, 0], [2, 3, IGNORED]]
    assert corpus.validation.inputs.tolist() == [[5]]
    assert corpus.test.inputs.tolist() == [[conll.UNKNOWN, 6]]
    assert corpus.vocabulary == 7


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("word\n", r"test\.txt, line 1: 'word' has one column"),
        ("word B-CITY\n", "tag 'B-CITY' is none of the training sentences' tags"),
        ("\n\n", r"test\.txt has no sentence"),
    ],
)
def test_a_damaged_file_is_refused_by_name(folder, content, words):
    (folder / "test.txt").write_text(content)
    with pytest.raises(DataError, match=words):
        conll.read(DataConfig("conll2003"), folder.parent)


def test_a_missing_part_is_refused(folder):
    (folder / "testa.txt").unlink()
    with pytest.raises(DataError, match=r"valid\.txt, testa\.txt"):
        conll.read(DataConfig("conll2003"), folder.parent)


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ("O O", set()),
        ("B-A I-A O", {(0, 2, "A")}),
        ("I-A I-A", {(0, 2, "A")}),  # IOB1
        ("I-A B-A", {(0, 1, "A"), (1, 2, "A")}),
        ("B-A B-A", {(0, 1, "A"), (1, 2, "A")}),
        ("B-A I-B", {(0, 1, "A"), (1, 2, "B")}),
        ("O I-B O B-A", {(1, 2, "B"), (3, 4, "A")}),
    ],
)
def test_entities_are_those_of_the_conll_scorer(tags, expected):
    assert conll.spans(tags.split()) == expected


def test_f1_of_a_worked_example():
    labels = ("O", "B-A", "I-A")
    truth = torch.tensor([[1, 2, 0, 1], [1, 0, IGNORED, IGNORED]])  # three entities
    answer = torch.tensor([[1, 2, 0, 0], [0, 1, 1, 1]])  # two entities within the sentences, one of them right
    assert conll.f1(answer, truth, labels) == pytest.approx(2 * 1 / (2 + 3))
    assert conll.f1(truth.clamp_min(0), truth, labels) == 1.0
    assert conll.f1(torch.zeros_like(truth), truth, labels) == 0.0


def test_the_made_corpus_needs_context():
    corpus = data.load(DataConfig("made-sentences"))
    assert (len(corpus.train), len(corpus.validation), len(corpus.test)) == (600, 150, 300)
    assert "Made sentences" in corpus.note
    # some word is tagged in more than one way, so a look-up table is not enough
    counted = corpus.train.targets != IGNORED
    kinds = {}
    for word, tag in zip(corpus.train.inputs[counted].tolist(), corpus.train.targets[counted].tolist(), strict=True):
        kinds.setdefault(word, set()).add(corpus.labels[tag][2:])
    assert max(len(kind) for kind in kinds.values()) == 3
    assert data.load(DataConfig("made-sentences")).fingerprint() == corpus.fingerprint()
