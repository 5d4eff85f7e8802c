"""Sentences and pairs of sentences to classify: GLUE-MRPC and IMDB in Hugging Face's layout on disk."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from experiments.config.schema import DataConfig
from experiments.data import pieces
from experiments.data.conll import UNKNOWN
from experiments.data.dataset import PADDING, Dataset, Split, hold_out, locate, note_beside
from experiments.io.errors import ConfigError, DataError

Example = tuple[str, str, int]  # first sentence, second sentence or nothing, class

BEGIN, SEPARATOR = UNKNOWN + 1, UNKNOWN + 2  # token numbers where the vocabulary is our own


@dataclass(frozen=True)
class _Layout:
    """The columns of one data set, its part to test on, and what it has classes of."""

    first: str
    second: str
    test: str
    classes: int


_LAYOUTS = {
    # GLUE keeps the answers of its test part back, as a rule: results on it are reported on its validation part.
    "mrpc": _Layout("sentence1", "sentence2", "validation", 2),
    "imdb": _Layout("text", "", "test", 2),
}


def read(config: DataConfig, data_dir: Path | None) -> Dataset:
    """Read the folder ``NAME`` that ``datasets.DatasetDict.save_to_disk`` wrote.

    The validation examples, to choose learning rates by, are held out of its training part.

    Args:
        config: The name, the share of validation examples, the limit, the word pieces and the context.
        data_dir: The folder above.

    Returns:
        Inputs (n, 2, length): tokens, and 1 where they are of the second sentence.

    Raises:
        ConfigError: the package datasets is absent.
        DataError: the folder is absent or damaged, a column is missing, or a label is out of range.
    """
    layout = _LAYOUTS[config.name]
    folder = locate(
        data_dir,
        config.name,
        remedy=f"Get it with: python -m experiments fetch {config.name} --data-dir DIR (where there is network), or "
        f"write it there with datasets' save_to_disk.",
    )
    train, test = (_examples(folder / part, layout) for part in ("train", layout.test))
    return assemble(config, train, test, layout.classes, note_beside(folder))


def _examples(folder: Path, layout: _Layout) -> list[Example]:
    try:
        import datasets
    except ModuleNotFoundError as error:
        raise ConfigError("data.name", "it needs the package datasets: pip install datasets") from error
    if not folder.is_dir():
        raise DataError(f"{folder} is absent: the data set is not whole, fetch it again")
    try:
        table = datasets.Dataset.load_from_disk(str(folder))
        columns = [table[name][:] for name in (layout.first, layout.second or layout.first, "label")]
    except Exception as error:  # a damaged folder can raise anything
        raise DataError(f"{folder} cannot be read ({type(error).__name__}: {error}): fetch it again") from error
    examples = [(str(a), str(b) if layout.second else "", c) for a, b, c in zip(*columns, strict=True)]
    for number, (_, _, label) in enumerate(examples):
        if not isinstance(label, int) or not 0 <= label < layout.classes:
            raise DataError(
                f"{folder}: example {number} has label {label!r}, allowed are 0 to {layout.classes - 1}: fetch it again"
            )
    return examples


def assemble(config: DataConfig, train: Sequence[Example], test: Sequence[Example], classes: int, note: str) -> Dataset:
    """Number the tokens, pad the examples, and hold some out.

    Args:
        config: As in `read`. Without word pieces a token is a lower-cased word, and the vocabulary that of ``train``.
        train: Examples to learn from.
        test: Examples to test on.
        classes: Number of classes.
        note: What a reader of the results must know.

    Returns:
        The data set.
    """
    if config.pieces:
        numbering = pieces.load(config.pieces)
        vocabulary = pieces.size(numbering)
        encoded = [pieces.pairs(numbering, [e[:2] for e in part], config.context) for part in (train, test)]
    else:
        words = sorted({word for first, second, _ in train for word in f"{first} {second}".lower().split()})
        numbers = {word: number for number, word in enumerate(words, SEPARATOR + 1)}
        vocabulary = SEPARATOR + 1 + len(words)
        encoded = [
            [_words(first, second, numbers, config.context) for first, second, _ in part] for part in (train, test)
        ]
    whole, held = (
        Split(_padded(rows), torch.tensor([label for _, _, label in part]))
        for rows, part in zip(encoded, (train, test), strict=True)
    )
    kept, validation = hold_out(whole, config.validation, None if config.limit == "all" else config.limit)
    return Dataset(config.name, "sentence", classes, kept, validation, held, vocabulary=vocabulary, note=note)


def _words(first: str, second: str, numbers: dict[str, int], context: int) -> tuple[list[int], list[int]]:
    """``[begin] first [separator] second [separator]``, cut at ``context`` tokens, and which sentence each is of."""
    parts = [[numbers.get(word, UNKNOWN) for word in text.lower().split()] for text in (first, second) if text]
    tokens, segments = [BEGIN], [0]
    for segment, part in enumerate(parts):
        tokens += [*part, SEPARATOR]
        segments += [segment] * (len(part) + 1)
    return tokens[:context], segments[:context]


def _padded(rows: Sequence[tuple[list[int], list[int]]]) -> torch.Tensor:
    result = torch.full((len(rows), 2, max(len(tokens) for tokens, _ in rows)), PADDING)
    result[:, 1] = 0
    for row, (tokens, segments) in zip(result, rows, strict=True):
        row[0, : len(tokens)] = torch.tensor(tokens)
        row[1, : len(segments)] = torch.tensor(segments)
    return result
