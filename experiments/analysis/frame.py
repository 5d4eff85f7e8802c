"""Results as a table of pandas: one row per evaluation of every final run."""

from pathlib import Path
from typing import TYPE_CHECKING

from experiments.analysis import kept
from experiments.config.schema import Tier

if TYPE_CHECKING:
    from pandas import DataFrame


def frame(name: str, tier: Tier = "laptop", results: str | Path = "results") -> "DataFrame":
    """Every final run's curve, from a summary that `report` wrote.

    Args:
        name: The experiment, or the path of its summary (``.json``).
        tier: Its tier.
        results: Folder of the summaries.

    Returns:
        One row per evaluation: setting, label, seed, lr, diverged, seconds, step, time, epoch, train_loss, test (in the
        report's unit) and last (whether it is the run's result), and what was measured of the curvature.

    Raises:
        DataError: there is no such summary.
    """
    import pandas as pd

    path = Path(name) if name.endswith(".json") else Path(results) / "experiments" / f"{name}-{tier}.json"
    rows = []
    for run in kept.read(path).runs:
        fixed = {key: getattr(run, key) for key in ("setting", "label", "seed", "lr", "diverged", "seconds")}
        columns = {key: getattr(run, key) for key in ("step", "time", "epoch", "train_loss", "test")} | run.measures
        count = len(run.step)
        for place in range(count):
            point = {key: column[place] for key, column in columns.items()}
            rows.append({**fixed, **point, "last": place == count - 1})
    return pd.DataFrame(rows)
