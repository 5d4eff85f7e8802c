"""BERT through transformers: what it sees, what it may not see, pretrained weights from a folder, and refusals."""

import importlib.util

import pytest
import torch

from experiments import data, models
from experiments.config.schema import DataConfig, ModelConfig, TrainingConfig
from experiments.data.dataset import PADDING
from experiments.io.environment import Environment
from experiments.io.errors import ConfigError
from experiments.models.bert import BertClassifier, BertTagger
from experiments.runs import plan
from experiments.training.train import train

SMALL = {"layers": 1, "heads": 2, "width": 16, "context": 32}


@pytest.fixture
def classifier():
    torch.manual_seed(0)
    return BertClassifier(50, 3, **SMALL).eval()


def inputs(seed, length=10):
    tokens = torch.randint(2, 50, (2, length), generator=torch.Generator().manual_seed(seed))
    return torch.stack([tokens, torch.zeros_like(tokens)], dim=1)


def test_padding_changes_nothing(classifier):
    short = inputs(1)
    padded = torch.nn.functional.pad(short, (0, 5), value=PADDING)
    torch.testing.assert_close(classifier(padded), classifier(short))
    tagger = BertTagger(50, 4, **SMALL).eval()
    torch.testing.assert_close(tagger(padded[:, 0])[:, :10], tagger(short[:, 0]))
    assert tagger(short[:, 0]).shape == (2, 10, 4)


def test_the_segments_count(classifier):
    one = inputs(1)
    two = one.clone()
    two[:, 1, 5:] = 1
    assert (classifier(one) - classifier(two)).abs().max() > 1e-6  # fresh weights are small; equal, it would be 0


def test_bert_base_has_its_authors_size():
    with torch.device("meta"):
        model = BertTagger(28996, 9, layers=12, heads=12, width=768, context=512)
    # 107,719,680 without the pooling layer of 590,592 (108 M for bert-base-cased, Devlin et al.), and 9 tags
    assert sum(p.numel() for p in model.parameters()) == 107_719_680 + 768 * 9 + 9


def test_pretrained_weights_come_from_a_folder_and_the_last_layer_from_the_seed(classifier, tmp_path):
    classifier.bert.bert.save_pretrained(tmp_path / "weights")
    options = {"weights": str(tmp_path / "weights")}
    loaded = BertClassifier(50, 2, **options)
    for name, tensor in classifier.bert.bert.state_dict().items():
        assert torch.equal(loaded.bert.bert.state_dict()[name], tensor), name
    heads = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        heads.append(BertTagger(50, 7, **options).bert.classifier.weight)
    assert torch.equal(heads[0], heads[1])
    assert not torch.equal(heads[0], heads[2])
    with pytest.raises(ValueError, match=r"know 50 tokens, the data have 60: set data\.pieces"):
        BertClassifier(60, 2, **options)


def test_absent_weights_are_refused_with_the_remedy(tmp_path):
    reviews = data.load(DataConfig("made-reviews"))
    with pytest.raises(ConfigError, match="neither a folder with weights nor in the hub's cache") as caught:
        models.create(ModelConfig("bert-classifier", {"weights": str(tmp_path / "nothing")}), reviews)
    assert caught.value.key == "model.options.weights"


def test_a_missing_package_is_refused_before_anything_runs(monkeypatch):
    real = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "transformers" else real(name))
    with pytest.raises(ConfigError, match="pip install transformers"):
        models.check(ModelConfig("bert-tagger"), "tags")


@pytest.mark.parametrize(("name", "model", "least"), [
    ("made-reviews", "bert-classifier", 0.95), ("made-sentences", "bert-tagger", 0.85),
])  # fmt: skip
def test_a_small_random_bert_learns(name, model, least, tmp_path):
    recipe = TrainingConfig(epochs=8, batch_size=64, schedule="polynomial", warmup=1.0, clip=1.0, evaluations=1)
    options = {"layers": 1, "heads": 2, "width": 32, "context": 32}
    run = plan.Run("final", "any", "AdamW", "AdamW", {}, 3e-3, 1, DataConfig(name), ModelConfig(model, options), recipe)
    row = train(run, Environment(tmp_path))
    # both corpora need context: half of the reviews are turned round, and most names are of two kinds
    assert row.last.test.accuracy > least
    assert (row.last.test.f1 is None) == (name == "made-reviews")
