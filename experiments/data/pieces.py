"""Words cut into the pieces that a pretrained network knows, by its own tokenizer (transformers)."""

import os
from collections.abc import Sequence
from typing import Any

from experiments.data.dataset import IGNORED
from experiments.io.errors import ConfigError, DataError


def load(name: str) -> Any:
    """A tokenizer.

    Args:
        name: A folder that ``save_pretrained`` wrote, or a name that the Hugging Face hub or its cache knows.

    Returns:
        A fast tokenizer; its padding token must have the number 0, as BERT's has.

    Raises:
        ConfigError: the package transformers is absent, or the tokenizer cannot do what is needed here.
        DataError: there is no such tokenizer, here or over the network.
    """
    try:
        from transformers import AutoTokenizer
    except ModuleNotFoundError as error:
        raise ConfigError("data.pieces", "it needs the package transformers: pip install transformers") from error
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")  # runs fork no threads of their own
    try:
        tokenizer = AutoTokenizer.from_pretrained(name)
    except Exception as error:  # the tokenizers' own errors have no type
        raise DataError(
            f"the word pieces {name!r} are neither a folder nor in the hub's cache, and cannot be fetched. Run "
            f"'hf download {name}' where there is network, or set data.pieces to a folder that save_pretrained wrote"
        ) from error
    if tokenizer.pad_token_id != 0 or not tokenizer.is_fast:
        raise ConfigError("data.pieces", f"{name!r} is not allowed; it must be a fast tokenizer whose padding is 0")
    return tokenizer


def size(tokenizer: Any) -> int:
    """Number of pieces, the special ones among them."""
    return len(tokenizer)


def pairs(tokenizer: Any, texts: Sequence[tuple[str, str]], context: int) -> list[tuple[list[int], list[int]]]:
    """Tokens and segments of sentences or pairs, cut at ``context`` pieces.

    Args:
        tokenizer: From `load`.
        texts: First and second sentence; the second may be empty.
        context: Most pieces.

    Returns:
        For each, its pieces' numbers, and 1 where they are of the second sentence.
    """
    found = []
    for first, second in texts:
        coded = tokenizer(first, second or None, truncation=True, max_length=context, return_token_type_ids=True)
        found.append((coded["input_ids"], coded["token_type_ids"]))
    return found


def tagged(tokenizer: Any, sentence: Sequence[str], tags: Sequence[int], context: int) -> tuple[list[int], list[int]]:
    """The pieces of a tagged sentence; the first piece of a word carries its tag, and no other position counts.

    Args:
        tokenizer: From `load`.
        sentence: Its words.
        tags: Their tags' numbers.
        context: Most pieces.

    Returns:
        Pieces and targets.

    Raises:
        DataError: the sentence has more pieces; cut, it would lose entities that then nobody is asked for.
    """
    coded = tokenizer(list(sentence), is_split_into_words=True)
    if len(coded["input_ids"]) > context:
        raise DataError(
            f"a sentence of {len(sentence)} words has {len(coded['input_ids'])} pieces, which is more than "
            f"data.context = {context}: raise it"
        )
    targets, before = [], None
    for word in coded.word_ids():
        targets.append(IGNORED if word is None or word == before else tags[word])
        before = word
    return coded["input_ids"], targets
