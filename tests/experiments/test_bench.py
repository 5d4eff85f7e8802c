"""The benchmarks' machinery. No test asserts a time."""

import json
import re
import subprocess
import sys
import weakref
from collections import Counter
from pathlib import Path

import pytest
import torch
from torch import nn

from experiments import figures
from experiments.bench import budget, console, contestants, figure, measure, memory, record, shapes, store, traffic
from experiments.bench.command import Memory, Scaling, Step
from experiments.bench.contestants import CONTESTANTS, FLOORS, YARDSTICK, Contestant
from experiments.bench.measure import Spread, Times
from experiments.bench.record import Wish
from experiments.bench.shapes import MODELS, Case
from experiments.bench.workload import Workload
from experiments.errors import ConfigError
from experiments.models.gpt import GPT
from experiments.models.resnet import ResNet, ResNet20

ROOT = Path(__file__).parents[2]
CPU = torch.device("cpu")
TINY = Case("tiny", "Tiny", ((30, 20), (20,), ()))


@pytest.fixture(autouse=True)
def _short_turns(monkeypatch):
    monkeypatch.setattr(measure, "_TURN_SECONDS", 0.0)


def wish(bench="step", only=(), rounds=2, cases=(TINY,)):
    chosen = contestants.choose(only, references=rounds > 0)
    return Wish(bench, "--model", cases, chosen, rounds, threads=1, device="cpu", seed=3)


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


# shapes


@pytest.mark.parametrize(
    ("name", "parameters"),
    [("resnet20", 269_722), ("resnet50", 25_557_032), ("gpt2-small", 124_439_808), ("bert-base", 109_482_240)],
)
def test_published_numbers_of_parameters(name, parameters):
    assert MODELS[name].parameters == parameters


@pytest.mark.parametrize(
    ("name", "build"),
    [
        ("resnet20", lambda: ResNet20(3, 10)),
        ("resnet50", lambda: ResNet(3, 1000, depth=50, small_images=False)),
        ("gpt2-small", lambda: GPT(50_257, 50_257, context=1024, layers=12, heads=12, width=768)),
    ],
)
def test_shapes_are_those_of_the_networks_that_are_trained(name, build):
    with torch.device("meta"):
        network = build()
    assert Counter(MODELS[name].shapes) == Counter(tuple(param.shape) for param in network.parameters())


def test_a_wrong_total_is_refused():
    with pytest.raises(AssertionError, match="Wrong has 6 parameters, and should have 7"):
        shapes._cases(("wrong", "Wrong", [(2, 3)], 7))


def test_scaling_takes_one_tensor_of_each_power_of_ten():
    assert [case.shapes for case in shapes.tensors(20_000)] == [((1_000,),), ((10_000,),)]
    assert [case.name for case in shapes.tensors(shapes.LARGEST)] == ["1e3", "1e4", "1e5", "1e6", "1e7", "1e8"]


# byte model


@pytest.mark.parametrize(
    ("name", "bytes_a_parameter"),
    [
        ("alto-single", 48),
        ("alto-foreach", 48),
        ("alto-fused", 48),
        ("lamb-foreach", 40),
        ("lamb-fused", 40),
        ("e-adamw-foreach", 44),
        ("e-adamw-fused", 44),
        ("adamw-foreach", 28),
        ("adamw-fused", 28),
        ("po-lamb", 40),
        ("po-adan", 44),
        ("official-alto", 48),
        ("official-e-adamw", 44),
        ("copy", 8),
        ("in-place", 8),
    ],
)
def test_bytes_that_a_method_must_move(name, bytes_a_parameter):
    assert CONTESTANTS[name].traffic.bytes == bytes_a_parameter


def test_every_contestant_has_a_byte_model_above():
    assert len(CONTESTANTS) == 15


# contestants


def test_references_always_take_part_and_order_is_the_tables():
    chosen = contestants.choose(("official-alto", "alto-foreach"), references=True)
    assert [one.name for one in chosen] == ["alto-foreach", YARDSTICK, "official-alto", *FLOORS]
    assert [one.name for one in contestants.choose(("po-lamb",), references=False)] == ["po-lamb"]


