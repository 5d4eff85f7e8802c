"""The contract: a right optimizer keeps every part, and each part catches an optimizer that breaks it."""

import json
import logging
import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch

import alto
from theory import __main__ as command
from theory.conform import contract, parts, suite

ROOT = Path(__file__).parents[3]


class Right(torch.optim.Optimizer):
    """Momentum SGD that keeps the whole contract. Each mutant below breaks one thing."""

    def __init__(self, params, lr=0.1, momentum=0.9):
        super().__init__(params, {"lr": lr, "momentum": momentum, "maximize": False, "foreach": None})

    def call(self, closure):
        with torch.enable_grad():
            return closure()

    def average(self, state, p):
        return state.setdefault("average", torch.zeros_like(p))

    def rate(self, group):
        return group["lr"]

    def refuse(self, p, g):
        if g.is_sparse:
            raise RuntimeError("sparse gradients are not supported")

    def gradient(self, p, group):
        return -p.grad if group["maximize"] else p.grad

    def update(self, p, g, group, place):
        average = self.average(self.state[p], p)
        average.mul_(group["momentum"]).add_(g)
        p.sub_(self.rate(group) * average)

    @torch.no_grad()
    def step(self, closure=None):
        loss = None if closure is None else self.call(closure)
        for group in self.param_groups:
            for place, p in enumerate(group["params"]):
                if p.grad is not None:
                    self.refuse(p, p.grad)
                    self.update(p, self.gradient(p, group), group, place)
        return loss


class Forgets(Right):
    """Keeps its averages outside of ``state``, where no state dict finds them."""

    def average(self, state, p):
        return self.__dict__.setdefault("averages", {}).setdefault(p, torch.zeros_like(p))

    def __getstate__(self):
        return {**super().__getstate__(), "averages": self.__dict__.get("averages", {})}


class ByAddress(Right):
    """Finds its averages by the parameter's address: a copy has none."""

    def average(self, state, p):
        return self.__dict__.setdefault("averages", {}).setdefault(id(p), torch.zeros_like(p))


class Unpicklable(Right):
    def update(self, p, g, group, place):
        super().update(p, g, group, place)
        self.state[p]["hook"] = lambda: None


class NoLoss(Right):
    def step(self, closure=None):
        super().step(closure)


class Twice(Right):
    def call(self, closure):
        closure()
        return super().call(closure)


class ClosureLast(Right):
    """Reads the gradients first."""

    def step(self, closure=None):
        super().step()
        return None if closure is None else self.call(closure)


class NoGradients(Right):
    def call(self, closure):
        return closure()


class FirstGroup(Right):
    """Uses the learning rate of the first group everywhere."""

    def rate(self, group):
        return self.param_groups[0]["lr"]


class OldGroups(Right):
    """Never trains a group that was added."""

    def __init__(self, params, **options):
        super().__init__(params, **options)
        self.old = {p for group in self.param_groups for p in group["params"]}

    def update(self, p, g, group, place):
        if p in self.old:
            super().update(p, g, group, place)


class FixedRate(Right):
    """Uses the learning rate that it was made with."""

    def rate(self, group):
        return self.defaults["lr"]


class Coupled(Right):
    """Treats the first tensor of a group apart."""

    def update(self, p, g, group, place):
        super().update(p, g if place else 2 * g, group, place)


class NoCycle(Right):
    """Cannot do with another momentum than the first."""

    def update(self, p, g, group, place):
        if group["momentum"] != self.defaults["momentum"]:
            raise ValueError("momentum has changed")
        super().update(p, g, group, place)


class Counting(Right):
    """Changes its state before ``step()`` is called, when gradients are cleared or read."""

    def state_dict(self):
        for p in self.state:
            self.state[p]["reads"] = self.state[p].get("reads", torch.zeros(())) + 1
        return super().state_dict()


class Unscaled(Right):
    """Says that it looks for infinite gradients itself, and does not."""

    _step_supports_amp_scaling = True


class IgnoresMaximize(Right):
    def gradient(self, p, group):
        return p.grad


class Normalized(Right):
    """Divides by the gradient's norm, 0 or not."""

    def update(self, p, g, group, place):
        super().update(p, g / g.norm(), group, place)


class MovesAll(Right):
    """Decays parameters without gradients, too."""

    def step(self, closure=None):
        loss = super().step(closure)
        with torch.no_grad():
            for group in self.param_groups:
                for p in group["params"]:
                    p.mul_(0.99)
        return loss


class FirstRow(Right):
    """Takes the first row of a sparse gradient alone."""

    def refuse(self, p, g):
        pass

    def gradient(self, p, group):
        if p.grad.is_sparse:
            return torch.cat([p.grad.to_dense()[:1], torch.zeros_like(p)[1:]])
        return super().gradient(p, group)


class MovesThenRefuses(Right):
    def refuse(self, p, g):
        p.mul_(0.9)
        super().refuse(p, g)


class RealPart(Right):
    def gradient(self, p, group):
        g = super().gradient(p, group)
        return g.real.to(g.dtype) if g.is_complex() else g


class OtherForeach(Right):
    def update(self, p, g, group, place):
        super().update(p, 1.01 * g if group["foreach"] else g, group, place)


class SingleState(Right):
    """Averages in float32, which torch's ``load_state_dict`` rounds to the parameter's bfloat16."""

    def average(self, state, p):
        return state.setdefault("average", torch.zeros_like(p, dtype=torch.float32))


class Nested(Right):
    """Calls its own step with hooks again."""

    def step(self, closure=None):
        if not self.__dict__.get("inside"):
            self.inside = True
            try:
                return self.step(closure)
            finally:
                self.inside = False
        return super().step.__wrapped__(self, closure)


class Clips(Right):
    """Clips p.grad in place."""

    def gradient(self, p, group):
        return super().gradient(p, group) if p.grad.norm() < 1 else p.grad.div_(p.grad.norm())


class Uphill(Right):
    def gradient(self, p, group):
        return -super().gradient(p, group)


class Unstable(Right):
    def __init__(self, params, lr=4.0, momentum=0.9):
        super().__init__(params, lr, momentum)


class Noisy(Right):
    """Draws noise."""

    def gradient(self, p, group):
        return super().gradient(p, group) + torch.randn_like(p)


MUTANTS = [
    ("resume", Forgets), ("distributed checkpoint", Forgets), ("deepcopy", ByAddress), ("pickle", Unpicklable),
    ("closure", NoLoss), ("closure", Twice), ("closure", ClosureLast), ("closure", NoGradients),
    ("groups", FirstGroup), ("groups", OldGroups), ("groups", Coupled), ("scheduler", FixedRate),
    ("OneCycleLR", NoCycle), ("GradScaler", Counting), ("GradScaler", Unscaled), ("maximize", IgnoresMaximize),
    ("zero gradients", Normalized), ("None gradients", MovesAll), ("sparse gradients", FirstRow),
    ("sparse gradients", MovesThenRefuses), ("complex parameters", RealPart), ("foreach", OtherForeach),
    ("state dtypes", SingleState), ("hooks", Nested), ("p.grad kept", Clips), ("descent", Uphill),
    ("descent", Unstable),
]  # fmt: skip


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
