"""A small corpus of made sentences with named entities, to train a tagger where CoNLL-2003 is not at hand.

A name is a person's, a place's or a firm's by its neighbours, and some words are names only in some sentences: the
tagger has to read context. Nothing that is learnt here says anything about a real corpus.
"""

import random

from experiments.config import DataConfig
from experiments.data.conll import Sentence, assemble
from experiments.data.dataset import Dataset

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


def read(config: DataConfig) -> Dataset:
    """Make 600 training, 150 validation and 300 test sentences; the same ones every time.

    Args:
        config: The limit.

    Returns:
        The data set.
    """
    draw = random.Random(2003)
    parts = [[_sentence(draw) for _ in range(count)] for count in (600, 150, 300)]
    if config.limit != "all":
        parts[0] = parts[0][: config.limit]
    note = "Made sentences: they show that the machine works, and nothing about language."
    return assemble("made-sentences", parts, note)


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
