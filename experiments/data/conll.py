"""Tagged sentences in columns, as in CoNLL-2003: word first, tag last on a line, a blank line between sentences."""

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from experiments.config import DataConfig
from experiments.data.dataset import IGNORED, PADDING, Dataset, Split, locate, note_beside
from experiments.errors import DataError

UNKNOWN = 1  # token number of a word that no training sentence has

Sentence = list[tuple[str, str]]  # (word, tag)


def read(config: DataConfig, data_dir: Path | None) -> Dataset:
    """Read ``NAME/train.txt``, ``NAME/valid.txt`` (or ``testa``) and ``NAME/test.txt`` (or ``testb``).

    The file's own validation part is used; ``data.validation`` has no say. Words are lower-cased; the vocabulary is
    that of the training sentences.

    Args:
        config: The name and the limit.
        data_dir: The folder above.

    Returns:
        Inputs and targets (n, longest sentence), padded.

    Raises:
        DataError: a file is absent, a line has one column, or a tag is none of the training file's.
    """
    folder = locate(
        data_dir, config.name, remedy=f"Put train.txt, valid.txt and test.txt into its folder {config.name}."
    )
    parts = [
        sentences(locate(folder, *names, remedy="Each part of the corpus is one file."))
        for names in (("train.txt",), ("valid.txt", "testa.txt"), ("test.txt", "testb.txt"))
    ]
    if config.limit != "all":
        parts[0] = parts[0][: config.limit]
    return assemble(config.name, parts, note_beside(folder))


def sentences(path: Path) -> list[Sentence]:
    """The sentences of one file; lines that start with -DOCSTART- are no words.

    Args:
        path: The file.

    Returns:
        The sentences.

    Raises:
        DataError: the file cannot be read as such, or has no sentence.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path} cannot be read as UTF-8 text: {error}") from error
    found: list[Sentence] = [[]]
    for number, line in enumerate(lines, 1):
        columns = line.split()
        if not columns or columns[0] == "-DOCSTART-":
            found.append([])
        elif len(columns) == 1:
            raise DataError(f"{path}, line {number}: {line!r} has one column; a word and its tag make at least two")
        else:
            found[-1].append((columns[0], columns[-1]))
    found = [sentence for sentence in found if sentence]
    if not found:
        raise DataError(f"{path} has no sentence")
    return found


def assemble(name: str, parts: Sequence[list[Sentence]], note: str) -> Dataset:
    """Number words and tags and pad the sentences.

    Args:
        name: The corpus.
        parts: Training, validation and test sentences.
        note: What a reader of the results must know.

    Returns:
        The data set.
    """
    train = parts[0]
    words = sorted({word.lower() for sentence in train for word, _ in sentence})
    tags = sorted({tag for sentence in train for _, tag in sentence})
    word_numbers = {word: number for number, word in enumerate(words, UNKNOWN + 1)}
    tag_numbers = {tag: number for number, tag in enumerate(tags)}
    splits = [_padded(name, part, word_numbers, tag_numbers) for part in parts]
    return Dataset(name, "tags", len(tags), *splits, vocabulary=len(words) + UNKNOWN + 1, labels=tuple(tags), note=note)


def _padded(name: str, part: list[Sentence], words: dict[str, int], tags: dict[str, int]) -> Split:
    length = max(len(sentence) for sentence in part)
    inputs = torch.full((len(part), length), PADDING)
    targets = torch.full((len(part), length), IGNORED)
    for row, sentence in enumerate(part):
        for tag in {tag for _, tag in sentence} - tags.keys():
            raise DataError(f"{name}: tag {tag!r} is none of the training sentences' tags ({', '.join(tags)})")
        inputs[row, : len(sentence)] = torch.tensor([words.get(word.lower(), UNKNOWN) for word, _ in sentence])
        targets[row, : len(sentence)] = torch.tensor([tags[tag] for _, tag in sentence])
    return Split(inputs, targets)


def spans(tags: Sequence[str]) -> set[tuple[int, int, str]]:
    """The entities of one sentence, as the CoNLL-2003 scorer sees them.

    An entity of a kind begins at B-kind, or at I-kind where no entity of that kind is open; it ends where neither
    I-kind nor its own continuation follows. So IOB1 and IOB2 files are both read right.

    Args:
        tags: One a word: O, B-kind or I-kind.

    Returns:
        Triples (first word, one past the last word, kind).
    """
    found, begin, open_kind = set(), 0, ""
    for place, tag in enumerate([*tags, "O"]):
        prefix, _, kind = tag.partition("-")
        if open_kind and not (prefix == "I" and kind == open_kind):
            found.add((begin, place, open_kind))
            open_kind = ""
        if prefix in {"B", "I"} and not open_kind:
            begin, open_kind = place, kind
    return found


def f1(predicted: Tensor, targets: Tensor, labels: Sequence[str]) -> float:
    """Micro-averaged F1 of entities.

    Args:
        predicted: (n, length) tag numbers.
        targets: (n, length) tag numbers, `IGNORED` past the end of a sentence.
        labels: Names of the tags.

    Returns:
        F1 in [0, 1]; 0 where there is no right entity.
    """
    right = found = present = 0
    for row, truth in zip(predicted.tolist(), targets.tolist(), strict=True):
        length = sum(tag != IGNORED for tag in truth)
        theirs = spans([labels[int(tag)] for tag in row[:length]])
        ours = spans([labels[int(tag)] for tag in truth[:length]])
        right, found, present = right + len(theirs & ours), found + len(theirs), present + len(ours)
    return 2 * right / (found + present) if right else 0.0
