"""What training costs: the time of its steps, and its memory."""

from experiments.analysis.kept import Line, Summary
from experiments.analysis.statistics import Interval, t_interval


def step_times(kept: Summary, setting: str, label: str) -> Interval | None:
    """Milliseconds of a step on a full batch, without the evaluations, over the seeds.

    Args:
        kept: The experiment.
        setting: The condition.
        label: The competitor.

    Returns:
        The interval; None without runs, or where the batch is all examples, whose number is not kept.
    """
    batch = kept.experiment.resolve(setting)[2].batch_size
    speeds = [run.examples_per_second for run in _runs(kept, setting, label)]
    return t_interval([1000 * batch / speed for speed in speeds]) if speeds and batch != "full" else None


def memory(kept: Summary, setting: str, label: str, *, on_gpu: bool) -> float:
    """MiB: the peak of the runs on a GPU; on a CPU, whose processes share theirs, the optimizer's state alone.

    Args:
        kept: The experiment.
        setting: The condition.
        label: The competitor.
        on_gpu: Which of the two.

    Returns:
        The number; 0 without runs.
    """
    runs = _runs(kept, setting, label)
    return max((run.peak_memory if on_gpu else run.state_bytes for run in runs), default=0) / 2**20


def _runs(kept: Summary, setting: str, label: str) -> list[Line]:
    return [run for run in kept.runs if (run.setting, run.label) == (setting, label)]
