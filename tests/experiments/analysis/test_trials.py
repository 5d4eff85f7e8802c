import itertools

import pytest

from experiments.analysis.comparison import _trials
from experiments.analysis.trials import best_of


@pytest.mark.parametrize(("metric", "best"), [("accuracy", max), ("loss", min)])
def test_the_best_of_n_is_that_over_all_sets_of_n(metric, best):
    scores = [3.0, 1.0, 4.0, 1.5, 9.0]
    found = best_of(scores, metric)
    assert [one.n for one in found] == [1, 2, 3, 4, 5]
    for one in found:
        bests = sorted(best(drawn) for drawn in itertools.combinations(scores, one.n))
        assert one.mean == pytest.approx(sum(bests) / len(bests))
        assert sum(value < one.low for value in bests) <= 0.025 * len(bests)
        assert sum(value > one.high for value in bests) <= 0.025 * len(bests)
    assert (found[0].low, found[0].high) == (1.0, 9.0)
    assert found[-1].low == found[-1].high == best(scores)


def test_a_rate_that_diverged_counts_as_the_worst():
    assert _trials((0.7, 0.5, None), "accuracy") == (70.0, 50.0, 50.0)
    assert _trials((2.0, None), "loss") == (2.0, 2.0)
    assert _trials((None,), "loss") == ()
