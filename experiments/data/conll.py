"""Tagged sentences in columns, as in CoNLL-2003: word first, tag last on a line, a blank line between sentences."""

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from experiments.config.schema import DataConfig
from experiments.data import pieces
from experiments.data.dataset import IGNORED, PADDING, Dataset, Split, locate, note_beside, read_text
from experiments.io.errors import DataError

LONGEST = 4096  # words of a sentence
UNKNOWN = 1  # token number of a word that no training sentence has

Sentence = list[tuple[str, str]]  # (word, tag)


def read(config: DataConfig, data_dir: Path | None) -> Dataset:
    """Read ``NAME/train.txt``, ``NAME/valid.txt`` (or ``testa``) and ``NAME/test.txt`` (or ``testb``).

    The corpus's own validation part is used, not ``data.validation``. Words are lower-cased; the vocabulary is that of
    the training sentences. With ``data.pieces``, words are cut into a pretrained network's pieces instead.

    Args:
        config: The name and the limit.
        data_dir: The folder above.

    Returns:
        Inputs and targets (n, longest sentence), padded.

    Raises:
        DataError: a file is absent, a line has one column, or a tag is not in the training file.
    """
    folder = locate(
        data_dir,
        config.name,
        remedy=f"Put train.txt, valid.txt and test.txt into its folder {config.name} (CoNLL-2003's may not be "
        "passed on freely: https://www.clips.uantwerpen.be/conll2003/ner/).",
    )
    parts = [
        sentences(locate(folder, *names, remedy="Each part of the corpus is one file."))
        for names in (("train.txt",), ("valid.txt", "testa.txt"), ("test.txt", "testb.txt"))
    ]
    if config.limit != "all":
        parts[0] = parts[0][: config.limit]
    return assemble(config, parts, note_beside(folder))


def sentences(path: Path) -> list[Sentence]:
    """The sentences of one file; lines that start with -DOCSTART- are no words.

    Args:
        path: The file.

    Returns:
        The sentences.

    Raises:
        DataError: the file cannot be read as such, or has no sentence, or one that is longer than `LONGEST`.
    """
    lines = read_text(path).splitlines()
    found: list[Sentence] = [[]]
    for number, line in enumerate(lines, 1):
        columns = line.split()
        if not columns or columns[0] == "-DOCSTART-":
            found.append([])
        elif len(columns) == 1:
            raise DataError(f"{path}, line {number}: {line!r} has one column; a word and its tag make at least two")
        else:
            found[-1].append((columns[0], columns[-1]))
            if len(found[-1]) > LONGEST:
                raise DataError(
                    f"{path}, line {number}: a sentence has more than {LONGEST} words, and all are padded to the "
                    "longest: put a blank line between sentences"
                )
    found = [sentence for sentence in found if sentence]
    if not found:
        raise DataError(f"{path} has no sentence")
    return found


def assemble(config: DataConfig, parts: Sequence[list[Sentence]], note: str) -> Dataset:
    """Number words and tags and pad the sentences.

    Args:
        config: The corpus, and the word pieces if any.
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
    vocabulary = len(words) + UNKNOWN + 1
    tokenizer = pieces.load(config.pieces) if config.pieces else None
    if tokenizer is not None:
        vocabulary = pieces.size(tokenizer)

    def coded(sentence: Sentence) -> tuple[list[int], list[int]]:
        for tag in {tag for _, tag in sentence} - tag_numbers.keys():
            raise DataError(f"{config.name}: tag {tag!r} is none of the training sentences' tags ({', '.join(tags)})")
        targets = [tag_numbers[tag] for _, tag in sentence]
        if tokenizer is not None:
            return pieces.tagged(tokenizer, [word for word, _ in sentence], targets, config.context)
        return [word_numbers.get(word.lower(), UNKNOWN) for word, _ in sentence], targets

    splits = [_padded([coded(sentence) for sentence in part]) for part in parts]
    return Dataset(config.name, "tags", len(tags), *splits, vocabulary=vocabulary, labels=tuple(tags), note=note)


def _padded(rows: Sequence[tuple[list[int], list[int]]]) -> Split:
    length = max(len(tokens) for tokens, _ in rows)
    inputs = torch.full((len(rows), length), PADDING)
    targets = torch.full((len(rows), length), IGNORED)
    for row, (tokens, tags) in enumerate(rows):
        inputs[row, : len(tokens)] = torch.tensor(tokens)
        targets[row, : len(tags)] = torch.tensor(tags)
    return Split(inputs, targets)


def spans(tags: Sequence[str]) -> set[tuple[int, int, str]]:
    """The entities of one sentence, by the rules of the CoNLL-2003 scorer.

    An entity of a kind begins at B-kind, or at I-kind where no entity of that kind is open; it ends where no I-kind
    follows. So IOB1 and IOB2 files are both read correctly. The package seqeval does the same, but has had no release
    since 2020, and these lines are fewer than those that would convert tensors for it.

    Args:
        tags: One per word: O, B-kind or I-kind.

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
        targets: (n, length) tag numbers, `IGNORED` past the end of a sentence and wherever else no word begins.
        labels: Names of the tags.

    Returns:
        F1 in [0, 1]; 0 where there is no right entity.
    """
    right = found = present = 0
    for row, truth in zip(predicted.tolist(), targets.tolist(), strict=True):
        counted = [place for place, tag in enumerate(truth) if tag != IGNORED]
        theirs = spans([labels[int(row[place])] for place in counted])
        ours = spans([labels[int(truth[place])] for place in counted])
        right, found, present = right + len(theirs & ours), found + len(theirs), present + len(ours)
    return 2 * right / (found + present) if right else 0.0