def test_plain_operations_are_not_weighed():
    assert not set(FLOORS) & {one.name for one in contestants.choose((), references=False)}
    with pytest.raises(ConfigError, match="--only: 'copy' is not allowed"):
        contestants.choose(("copy",), references=False)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ValueError("fused = True:\n no kernels"), "fused = True: no kernels"),
        (RuntimeError("needs a GPU"), "needs a GPU"),
        (NotImplementedError(), "NotImplementedError"),
        (ModuleNotFoundError("gone", name="ALTO.sub"), "needs the package e-optimizer-adaptor"),
        (ModuleNotFoundError("gone", name="pytorch_optimizer"), "needs the package pytorch_optimizer"),
    ],
)
def test_who_cannot_run_says_why(error, reason):
    def build(_):
        raise error

    assert contestants.obstacle(Contestant("x", "X", traffic.ALTO, 0, build), CPU) == reason


def test_a_mistake_in_a_contestant_is_no_reason_to_skip_it():
    with pytest.raises(TypeError):
        contestants.obstacle(Contestant("x", "X", traffic.ALTO, 0, lambda: None), CPU)  # type: ignore[arg-type]


def test_all_take_the_same_decay_and_step_everywhere():
    """No contestant leaves a parameter out, and none is a no-op."""
    for contestant in contestants.choose((), references=False):
        if contestants.obstacle(contestant, CPU) is None:
            workload = Workload(TINY, CPU, seed=0)
            before = [param.detach().clone() for param in workload.params]
            workload.refresh()
            contestant.build(workload.params).step()
            assert all((a != b).any() for a, b in zip(before, workload.params, strict=True)), contestant.name


# workload


def test_gradients_vary_in_sign_and_size_and_are_ordinary_numbers():
    workload = Workload(Case("one", "One", ((1000,),)), CPU, seed=0)
    seen = []
    for _ in range(30):
        workload.refresh()
        seen.append(workload.params[0].grad.clone())
    assert {bool((grad[0] > 0).item()) for grad in seen} == {True, False}
    assert len({grad[0].item() for grad in seen}) == 30
    assert all(1e-3 < grad.std().item() < 3e-2 for grad in seen)


def test_what_a_step_does_to_gradients_does_not_reach_the_next_one():
    workload, untouched = (Workload(TINY, CPU, seed=0) for _ in range(2))
    for index in range(3):
        workload.refresh()
        untouched.refresh()
        assert all(torch.equal(a.grad, b.grad) for a, b in zip(workload.params, untouched.params, strict=True)), index
        for param in workload.params:
            param.grad.mul_(1e-30)
            param.grad = torch.zeros_like(param)


def test_given_gradients_belong_to_the_parameters_alone():
    workload = Workload(TINY, CPU, seed=0)
    workload.give()
    grad = weakref.ref(workload.params[0].grad)
    workload.params[0].grad = None
    assert grad() is None


# times


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


# the record


def test_ratios_are_of_times_in_the_same_round_and_the_floor_is_the_better_bandwidth(monkeypatch):
    """A machine twice as slow in the second round changes the times and no ratio."""
    slow = [1.0, 2.0, 1.0]
    speeds = {"alto-foreach": 6.0, YARDSTICK: 2.0, "copy": 1.0, "in-place": 0.5}
    made = {name: Times([speed * s for s in slow], 3) for name, speed in speeds.items()}
    monkeypatch.setattr(measure, "race", lambda *_: made)
    case = record.make(wish(only=("alto-foreach",), rounds=3))["cases"][0]
    rows = {row["name"]: row for row in case["contestants"]}
    assert case["floor"] == "in-place"
    assert case["bandwidth_gb_s"]["in-place"]["median"] == pytest.approx(8 * TINY.parameters / 0.5e-3 / 1e9)
    assert rows["alto-foreach"]["milliseconds"] == {"median": 6.0, "low": 6.0, "high": 9.0}
    assert set(rows["alto-foreach"]["times_adamw_fused"].values()) == {3.0}
    assert set(rows["alto-foreach"]["times_floor"].values()) == {6.0 / (48 / 8 * 0.5)}
    assert set(rows["in-place"]["times_floor"].values()) == {1.0}


def test_the_json_says_everything():
    report = json.loads(json.dumps(record.make(wish())))
    assert report["format"] == record.FORMAT
    assert (report["bench"], report["rounds"], report["threads"], report["seed"]) == ("step", 2, 1, 3)
    assert {"device", "name", "cores"} <= set(report["hardware"])
    assert {"python", "torch", "alto-optim"} <= set(report["versions"])
    assert set(report["load_average"]) == {"before", "after"}
    assert report["wall_seconds"] > 0
    (case,) = report["cases"]
    assert (case["name"], case["parameters"], case["tensors"]) == ("tiny", 621, 3)
    assert set(case["bandwidth_gb_s"]) == set(FLOORS)
    ran, skipped = ([row["name"] for row in rows] for rows in (case["contestants"], report["skipped"]))
    assert sorted(ran + skipped) == sorted(CONTESTANTS)  # nobody is missing silently
    for row in case["contestants"]:
        assert len(row["each_round"]) == 2
        for key in ("milliseconds", "times_adamw_fused", "times_floor"):
            assert 0 < row[key]["low"] <= row[key]["median"] <= row[key]["high"]
        assert row["passes"]
        assert row["why"]


