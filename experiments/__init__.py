"""Training real networks with ALTO and other optimizers at three sizes: a laptop, one GPU, and the paper's own setting.

The command line is ``python -m experiments COMMAND``; ``--help`` describes the commands. The same from Python::

    import experiments

    experiments.names()                                # the experiments, as `list` shows them
    experiment = experiments.load("digits")            # a checked `Experiment`, at the sizes for a laptop
    results = experiments.run(experiment)              # tune and train what is not finished, in runs/digits/laptop
    results = experiments.collect(experiment)          # read what is finished, and train nothing
    summary = experiments.summarise(results)           # means, intervals, paired differences, curves
    experiments.draw(summary, folder)                  # figures; a list of files
    summary = experiments.read("results/experiments/digits-laptop.json")  # a summary that `report` wrote
    experiments.frame("digits")                        # the same as a table of pandas: every run, every evaluation

`run` and `collect` take an `Environment` for another folder, device or number of threads, and `run` takes `Workers`.
In a script, call `run` below ``if __name__ == "__main__":``, because its processes import the script. A name is
imported when it is first used, so ``import experiments`` itself is quick.

One way through the code: ``configs/*.toml`` -> config (frozen dataclasses) -> runs (each with its identity) -> training
(one run, which can be resumed) -> sweep (all runs) -> analysis (intervals over seeds, paired differences) -> report.
Nothing flows back: a row never changes once it is written, and a report reads rows only.
"""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from experiments.analysis.frame import frame
    from experiments.analysis.kept import Summary, read, summarise
    from experiments.config.catalog import load, names
    from experiments.config.schema import Experiment
    from experiments.io.environment import Environment
    from experiments.report.figures.draw import draw
    from experiments.runs.results import Results
    from experiments.sweep.pool import Workers
    from experiments.sweep.runner import collect, run

__all__ = [
    "Environment", "Experiment", "Results", "Summary", "Workers",
    "collect", "draw", "frame", "load", "names", "read", "run", "summarise",
]  # fmt: skip

_PLACES = {
    "Environment": "io.environment", "Experiment": "config.schema", "Results": "runs.results",
    "Summary": "analysis.kept", "Workers": "sweep.pool", "collect": "sweep.runner", "draw": "report.figures.draw",
    "frame": "analysis.frame",
    "load": "config.catalog", "names": "config.catalog", "read": "analysis.kept", "run": "sweep.runner",
    "summarise": "analysis.kept",
}  # fmt: skip


def __getattr__(name: str) -> object:
    if name not in _PLACES:
        raise AttributeError(f"module 'experiments' has no attribute {name!r}; it has: {', '.join(__all__)}")
    return getattr(importlib.import_module(f"experiments.{_PLACES[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
