"""BERT (Devlin et al. 2019) to tag or to classify, from transformers: pretrained with a new last layer, or random."""

import os
from typing import Any, Literal

from torch import Tensor, nn

from experiments.data.dataset import PADDING
from experiments.io.errors import ConfigError


class BertTagger(nn.Module):
    """A tag for each token.

    Args:
        vocabulary: Number of tokens, with `PADDING` among them.
        classes: Number of tags.
        weights: Pretrained weights: a folder that ``save_pretrained`` wrote, or a name of the Hugging Face hub such as
            ``bert-base-cased``; the sizes are theirs then. Empty: random weights, with the sizes below.
        layers: Default: 2, ours.
        heads: Attention heads; they must divide ``width``. Default: 2, ours.
        width: Channels; the inner layers have four times as many. Default: 64, ours.
        context: Most tokens. Default: 128, ours.
        dropout: Of the hidden layers and attention weights. Default: 0.1, BERT's.

    Raises:
        ConfigError: transformers is absent, or there are no such weights.
        ValueError: the sizes do not fit each other, or the weights are for another vocabulary.
    """

    def __init__(
        self,
        vocabulary: int,
        classes: int,
        weights: str = "",
        layers: int = 2,
        heads: int = 2,
        width: int = 64,
        context: int = 128,
        dropout: float = 0.1,
    ):
        super().__init__()
        sizes = _sizes(vocabulary, layers, heads, width, context)
        self.bert = _body("BertForTokenClassification", vocabulary, classes, weights, dropout, sizes)
        self.context: int = self.bert.config.max_position_embeddings

    def forward(self, tokens: Tensor) -> Tensor:
        """(n, length) int64 -> (n, length, classes) logits."""
        return self.bert(tokens, attention_mask=tokens != PADDING).logits


class BertClassifier(nn.Module):
    """A class for a sentence or a pair of sentences, from the first token. The arguments are `BertTagger`'s."""

    def __init__(
        self,
        vocabulary: int,
        classes: int,
        weights: str = "",
        layers: int = 2,
        heads: int = 2,
        width: int = 64,
        context: int = 128,
        dropout: float = 0.1,
    ):
        super().__init__()
        sizes = _sizes(vocabulary, layers, heads, width, context)
        self.bert = _body("BertForSequenceClassification", vocabulary, classes, weights, dropout, sizes)
        self.context: int = self.bert.config.max_position_embeddings

    def forward(self, inputs: Tensor) -> Tensor:
        """(n, 2, length) int64, tokens and segments -> (n, classes) logits."""
        tokens, segments = inputs[:, 0], inputs[:, 1]
        return self.bert(tokens, attention_mask=tokens != PADDING, token_type_ids=segments).logits


def _sizes(vocabulary: int, layers: int, heads: int, width: int, context: int) -> dict[str, Any]:
    return {
        "vocab_size": vocabulary,
        "hidden_size": width,
        "num_hidden_layers": layers,
        "num_attention_heads": heads,
        "intermediate_size": 4 * width,
        "max_position_embeddings": context,
    }


def _body(
    kind: Literal["BertForTokenClassification", "BertForSequenceClassification"],
    vocabulary: int,
    classes: int,
    weights: str,
    dropout: float,
    sizes: dict[str, Any],
) -> Any:
    """One of transformers' networks; its new last layer is drawn from torch's global random state."""
    try:
        import transformers
    except ModuleNotFoundError as error:
        raise ConfigError("model.name", "BERT needs the package transformers: pip install transformers") from error
    transformers.logging.set_verbosity_error()  # that the last layer is new is no news here
    transformers.logging.disable_progress_bar()
    network = getattr(transformers, kind)
    settings: dict[str, Any] = {
        "num_labels": classes,
        "hidden_dropout_prob": dropout,
        "attention_probs_dropout_prob": dropout,
    }
    if not weights:
        return network(transformers.BertConfig(**(settings | sizes)))
    try:
        body = network.from_pretrained(weights, **settings)
    except OSError as error:
        raise ConfigError(
            "model.options.weights",
            f"{weights!r} is neither a folder with weights nor in the hub's cache, and cannot be fetched. Run "
            f"'hf download {weights}' where there is network, or give a folder that save_pretrained wrote",
        ) from error
    if body.config.vocab_size < vocabulary:
        raise ValueError(
            f"the weights know {body.config.vocab_size} tokens, the data have {vocabulary}: set data.pieces to the "
            f"tokenizer of {os.path.basename(weights)!r}"
        )
    return body
