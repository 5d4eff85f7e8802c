"""A summary made of numbers, without any run."""

from collections.abc import Mapping
from pathlib import Path

from experiments.analysis.comparison import Difference, Report
from experiments.analysis.comparison import Summary as Cell
from experiments.analysis.kept import Line, Summary
from experiments.analysis.statistics import sign_flip_p_value, t_interval
from experiments.config import catalog

CONFIG = """
title = "Made"
source = "ours"
baseline = "LAMB"
tuning = { seeds = [11], learning_rates = { low = 0.01, high = 0.1, count = 2 } }
final = { seeds = [1, 2, 3, 4] }
[settings.small]
[settings.equal]
learning_rates = { low = 0.03, high = 0.03, count = 1 }
[optimizers.ALTO]
[optimizers.LAMB]
[optimizers.SGD]
[tiers.laptop]
"""


def make(
    folder: Path,
    finals: Mapping[tuple[str, str], list[float | None]],
    *,
    sharpness: Mapping[tuple[str, str], list[float]] | None = None,
    validation: Mapping[tuple[str, str], float] | None = None,
    config: str = CONFIG,
    note: str = "",
) -> Summary:
    """An experiment whose final runs ended at the given test metrics, one a seed from 1 on."""
    path = folder / "made.toml"
    path.write_text(config)
    experiment = catalog.load(str(path))
    lines, cells = [], []
    for setting in experiment.settings:
        for label in experiment.optimizers:
            ends = finals.get((setting, label), [])
            for seed, end in enumerate(ends, start=1):
                measured = (sharpness or {}).get((setting, label))
                lines.append(
                    Line(
                        setting=setting,
                        label=label,
                        seed=seed,
                        lr=0.1,
                        diverged=end is None,
                        seconds=2.0,
                        weights="0",
                        examples_per_second=100.0,
                        peak_memory=2**20,
                        step=(10.0, 20.0),
                        time=(1.0, 2.0),
                        epoch=(1.0, 2.0),
                        train_loss=(1.0, 0.5),
                        test=(None if end is None else end / 2, end),
                        measures={"filter_sharpness": (None, measured[seed - 1])} if measured else {},
                        state_bytes=2**19,
                    )
                )
            found = [end for end in ends if end is not None]
            score = (validation or {}).get((setting, label))
            interval = t_interval(found) if found else None
            cells.append(Cell(setting, label, 0.1, False, interval, score, len(ends), len(ends) - len(found), 2.0))
    report = Report(
        name=experiment.name,
        tier="laptop",
        title=experiment.title,
        metric=experiment.tuning.metric,
        baseline=experiment.baseline,
        summaries=tuple(cells),
        differences=tuple(_differences(experiment.baseline, finals)),
        complete=True,
        notes=(note,) if note else (),
        versions=({"commit": "abc"},),
        hardware=({"device": "cpu"},),
        seeds=experiment.final.seeds,
    )
    return Summary(experiment, report, tuple(lines))


def _differences(baseline: str, finals: Mapping[tuple[str, str], list[float | None]]) -> list[Difference]:
    made = []
    for (setting, label), ends in finals.items():
        others = finals.get((setting, baseline), [])
        pairs = [a - b for a, b in zip(ends, others, strict=False) if a is not None and b is not None]
        if label != baseline and pairs:
            made.append(Difference(setting, label, baseline, t_interval(pairs), sign_flip_p_value(pairs)))
    return made
