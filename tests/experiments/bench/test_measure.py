"""Turns and their times. No test asserts a time."""

import sys
import weakref
from collections import Counter
from types import SimpleNamespace

import pytest
import torch

from experiments.bench import measure, traffic
from experiments.bench.contestants import Contestant
from experiments.bench.measure import Spread
from experiments.bench.workload import Workload
from tests.experiments.bench.cases import CPU, TINY


class Logged:
    """A contestant that writes down what happens to it."""

    def __init__(self, name, log, alive):
        self.name, self.log, self.alive = name, log, alive
        self.itself = self  # a reference cycle, as hooks make them: only the collector frees it

    def build(self, params):
        stepper = Logged(self.name, self.log, self.alive)
        stepper.grads = [param.grad for param in params]
        self.alive[:] = [seen for seen in self.alive if seen() is not None]
        self.log.append(f"{self.name} built beside {len(self.alive)}")
        self.alive.append(weakref.ref(stepper))
        return stepper

    def step(self):
        self.log.append(self.name)

    def contestant(self):
        return Contestant(self.name, self.name, traffic.COPY, 0, self.build)


def test_every_round_visits_everyone_once_in_an_order_of_its_own():
    log, alive = [], []
    racers = [Logged(name, log, alive).contestant() for name in "abcdef"]
    times = measure.race(Workload(TINY, CPU, 0), racers, rounds=5, seed=7, follow=lambda: None)
    orders = [tuple(entry[0] for entry in log if "built" in entry)[start : start + 6] for start in range(0, 30, 6)]
    assert all(sorted(order) == list("abcdef") for order in orders)
    assert len(set(orders)) > 1
    assert {len(found.milliseconds) for found in times.values()} == {5}
    again: list[str] = []
    racers = [Logged(name, again, alive).contestant() for name in "abcdef"]
    measure.race(Workload(TINY, CPU, 0), racers, rounds=5, seed=7, follow=lambda: None)
    assert again == log


def test_a_turn_warms_up_and_only_one_contestant_holds_state():
    log, alive = [], []
    racers = [Logged(name, log, alive).contestant() for name in "ab"]
    times = measure.race(Workload(TINY, CPU, 0), racers, rounds=3, seed=0, follow=lambda: None)
    assert {entry for entry in log if "built" in entry} == {"a built beside 0", "b built beside 0"}
    assert Counter(log)["a"] == 3 * (measure._WARM_UP + 1)  # turns of no length time one step
    assert times["a"].steps == 3


def test_a_turn_ends_after_so_many_steps(monkeypatch):
    monkeypatch.setattr(measure, "_TURN_SECONDS", 1e9)
    times = measure.race(Workload(TINY, CPU, 0), [Logged("a", [], []).contestant()], 1, 0, lambda: None)
    assert times["a"].steps == measure._MOST_STEPS


def test_median_and_quartiles():
    assert Spread.of([4.0, 1.0, 3.0, 2.0, 5.0]) == Spread(3.0, 2.0, 4.0)
    assert Spread.of([2.0]) == Spread(2.0, 2.0, 2.0)


def test_threads_are_given_back():
    before = torch.get_num_threads()
    with measure.threads(before + 1):
        assert torch.get_num_threads() == before + 1
    assert torch.get_num_threads() == before


def test_on_a_gpu_steps_are_timed_by_do_bench(monkeypatch):
    """Without a GPU: the workload says that it lies on one, and Triton's timer is a stand-in."""
    seen = []

    def do_bench(step, *, warmup, rep, return_mode):
        seen.append((warmup, rep, return_mode))
        step()
        return [4.0, 2.0, 3.0]

    monkeypatch.setattr(measure, "_TURN_SECONDS", 0.05)
    monkeypatch.setattr(measure, "_settle", lambda _: None)
    stand_in = SimpleNamespace(do_bench=do_bench)
    monkeypatch.setitem(sys.modules, "triton", SimpleNamespace(testing=stand_in))
    workload, log = Workload(TINY, CPU, 0), []
    workload.device = torch.device("cuda")
    times = measure.race(workload, [Logged("a", log, []).contestant()], rounds=2, seed=0, follow=lambda: None)
    assert seen == [(0, 50, "all")] * 2
    assert times["a"].milliseconds == pytest.approx([3.0, 3.0])
    assert times["a"].steps == 6
    assert Counter(log)["a"] == 2 * (measure._WARM_UP + 1)
