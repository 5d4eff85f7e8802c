"""Small synthetic corpora, for tests without the real ones. Results on them say nothing about the real ones.

``made-sentences``, to tag: the neighbours of a name show whether it is a person's, a place's or a firm's, and some
words are names only in some sentences. ``made-reviews``, to classify: each praises or complains, and "not" inverts a
word.
``made-pairs``, to classify: whether two sentences are about the same place. All of them need context.
"""

import random
from pathlib import Path

from experiments.config.schema import DataConfig
from experiments.data import sentences
from experiments.data.conll import Sentence, assemble
from experiments.data.dataset import Dataset
from experiments.data.sentences import Example

_NAMES = {
    kind: names.split()
    for kind, names in {
        "PER": "Ada Ben Clara Dov Elif Femi Grace Hugo Ines Jordan Kai Lena Paris Austin Chelsea Florence",
        "LOC": "Paris Austin Chelsea Florence Jordan Lima Oslo Quito Riga Sofia Tunis Vienna",
        "ORG": "Acme Borealis Cobalt Delta Everest Fjord Granite Helix Chelsea Austin",
    }.items()
}
_PATTERNS = (
    "{PER} lives in {LOC} .",
    "{PER} works for {ORG} in {LOC} .",
    "the office of {ORG} is in {LOC} .",
    "{ORG} hired {PER} and {PER} last year .",
    "{PER} met {PER} on the way to {LOC} .",
    "shares of {ORG} rose after {ORG} left {LOC} .",
    "the weather was fine and nobody came .",
    "from {LOC} to {LOC} it is a long way , said {PER} .",
)


_GOOD = ["fine", "lovely", "clever", "warm", "bright"]
_BAD = ["dull", "awful", "clumsy", "cold", "grey"]
_SUBJECTS = ["plot", "music", "acting", "picture", "ending", "food", "service", "room"]
_PLACES = ["Lima", "Oslo", "Quito", "Riga", "Tunis", "Vienna"]
_TELLING = ("{who} lives in {where}", "the office in {where} hired {who}", "{who} came back from {where} last year")

_NOTE = "Made sentences: they show that the machine works, and nothing about language."


def read(config: DataConfig, _data_dir: Path | None = None) -> Dataset:
    """Make one of the corpora; the same one every time.

    Args:
        config: The name and the limit; for reviews and pairs, the share of validation examples too.

    Returns:
        The data set: 600 training, 150 validation and 300 test sentences to tag, or 1500 reviews or pairs to train on
        (some of them held out) and 500 to test on.
    """
    if config.name == "made-sentences":
        return _tagged(config)
    draw = random.Random(2005)
    make = _review if config.name == "made-reviews" else _pair
    train, test = ([make(draw) for _ in range(count)] for count in (1500, 500))
    return sentences.assemble(config, train, test, 2, _NOTE)


def _review(draw: random.Random) -> Example:
    good = draw.random() < 0.5
    turned = draw.random() < 0.5
    word = draw.choice(_GOOD if good != turned else _BAD)
    text = f"the {draw.choice(_SUBJECTS)} was {'not ' if turned else ''}{word}"
    other = draw.choice(_SUBJECTS)
    return f"{text} and nobody spoke of the {other}", "", int(good)


def _pair(draw: random.Random) -> Example:
    first, second = draw.choice(_PLACES), draw.choice(_PLACES)
    if draw.random() < 0.5:
        second = first
    texts = [draw.choice(_TELLING).format(who=draw.choice(_NAMES["PER"]), where=place) for place in (first, second)]
    return texts[0], texts[1], int(first == second)


def _tagged(config: DataConfig) -> Dataset:
    draw = random.Random(2003)
    parts = [[_sentence(draw) for _ in range(count)] for count in (600, 150, 300)]
    if config.limit != "all":
        parts[0] = parts[0][: config.limit]
    return assemble(config, parts, _NOTE)


def _sentence(draw: random.Random) -> Sentence:
    sentence: Sentence = []
    for word in draw.choice(_PATTERNS).split():
        kind = word.strip("{}")
        if kind not in _NAMES:
            sentence.append((word, "O"))
            continue
        name = draw.sample(_NAMES[kind], draw.choice((1, 1, 2)))
        sentence += [(part, f"{'I' if index else 'B'}-{kind}") for index, part in enumerate(name)]
    return sentence
