"""What a GPU asks of the loop, on a made one: it works late, and its memory's peak belongs to the process."""

import pytest
import torch

from experiments.io.environment import Environment
from experiments.runs import plan
from experiments.runs.rows import Point, Scores
from experiments.training import loop
from experiments.training.loop import TrainingLoop


class Gpu:
    """It needs a second for every step, and does nothing before it is waited for."""

    def __init__(self):
        self.now, self.steps, self.peak = 100.0, 0, 5000

    def synchronize(self, _device):
        self.now, self.steps = self.now + self.steps, 0

    def forget(self, _device):
        self.peak = 0


class Steps(TrainingLoop):
    """Nine steps, evaluated at the third and the last."""

    total = 9
    evaluated_at = frozenset({3, 9})

    def __init__(self, run, place, gpu):
        super().__init__(run, place, place.out)
        self.model, self.gpu = torch.nn.Linear(1, 1), gpu

    def advance(self):
        self.gpu.steps += 1
        self.gpu.peak = max(self.gpu.peak, 70)
        self.step += 1

    def _evaluate(self):
        self.gpu.now += 1000  # an evaluation is no training
        return Point(self.step, 0.0, self.seconds, 0.1, 1.0, Scores(1.0, 0.5))

    def _state(self, metrics_bytes):
        assert self.gpu.steps == 0, "the state is read before the steps that lead to it are taken"
        return {"metrics_bytes": metrics_bytes}


@pytest.fixture
def gpu(monkeypatch):
    made, zeros = Gpu(), torch.zeros

    def on_the_cpu(*size, device=None, **rest):
        return zeros(*size, **rest)

    monkeypatch.setattr(Environment, "resolve_device", lambda _: torch.device("cuda"))
    monkeypatch.setattr(torch, "zeros", on_the_cpu)
    monkeypatch.setattr(torch.cuda, "synchronize", made.synchronize)
    monkeypatch.setattr(torch.cuda, "reset_peak_memory_stats", made.forget)
    monkeypatch.setattr(loop.time, "monotonic", lambda: made.now)
    return made


@pytest.mark.parametrize("checkpoint_seconds", [0, 1_000_000])
def test_a_gpus_time_is_that_of_the_steps(tiny, tmp_path, monkeypatch, gpu, checkpoint_seconds):
    run = plan.final_runs(tiny, plan.Cell("small", "LAMB"), 0.05, 160)[0]
    life = Steps(run, Environment(tmp_path, checkpoint_seconds=checkpoint_seconds), gpu)
    monkeypatch.setattr(life, "_row", lambda _: None)
    life.finish(lambda *_: None)
    assert life.training_seconds == 9
    assert [point.seconds for point in life.curve] == [3, 1009]


def test_a_gpus_peak_is_that_of_the_run(tiny, tmp_path, gpu):
    run = plan.final_runs(tiny, plan.Cell("small", "LAMB"), 0.05, 160)[0]
    Steps(run, Environment(tmp_path), gpu).advance()
    assert gpu.peak == 70


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
def test_a_second_run_on_a_gpu_does_not_inherit_the_peak_of_the_first(tiny, tmp_path):
    from experiments.training.supervised import SupervisedLoop

    run = plan.final_runs(tiny, plan.Cell("small", "LAMB"), 0.05, 160)[0]
    large = torch.zeros(2**28, device="cuda")
    del large
    session = SupervisedLoop(run, Environment(tmp_path, device="cuda"), tmp_path)
    assert session.finish(lambda *_: None).peak_memory < 2**28
