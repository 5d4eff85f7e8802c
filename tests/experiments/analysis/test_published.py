"""The paper's numbers beside ours: any experiment can be reported, also one without the paper's tier."""

import pytest

from experiments.analysis import published
from experiments.config import catalog


@pytest.mark.parametrize("name", catalog.names())
def test_every_experiment_has_a_place_beside_the_paper_or_none(name):
    experiment = catalog.load(name)
    rows = published.beside(experiment)
    assert {row.experiment for row in rows} <= {experiment.stem}
    published.sentences(experiment, "%", "s", "GB")
