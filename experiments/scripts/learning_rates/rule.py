"""Decide the rules of learning_rates.toml from its finished runs, write them down, and draw the curves.

    python -m experiments run experiments/scripts/learning_rates/learning_rates.toml
    python experiments/scripts/learning_rates/rule.py

The second command reads runs/learning_rates/laptop, and writes results/learning-rates: every run (runs.csv), the rules
(rules.json) and the picture. What a rule is and when it holds was written down in the TOML before the runs.
"""

import argparse
import csv
import io
import json
import math
from collections.abc import Iterable
from itertools import permutations
from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats

from experiments.io.files import write_atomic

WIDEST = 2.0
"""The largest half-width of a rule's interval, in factors of 2."""
LEVEL = 0.95
Losses = dict[tuple[str, str], dict[float, dict[int, float]]]
"""(task, method) -> learning rate -> seed -> final validation loss; infinite where the run diverged."""


def read(folder: Path) -> tuple[Losses, dict[str, Any]]:
    """The tuning runs of a folder of the experiment.

    Args:
        folder: OUT/NAME/TIER of ``experiments run``.

    Returns:
        The losses, and what made them: versions, hardware, wall seconds of all runs.

    Raises:
        ValueError: there are no runs, or two runs differ in versions or hardware.
    """
    losses: Losses = {}
    seconds, made = 0.0, set()
    for path in sorted(folder.glob("runs/*/row.json")):
        row = json.loads(path.read_text())
        run = row["run"]
        versions = {key: value for key, value in row["versions"].items() if key != "commit"}
        made.add(json.dumps({"versions": versions, "hardware": row["hardware"]}, sort_keys=True))
        if run["phase"] != "tune":
            continue
        seconds += row["seconds"]
        loss = None if row["diverged"] else row["curve"][-1]["validation"]["loss"]
        seeds = losses.setdefault((run["setting"], run["label"]), {}).setdefault(run["lr"], {})
        seeds[run["seed"]] = math.inf if loss is None else loss
    if len(made) != 1:
        raise ValueError(f"{folder} holds runs of {len(made)} environments; one is needed: run the experiment first")
    return losses, {**json.loads(made.pop()), "seconds": round(seconds, 1)}


def best(losses: dict[float, dict[int, float]]) -> dict[str, Any]:
    """The best learning rate of one method on one task.

    Args:
        losses: learning rate -> seed -> loss.

    Returns:
        ``log2``: mean over the seeds of the best rate's log2; ``sd`` over the seeds; ``rate`` of the lowest mean loss,
        and whether it is on the grid's ``edge``.
    """
    rates = sorted(losses)
    seeds = sorted(losses[rates[0]])
    table = np.array([[losses[rate][seed] for seed in seeds] for rate in rates])
    logs = np.log2(np.array(rates)[table.argmin(0)])
    lowest = int(table.mean(1).argmin())
    return {
        "log2": float(logs.mean()), "sd": float(logs.std(ddof=1)), "rate": rates[lowest],
        "edge": lowest in {0, len(rates) - 1},
    }  # fmt: skip


def rule(found: dict[tuple[str, str], dict[str, Any]], source: str, target: str) -> dict[str, Any]:
    """Whether one method's rate follows from another's.

    Args:
        found: :func:`best` by task and method.
        source: the method whose rate is known.
        target: the method whose rate is wanted.

    Returns:
        The ``factor``, its interval ``low``, ``high``, whether it ``holds``, and ``why`` it does not.
    """
    tasks = sorted({task for task, _ in found})
    differences = np.array([found[task, target]["log2"] - found[task, source]["log2"] for task in tasks])
    mean = differences.mean()
    half = stats.t.ppf((1 + LEVEL) / 2, len(tasks) - 1) * differences.std(ddof=1) / math.sqrt(len(tasks))
    edges = [f"{m} on {task}" for task in tasks for m in (source, target) if found[task, m]["edge"]]
    why = []
    if edges:
        why.append(f"the best rate is on the edge of the grid: {', '.join(edges)}")
    if half > WIDEST:
        why.append(f"the tasks disagree by more than a factor of {2**WIDEST:g} to each side")
    low, high = (float(2 ** (mean + sign * half)) for sign in (-1, 1))
    return {"factor": float(2**mean), "low": low, "high": high, "holds": not why, "why": "; ".join(why)}


def decide(losses: Losses) -> dict[str, Any]:
    """The best rates, and the rule from every method to every other one."""
    found = {key: best(one) for key, one in losses.items()}
    methods = sorted({method for _, method in found})
    return {
        "best": [{"task": task, "method": method, **one} for (task, method), one in sorted(found.items())],
        "rules": [{"from": a, "to": b, **rule(found, a, b)} for a, b in permutations(methods, 2)],
    }


def table(losses: Losses) -> str:
    """Every run as CSV."""
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(("task", "method", "lr", "seed", "loss"))
    for (task, method), rates in sorted(losses.items()):
        rows.writerows(
            (task, method, lr, seed, loss) for lr in sorted(rates) for seed, loss in sorted(rates[lr].items())
        )
    return text.getvalue()


def draw(losses: Losses) -> bytes:
    """One panel per task: the mean loss over the learning rate, with the range of the seeds; as PNG."""
    import matplotlib.pyplot as plt

    tasks, methods = (list(dict.fromkeys(key[i] for key in losses)) for i in (0, 1))
    figure, panels = plt.subplots(1, len(tasks), figsize=(9, 3), layout="constrained")
    for axes, task in zip(panels, tasks, strict=True):
        top = 0.0
        for method, color in zip(methods, ("#D55E00", "#000000", "#56B4E9", "#009E73"), strict=True):
            rates = sorted(losses[task, method])
            seeds = np.array([list(losses[task, method][rate].values()) for rate in rates])
            mean = seeds.mean(1)
            dashes = "--" if method in {"AdamW", "LAMB"} else "-"  # under the lines of E over them
            axes.plot(rates, mean, dashes, color=color, label=method, linewidth=1.4)
            axes.fill_between(rates, seeds.min(1), seeds.max(1), color=color, alpha=0.2, linewidth=0)
            axes.plot(rates[mean.argmin()], mean.min(), "o", color=color, markersize=5)
            top = max(top, mean[0])
        axes.set(xscale="log", yscale="log", title=task, xlabel="learning rate", ylim=(None, 1.3 * top))
        axes.grid(visible=True, linewidth=0.3)
    panels[0].set_ylabel("final validation loss (nats)")
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside upper center", ncols=len(methods), frameon=False)
    drawn = io.BytesIO()
    figure.savefig(drawn, format="png", dpi=150, metadata={"Software": None})
    plt.close(figure)
    return drawn.getvalue()


def main(words: Iterable[str] | None = None) -> None:
    """Read, decide, write, draw."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--runs", type=Path, default=Path("runs/learning_rates/laptop"), metavar="DIR")
    parser.add_argument("--out", type=Path, default=Path("results/learning-rates"), metavar="DIR")
    options = parser.parse_args(None if words is None else list(words))
    losses, made = read(options.runs)
    decided = {**decide(losses), "seeds": len(next(iter(next(iter(losses.values())).values()))), "made": made}
    write_atomic(options.out / "runs.csv", table(losses).encode())
    write_atomic(options.out / "rules.json", (json.dumps(decided, indent=1) + "\n").encode())
    write_atomic(options.out / "curves.png", draw(losses))


if __name__ == "__main__":
    main()
