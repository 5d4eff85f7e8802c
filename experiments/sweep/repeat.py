"""Train some final runs of a kept experiment again, at the learning rates that its tuning chose; nothing is tuned.

A run has the same identity as in the whole experiment, so rows are shared with it in both directions.
"""

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path

from experiments import data
from experiments.analysis.kept import Summary
from experiments.config.schema import Experiment, FinalConfig
from experiments.io.environment import Environment
from experiments.io.errors import require
from experiments.io.files import locked
from experiments.runs import plan
from experiments.runs.plan import Cell, Run
from experiments.runs.results import Results
from experiments.runs.tuning import Choice
from experiments.sweep.pool import Event, Workers, execute


def select(kept: Summary, optimizers: Sequence[str], seeds: int) -> Experiment:
    """A part of a kept experiment.

    Args:
        kept: The experiment.
        optimizers: Labels of competitors; the baseline must be among them.
        seeds: How many of the final seeds, from the first on.

    Returns:
        The experiment with these competitors, in its own order, and these seeds.

    Raises:
        ConfigError: an unknown competitor, no baseline, or more seeds than there are.
    """
    whole = kept.experiment
    known, most = ", ".join(whole.optimizers), len(whole.final.seeds)
    for label in optimizers:
        require(label in whole.optimizers, "--optimizers", label, f"one of {known}")
        require(not whole.optimizers[label].tuned, "--optimizers", label, "one whose learning rate alone was tuned")
    listed = list(optimizers)
    require(whole.baseline in listed, "--optimizers", listed, f"a list with the baseline {whole.baseline}")
    require(1 <= seeds <= most, "--seeds", seeds, f"from 1 to {most}, the number of kept final seeds")
    chosen = {label: config for label, config in whole.optimizers.items() if label in listed}
    return dataclasses.replace(whole, optimizers=chosen, final=FinalConfig(whole.final.seeds[:seeds]))


def final_runs(kept: Summary, experiment: Experiment, data_dir: Path | None) -> dict[Cell, list[Run]]:
    """The final runs at the kept learning rates.

    Args:
        kept: The experiment with its learning rates.
        experiment: All of it, or what `select` returned.
        data_dir: Folder of the data sets.

    Returns:
        The runs of each cell that has a learning rate.
    """
    rates = {Cell(found.setting, found.label): found.lr for found in kept.report.summaries}
    examples = {setting: data.examples(experiment.resolve(setting)[0], data_dir) for setting in experiment.settings}
    return {
        cell: plan.final_runs(experiment, cell, lr, examples[cell.setting])
        for cell in plan.cells(experiment)
        if (lr := rates[cell]) is not None
    }


def repeat(
    kept: Summary, experiment: Experiment, place: Environment, workers: Workers, notify: Callable[[Event], None]
) -> Results:
    """Train what is not finished yet of `final_runs`.

    Args:
        kept: The experiment with its learning rates.
        experiment: What `select` returned.
        place: Where; its ``out`` is the folder of the whole experiment.
        workers: The processes that do the runs.
        notify: Called with each event.

    Returns:
        The results; a choice has no scores, because nothing was tuned.

    Raises:
        BusyError: another process runs in the same folder.
        ConfigError: a network or an optimizer refuses its options.
        DataError: the data are absent or damaged.
    """
    runs = final_runs(kept, experiment, place.data_dir)
    with locked(place.out), workers:
        done = execute([run for some in runs.values() for run in some], place, workers, notify)
    edges = {Cell(found.setting, found.label): found.at_edge for found in kept.report.summaries}
    choices = {cell: Choice(some[0].lr, edges[cell], {some[0].lr: None}) for cell, some in runs.items()}
    rows = {cell: [done.rows[run.id] for run in some if run.id in done.rows] for cell, some in runs.items()}
    return Results(experiment, choices, rows, done.failures)


def agreement(kept: Summary, made: Summary) -> str:
    """How many of the trained networks are the kept ones bit for bit, in a sentence.

    Args:
        kept: What is kept of the whole experiment.
        made: What was trained of it again.

    Returns:
        The sentence; where networks differ, it names what else does: processors, and versions of torch and this code.
    """
    before = {(line.setting, line.label, line.seed): line.weights for line in kept.runs}
    same = sum(before[line.setting, line.label, line.seed] == line.weights for line in made.runs)
    words = f"{same} of {len(made.runs)} trained networks equal the kept ones bit for bit"
    ours, theirs = (_made_by(summary) for summary in (made, kept))
    if same == len(made.runs) or ours == theirs:
        return words
    return f"{words}. Rounding differs between processors and versions: here {ours}; kept {theirs}"


def _made_by(summary: Summary) -> str:
    machines = sorted({str(machine["name"]) for machine in summary.report.hardware})
    versions = sorted({f"torch {found['torch']}, commit {found['commit']}" for found in summary.report.versions})
    return "; ".join([*machines, *versions])
