import pytest

from experiments.runs import plan, tuning
from experiments.runs.rows import Point, Row, Scores


@pytest.fixture
def row(tiny):
    def make(lr, accuracy, loss=1.0, *, seed=11, diverged=False, phase="tune"):
        import dataclasses

        run = dataclasses.replace(
            plan.tuning_runs(tiny, plan.Cell("small", "ALTO"), 160)[0], lr=lr, seed=seed, phase=phase
        )
        # a test score that would turn the choice round, if it were looked at
        point = Point(9, 3.0, 1.0, lr, loss, Scores(loss, accuracy), Scores(1 - loss, 1 - accuracy))
        return Row(run, (point,), diverged, 9, 1, "", "", "", 1.0, 0, 1.0, 1, {}, {}, "")

    return make


def test_the_best_mean_over_the_seeds_wins(row):
    rows = [row(0.1, 0.9), row(0.1, 0.5, seed=12), row(0.2, 0.8), row(0.2, 0.7, seed=12), row(0.4, 0.1)]
    choice = tuning.choose(rows, "accuracy")
    assert choice.lr == 0.2
    assert not choice.at_edge
    assert choice.scores == {0.1: pytest.approx(0.7), 0.2: pytest.approx(0.75), 0.4: 0.1}


def test_a_loss_is_better_low(row):
    assert tuning.choose([row(0.1, 0.9, 2.0), row(0.2, 0.1, 1.0), row(0.4, 0.9, 3.0)], "loss").lr == 0.2


def test_ties_go_to_the_smaller_loss_then_to_the_smaller_rate(row):
    assert tuning.choose([row(0.1, 0.9, 2.0), row(0.2, 0.9, 1.0)], "accuracy").lr == 0.2
    assert tuning.choose([row(0.2, 0.9, 1.0), row(0.1, 0.9, 1.0)], "accuracy").lr == 0.1


def test_one_diverged_seed_rules_a_rate_out(row):
    rows = [row(0.1, 0.5), row(0.1, 0.5, seed=12), row(0.2, 0.99), row(0.2, 0.99, seed=12, diverged=True)]
    choice = tuning.choose(rows, "accuracy")
    assert choice.lr == 0.1
    assert choice.scores[0.2] is None


@pytest.mark.parametrize("best", [0.1, 0.4])
def test_a_choice_at_the_edge_is_marked(row, best):
    rows = [row(lr, 0.9 if lr == best else 0.5) for lr in (0.1, 0.2, 0.4)]
    assert tuning.choose(rows, "accuracy").at_edge


def test_a_final_run_may_not_take_part(row):
    with pytest.raises(ValueError, match="final run"):
        tuning.choose([row(0.1, 0.9), row(0.2, 0.5, phase="final")], "accuracy")


def test_an_option_is_chosen_together_with_the_rate(row):
    def with_alpha(alpha, lr, accuracy):
        import dataclasses

        made = row(lr, accuracy)
        return dataclasses.replace(made, run=dataclasses.replace(made.run, options={"alpha": alpha, "beta1": 0.7}))

    rows = [
        with_alpha(alpha, lr, accuracy)
        for alpha, lr, accuracy in [(-0.5, 0.1, 0.5), (-0.5, 0.2, 0.6), (-3.0, 0.1, 0.7), (-3.0, 0.2, 0.9)]
    ]
    choice = tuning.choose(rows, "accuracy", ("alpha",))
    assert (choice.lr, choice.options, choice.at_edge) == (0.2, {"alpha": -3.0}, True)
    assert choice.scores == {0.1: 0.7, 0.2: 0.9}  # at the chosen alpha
    assert choice.tried == (0.5, 0.6, 0.7, 0.9)
