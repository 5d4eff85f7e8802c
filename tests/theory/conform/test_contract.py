"""The contract: a right optimizer keeps every part, and each part catches an optimizer that breaks it."""

import json
import logging
import math
import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from hypothesis import strategies as st

import alto
from tests.theory.conform.broken import MUTANTS, NoCycle, Noisy, NoLoss, Right
from theory import __main__ as command
from theory.conform import contract, parts, search, suite, trial

ROOT = Path(__file__).parents[3]


def judged(part, cls, **options):
    return suite.judge(part, parts.CONTRACT[part], lambda params: cls(params, **options), budget=8, seed=0)


@pytest.mark.parametrize("part", parts.CONTRACT)
def test_a_right_optimizer_keeps_every_part(part):
    assert judged(part, Right) == suite.Outcome(part, suite.State.KEPT)


def test_what_an_optimizer_draws_is_seeded():
    assert judged("resume", Noisy) == suite.Outcome("resume", suite.State.KEPT)


@pytest.mark.parametrize(("part", "mutant"), MUTANTS, ids=[f"{part}-{mutant.__name__}" for part, mutant in MUTANTS])
def test_each_part_catches_an_optimizer_that_breaks_it(part, mutant):
    outcome = judged(part, mutant)
    assert outcome.fails
    assert outcome.case.startswith("2 steps")  # shrunk


def test_every_part_has_a_mutant():
    assert {part for part, _ in MUTANTS} == set(parts.CONTRACT)


class Plain(torch.optim.Optimizer):
    """Moves by a function of the gradient and the parameter."""

    def __init__(self, params, move=lambda p, g: g):
        super().__init__(params, {"lr": 0.1})
        self.move = move

    @torch.no_grad()
    def step(self, closure=None):
        for group in self.param_groups:
            for p in group["params"]:
                p.sub_(group["lr"] * self.move(p, p.grad))


MOVES = {
    "plain": (lambda p, g: g, {"sign", "permutation"}),
    "signs": (lambda p, g: g.sign(), {"scale", "sign", "permutation"}),
    "one-sided": (lambda p, g: g.relu(), {"permutation"}),
    "cumulated": (lambda p, g: g.cumsum(-1) if g.dim() else g, {"sign"}),
    "trust": (lambda p, g: g / g.norm() * p.norm(), {"scale", "sign", "permutation", "layer rescaling"}),
}


@pytest.mark.parametrize("name", MOVES)
def test_an_invariance_is_found_where_there_is_one_and_only_there(name):
    move, expected = MOVES[name]
    found = [
        suite.judge(one, part, lambda params: Plain(params, move), budget=8, seed=0)
        for one, part in parts.INVARIANCES.items()
    ]
    assert {outcome.part for outcome in found if not outcome.fails} == expected


test_ours = contract(lambda params: alto.ALTO(params, lr=0.01), invariances=["scale", "sign", "permutation"], budget=3)
test_adaptor = contract(lambda params: alto.E(torch.optim.SGD(params, lr=0.1)), invariances=["sign"], budget=3)


def test_the_test_fails_with_the_case_and_with_their_traceback():
    with pytest.raises(pytest.fail.Exception, match=r"clos.*\nat 2 steps, parameters of shape \(3,\)"):
        contract(NoLoss, budget=3)("closure")
    with pytest.raises(pytest.fail.Exception, match="raise ValueError") as caught:
        contract(NoCycle, budget=3)("OneCycleLR")
    assert "conform/parts.py" not in str(caught.value)


def test_what_it_does_not_have_is_skipped():
    with pytest.raises(pytest.skip.Exception, match="no option maximize"):
        contract(lambda params: torch.optim.LBFGS(params, lr=0.1), budget=1)("maximize")


class Fixed(Right):
    """Its step size is no option: its groups have no learning rate."""

    def __init__(self, params):
        super().__init__(params)
        for group in self.param_groups:
            del group["lr"]
        del self.defaults["lr"]

    def rate(self, group):
        return 0.1


def test_an_optimizer_without_a_learning_rate_is_not_judged_by_it():
    assert judged("groups", Fixed) == suite.Outcome("groups", suite.State.KEPT)
    for part in ("scheduler", "OneCycleLR"):
        assert judged(part, Fixed) == suite.Outcome(part, suite.State.NOT_OFFERED, "no learning rate in its groups")