def test_the_skipped_are_named_with_their_reason_in_json_table_and_figure(monkeypatch, capsys):
    def refuse(_):
        raise ValueError("no such kernels yet")

    absent = Contestant("alto-fused", "ALTO fused", traffic.ALTO, 0, refuse)
    monkeypatch.setitem(CONTESTANTS, "alto-fused", absent)
    report = record.make(wish(only=("alto-fused",), rounds=1))
    assert report["skipped"] == [{"name": "alto-fused", "title": "ALTO fused", "reason": "no such kernels yet"}]
    assert "alto-fused" not in {row["name"] for row in report["cases"][0]["contestants"]}
    console.show(report)
    assert "skipped: ALTO fused: no such kernels yet" in capsys.readouterr().out
    assert "not available here: ALTO fused" in figure._footnote(report)


def test_without_fused_adamw_there_is_no_ratio_and_still_a_table_and_a_figure(monkeypatch, tmp_path):
    monkeypatch.setattr(contestants, "obstacle", lambda one, _: "not here" if one.name == YARDSTICK else None)
    report = record.make(wish(only=("alto-foreach",), rounds=1))
    assert all(row["times_adamw_fused"] is None for row in report["cases"][0]["contestants"])
    console.show(report)
    assert len(figures.write(figure.draw(report), tmp_path, "bench-step")) == 2


@pytest.mark.parametrize("name", list(CONTESTANTS))
def test_nobody_holds_more_than_the_memory_check_reckons_with(name):
    """On one tensor, the worst case for those that go tensor by tensor."""
    contestant = CONTESTANTS[name]
    if reason := contestants.obstacle(contestant, CPU):
        pytest.skip(reason)
    found = memory.weigh(Workload(Case("one", "One", ((500_000,),)), CPU, 0), contestant)
    assert found.state + found.transient <= contestant.holds + 1e-3


@pytest.mark.parametrize(
    ("name", "state", "least_transient"),
    [("alto-foreach", 12, 0), ("lamb-foreach", 8, 0), ("adamw-fused", 8, 0), ("adamw-foreach", 8, 4),
     ("e-adamw-fused", 12, 4), ("po-adan", 16, 4), ("official-alto", 24, 8), ("official-e-adamw", 16, 4)],
)  # fmt: skip
def test_bytes_of_state_and_transient(name, state, least_transient):
    found = memory.weigh(Workload(Case("two", "Two", ((400, 500), (500,))), CPU, 0), CONTESTANTS[name])
    assert found.state == pytest.approx(state, abs=0.01)
    assert found.transient >= 0.99 * least_transient


def test_memory_is_a_report_too(capsys):
    report = json.loads(json.dumps(record.make(wish("memory", only=("alto-foreach",), rounds=0))))
    (row,) = report["cases"][0]["contestants"]
    assert set(row) == {"name", "title", "state_bytes_a_parameter", "transient_bytes_a_parameter"}
    console.show(report)
    assert "ALTO foreach" in capsys.readouterr().out


def test_too_little_memory_is_refused_by_the_options_name(monkeypatch):
    monkeypatch.setattr(budget, "_usable", lambda _: 1e9)
    with pytest.raises(ConfigError, match=r"--model: GPT-2 small needs 4\.. GB, and this machine can lend 1 GB"):
        record.make(wish(only=("alto-foreach",), cases=(MODELS["gpt2-small"],)))
    budget.check("--model", MODELS["resnet50"], [CONTESTANTS["alto-foreach"]], CPU)


def test_this_machine_has_some_memory():
    assert 1e8 < budget._usable(CPU) < 1e15


# files


