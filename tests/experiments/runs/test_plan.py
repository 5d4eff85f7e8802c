import dataclasses

import pytest

from experiments.runs import plan
from experiments.runs.plan import Cell, Run


@pytest.fixture
def run(tiny):
    return plan.final_runs(tiny, Cell("small", "ALTO"), 0.05, 160)[0]


def test_a_run_survives_the_way_through_plain_tables(run):
    again = Run.read(dataclasses.asdict(run))
    assert again == run
    assert again.digest == run.digest


@pytest.mark.parametrize(
    "change",
    [
        {"phase": "tune"},
        {"lr": 0.06},
        {"seed": 3},
        {"options": {"alpha": 0.4, "beta1": 0.01}},
        {"optimizer": "LAMB"},
        {"label": "other"},
        {"setting": "other"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_whatever_decides_the_result_is_in_the_identity(run, change):
    assert dataclasses.replace(run, **change).digest != run.digest


def test_every_field_of_the_recipe_is_in_the_identity(run):
    for name, value in [("epochs", 4), ("clip", 1.0), ("schedule", "step"), ("microbatch", 8), ("weight_decay", 0.0)]:
        training = dataclasses.replace(run.training, **{name: value})
        assert dataclasses.replace(run, training=training).digest != run.digest, name


def test_a_field_at_its_default_is_not_in_the_identity_and_any_other_value_is(run):
    # so that an option added later does not disown the rows there are
    known = dataclasses.asdict(run)
    assert known["training"]["compile"] is False
    old = {**known, "training": {k: v for k, v in known["training"].items() if k != "compile"}}
    assert Run.read(old).digest == run.digest
    compiled = dataclasses.replace(run, training=dataclasses.replace(run.training, compile=True))
    assert compiled.digest != run.digest


def test_the_identity_is_pinned(run):
    # rows are found by it: a change of this value disowns every row there is, and must be meant
    assert run.digest == "3c6054b193fb61eb"


def test_the_identity_of_an_augmented_run_is_pinned_too(run):
    # its meaning has changed once more than that of the others: the images' moves do not follow the split any more
    assert dataclasses.replace(run, data=dataclasses.replace(run.data, augment=True)).digest == "c871241857a856c3"


def test_all_competitors_get_the_same_budget(tiny):
    grids = [[(run.lr, run.seed) for run in plan.tuning_runs(tiny, cell, 160)] for cell in plan.cells(tiny)]
    assert grids[0] == [(0.01, 11), (0.1, 11)]
    assert all(grid == grids[0] for grid in grids)
    ids = [run.id for cell in plan.cells(tiny) for run in plan.tuning_runs(tiny, cell, 160)]
    assert len(set(ids)) == len(ids)


def test_the_identity_of_a_run_of_the_bilstm_is_pinned_too(run):
    # it reads sentences of one length together, which rounds otherwise
    assert dataclasses.replace(run, model=dataclasses.replace(run.model, name="bilstm")).digest == "fd838e44979d5bba"