def test_a_case_that_fails_stands_though_a_simpler_one_is_not_offered():
    def check(n):
        if 0 < n < 10:
            raise search.NotOfferedError("too small")
        assert n == 0

    failure = search.smallest(st.integers(0, 10_000), check, examples=20, seed=0)
    assert (failure.case, type(failure.error)) == (10, AssertionError)


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        ([math.nan], [math.nan], True),
        ([math.nan], [0.0], False),
        ([math.inf], [torch.finfo(torch.float32).max], False),
        ([-math.inf], [-math.inf], True),
        ([complex(1, math.nan)], [complex(1, 0)], False),
        ([3], [3], True),
        ([1.0], [1], False),
    ],
)
def test_numbers_that_are_no_numbers_are_not_the_same_as_numbers(left, right, expected):
    assert trial.same([torch.tensor(left)], [torch.tensor(right)]) is expected


def test_unknown_names_are_refused_with_the_known_ones():
    with pytest.raises(ValueError, match="allowed: scale, sign"):
        contract(Right, invariances=["size"])
    with pytest.raises(ValueError, match="allowed: resume"):
        contract(Right, without=["size"])


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"make": 3}, "make = 3: must be a function from parameters to an optimizer"),
        ({"dims": [2, 9]}, "dims = [2, 9]: must hold some of 0, 1, 2, 3"),
        ({"dims": []}, "dims = []: must hold some of 0, 1, 2, 3"),
        ({"dims": 2}, "dims = 2: must hold some of 0, 1, 2, 3"),
        ({"budget": 0}, "budget = 0: must be a whole number of at least 1"),
        ({"budget": 2.5}, "budget = 2.5: must be"),
    ],
    ids=["make", "dims", "no dims", "one number", "budget", "half a problem"],
)
def test_what_no_contract_can_run_with_is_refused_at_the_call(given, words):
    with pytest.raises(ValueError, match=re.escape(words)):
        contract(**{"make": Right, **given})


@pytest.mark.parametrize(("words", "code", "said"), [
    (["torch.optim:SGD", "--kwargs", "lr=.1", "--profile", "quick"], 0, "0 of 19 parts of the contract are broken"),
    (["torch.optim:LBFGS", "--budget", "1"], 1, "doesn't support per-parameter options"),
    (["torch.optim:Muon", "--dims", "2", "--budget", "1", "--seed", "3"], 0, "0 of"),
    (["alto:ALTO", "--budget", "1", "--invariances", "scale", "sign"], 0, "invariance: scale"),
])  # fmt: skip
def test_the_command_prints_every_part(words, code, said, capsys):
    assert command.main(["conform", *words, "--contract"]) == code
    assert said in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize(("words", "said"), [
    (["torch.optim:Muon"], "a plain run of two steps raised"), (["math:sin"], "a plain run of two steps raised"),
    (["torch.optim:SGD", "--kwargs", "rate=1"], "unexpected keyword argument"), (["math:pi"], "is no optimizer"),
    (["builtins:dict"], "raised"), (["torch.optim:SGD", "--budget", "0"], "at least 1"), ([], "name an optimizer"),
    (["torch.optim:SGD", "--invariances", "size"], "allowed: scale"),
])  # fmt: skip
def test_the_command_says_what_it_cannot_judge(words, said, capsys):
    assert command.main(["conform", *words, "--contract"]) == 2
    assert said in " ".join(capsys.readouterr().err.split())


def test_json_has_every_part(capsys):
    assert command.main(["conform", "torch.optim:SGD", "--contract", "--json", "--budget", "1"]) == 0
    assert [row["part"] for row in json.loads(capsys.readouterr().out)] == list(parts.CONTRACT)


PLUGIN = ["-p", "theory.conform.plugin", "-p", "no:cacheprovider", "-q", "--conform-budget", "1", "--conform-alone"]


def test_the_plugin_adds_a_test_per_part(tmp_path):
    (tmp_path / "test_nothing.py").write_text("def test_other():\n    raise OSError\n")
    words = [*PLUGIN, "--rootdir", str(tmp_path), "-c", "/dev/null", "--conform", "torch.optim:LBFGS", str(tmp_path)]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *words], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "conform[torch.optim:LBFGS-groups]" in done.stdout
    counted = sum(int(n) for n in re.findall(r"(\d+) (?:passed|failed|skipped)", done.stdout.splitlines()[-1]))
    assert counted == len(parts.CONTRACT)


def test_the_plugin_refuses_a_budget_before_any_test(tmp_path):
    words = [*PLUGIN, "--conform-budget", "0", "--rootdir", str(tmp_path), "-c", "/dev/null", str(tmp_path)]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *words], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert "--conform-budget 0: must be at least 1" in done.stderr


def test_a_distributed_checkpoint_logs_nothing(caplog, monkeypatch):
    import torch.distributed.checkpoint  # noqa: F401 (it makes the logger)

    monkeypatch.setattr(logging.getLogger("c10d-NullHandler-dcp_logger"), "propagate", True)  # as pytest collects it
    with caplog.at_level("DEBUG"):
        contract(Right, budget=1)("distributed checkpoint")
    assert not [record.name for record in caplog.records]