def test_one_file_keeps_the_newest_of_each_kind_and_feeds_the_figures(tmp_path):
    sizes = shapes.tensors(10_000)
    for made in (
        record.make(wish(only=("alto-foreach",), rounds=1)),
        record.make(wish("memory", only=("alto-foreach",), rounds=0)),
        record.make(wish("scaling", only=("alto-foreach",), rounds=1, cases=sizes)),
    ):
        path = store.write(tmp_path, made)
    newest = record.make(wish(only=("lamb-foreach",), rounds=1))
    assert store.write(tmp_path, newest) == path == tmp_path / "bench.json"
    stored = store.read(tmp_path)
    assert set(stored) == {"step", "memory", "scaling"}
    assert stored["step"] == json.loads(json.dumps(newest))
    for bench, report in stored.items():
        for file in figures.write(figure.draw(report), tmp_path, f"bench-{bench}"):
            assert file.stat().st_size > 5_000
    assert not list(tmp_path.glob(".*.tmp"))


@pytest.mark.parametrize("content", ["{", "[]", '{"step": {"format": 0}}', '{"step": 1}'])
def test_a_foreign_file_is_not_overwritten(tmp_path, content):
    (tmp_path / "bench.json").write_text(content)
    with pytest.raises(ConfigError, match=r"--out: .*bench\.json is not from this version"):
        store.write(tmp_path, {"bench": "step", "format": record.FORMAT})
    assert (tmp_path / "bench.json").read_text() == content


# command line


def call(*words):
    return subprocess.run(
        [sys.executable, "-W", "error", "-m", "experiments", "bench", *words],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_json_is_alone_on_stdout_and_equal_to_the_file(tmp_path):
    result = call("step", "--model", "resnet20", "--only", "alto-foreach", "--rounds", "1", "--threads", "1", "--json",
                  "--out", str(tmp_path))  # fmt: skip
    assert result.returncode == 0, result.stderr
    report = json.loads(result.stdout)
    assert store.read(tmp_path) == {"step": report}
    assert {row["name"] for row in report["cases"][0]["contestants"]} == {"alto-foreach", YARDSTICK, *FLOORS}
    assert (tmp_path / "bench-step.png").exists()
    assert (tmp_path / "bench-step.pdf").exists()
    assert "\x1b" not in result.stdout + result.stderr


def test_a_table_without_noise():
    result = call("memory", "--model", "resnet20", "--only", "alto-foreach", "--threads", "1")
    assert result.returncode == 0, result.stderr
    assert "ResNet-20: 269,722 parameters in 59 tensors" in result.stdout
    assert result.stderr.splitlines() == ["bench memory: ResNet-20"]


@pytest.mark.parametrize(
    ("command", "complaint"),
    [
        (Step(model=("resnet21",)), "--model: 'resnet21' is not allowed; it must be one of resnet20"),
        (Memory(model=("gpt2-small", "")), "--model: '' is not allowed"),
        (Step(only=("sgd",)), "--only: 'sgd' is not allowed; it must be one of alto-single"),
        (Memory(only=("in-place",)), "--only: 'in-place' is not allowed"),
        (Step(rounds=0), "--rounds: 0 is not allowed; it must be at least 1"),
        (Scaling(rounds=-2), "--rounds: -2 is not allowed"),
        (Step(threads=-1), "--threads: -1 is not allowed"),
        (Scaling(largest=10), "--largest: 10 is not allowed; it must be from 1000 to 100000000"),
    ],
    ids=str,
)
def test_a_bad_value_is_refused_by_name(command, complaint):
    with pytest.raises(ConfigError, match=re.escape(complaint)):
        command.wish()


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("step", "--device", "gpu"), "device: 'gpu' is not allowed"),
        (("scaling", "--model", "resnet20"), "--model"),
        (("memory", "--rounds", "3"), "--rounds"),
    ],
)
def test_a_bad_option_is_refused_in_a_line_and_leaves_nothing_behind(words, complaint, tmp_path):
    result = call(*words, "--out", str(tmp_path / "out"))
    assert result.returncode == 2
    assert complaint in " ".join(result.stderr.split())
    assert "Traceback" not in result.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_on_a_gpu():
    for bench, rounds in (("step", 1), ("memory", 0)):
        chosen = contestants.choose((), references=rounds > 0)
        report = record.make(Wish(bench, "--model", (TINY,), chosen, rounds, threads=1, device="cuda"))
        assert report["hardware"]["device"] == "cuda"
        assert report["cases"][0]["contestants"]


def test_the_plain_operations_take_as_many_numbers_as_the_network_has():
    params = [nn.Parameter(torch.ones(3, 2)), nn.Parameter(torch.ones(4))]
    for name in FLOORS:
        tensors = [value for value in vars(CONTESTANTS[name].build(params)).values() if torch.is_tensor(value)]
        assert {tensor.numel() for tensor in tensors} == {10}
