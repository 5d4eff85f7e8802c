import dataclasses
import math

import pytest

from experiments.analysis.chance import chance
from experiments.analysis.contrast import Term, contrast, values
from experiments.config import catalog
from experiments.io.errors import ConfigError
from tests.experiments.analysis.made import make

ALTO, LAMB, SGD = (("small", label) for label in ("ALTO", "LAMB", "SGD"))


def test_pairs_are_by_seed_and_only_seeds_that_all_cells_have(tmp_path):
    kept = make(tmp_path, {ALTO: [90.0, 91.0, 92.0, 93.0], LAMB: [80.0, 70.0, 81.5]})
    assert contrast(kept, [Term(1, *ALTO), Term(-1, *LAMB)]) == {1: 10.0, 2: 21.0, 3: 10.5}


def test_a_run_that_diverged_counts_as_guessing_even_where_its_last_value_is_finite(tmp_path):
    kept = make(tmp_path, {ALTO: [90.0, 91.0]})
    runs = (dataclasses.replace(kept.runs[0], diverged=True), kept.runs[1])
    assert values(dataclasses.replace(kept, runs=runs), *ALTO) == {1: 10.0, 2: 91.0}  # ten classes


def test_a_return_that_diverged_counts_as_the_row_has_it(tmp_path):
    made = make(tmp_path, {ALTO: [90.0, 91.0]})
    simulated = dataclasses.replace(
        made.experiment, tuning=dataclasses.replace(made.experiment.tuning, metric="reward")
    )
    runs = (dataclasses.replace(made.runs[0], diverged=True), made.runs[1])
    assert values(dataclasses.replace(made, experiment=simulated, runs=runs), *ALTO) == {1: 90.0, 2: 91.0}


@pytest.mark.parametrize(
    ("name", "metric", "expected"),
    [("cifar100", "accuracy", 1.0), ("made-sentences", "f1", 0.0), ("tinyshakespeare", "loss", math.log(65)),
     ("swimmer", "reward", None)],
)  # fmt: skip
def test_guessing(name, metric, expected):
    made = catalog.load("digits")
    data = dataclasses.replace(made.data, name=name)
    made = dataclasses.replace(made, data=data, tuning=dataclasses.replace(made.tuning, metric=metric))
    assert chance(made, next(iter(made.settings))) == expected


def test_weights_are_factors(tmp_path):
    kept = make(tmp_path, {ALTO: [10.0, 20.0], LAMB: [1.0, 2.0], SGD: [3.0, 6.0]})
    made = contrast(kept, [Term(1, *ALTO), Term(-0.5, *LAMB), Term(-0.5, *SGD)])
    assert made == {1: 8.0, 2: 16.0}


def test_a_measure_comes_as_its_logarithm_and_only_where_it_has_one(tmp_path):
    kept = make(tmp_path, {ALTO: [1.0, 1.0], LAMB: [1.0, 1.0]}, sharpness={ALTO: [100.0, -3.0], LAMB: [10.0, 10.0]})
    made = contrast(kept, [Term(1, *ALTO), Term(-1, *LAMB)], "log10 filter_sharpness")
    assert made == pytest.approx({1: 1.0})


@pytest.mark.parametrize(
    ("terms", "quantity", "words"),
    [
        ([Term(1, *ALTO)], "test", "sum to 1"),
        ([], "test", "at least one term"),
        ([Term(math.nan, *ALTO), Term(-1, *LAMB)], "test", "sum to nan"),
        ([Term(1, *ALTO), Term(-1, "huge", "LAMB")], "test", "no cell"),
        ([Term(1, *ALTO), Term(-1, "small", "Adum")], "test", "no cell"),
        ([Term(1, *ALTO), Term(-1, *LAMB)], "sharpness", "log10 of a measure"),
        ([Term(1, *ALTO), Term(-1, *LAMB)], "log10 weight", "log10 of a measure"),
    ],
)
def test_what_is_no_comparison_is_refused(tmp_path, terms, quantity, words):
    kept = make(tmp_path, {ALTO: [1.0, 2.0], LAMB: [1.0, 2.0]})
    with pytest.raises(ConfigError, match=words):
        contrast(kept, terms, quantity)
