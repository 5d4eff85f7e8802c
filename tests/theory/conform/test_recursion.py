"""The comparison with the paper: ours departs nowhere, wrong ones do, and what cannot be judged is exit code 2."""

import json

import pytest
import torch

import alto
from theory import __main__ as command
from theory.conform.recursion import conform
from theory.conform.subject import recognise
from theory.rates.user_code import UserCodeError, load


def departures(cls, **kwargs):
    return {seen.check: seen for seen in conform(recognise(cls, kwargs), examples=15) if not seen.agrees}


@pytest.mark.parametrize(("cls", "kwargs"), [
    (alto.ALTO, {}), (alto.LAMB, {}), (alto.E, {}), (alto.ESGD, {}), (alto.EAdam, {}), (alto.EAdamW, {}),
    (alto.E, {"alpha": 3}), (alto.E, {"alpha": -50.0, "beta1": 0.99}), (alto.ALTO, {"bias_correction": False}),
    (alto.ALTO, {"layerwise": False, "foreach": True, "maximize": True}), (alto.EAdamW, {"weight_decay": 0.2}),
    (alto.ESGD, {"momentum": 0.5}), (alto.ALTO, {"eps": 1e-3, "betas": [0.5, 0.7]}),
], ids=str)  # fmt: skip
def test_the_right_ones_depart_nowhere(cls, kwargs):
    assert departures(cls, **kwargs) == {}


@pytest.mark.parametrize(("target", "expected"), [
    ("ALTO:ALTO", {"large gradients", "p.grad after step()", "no weight decay"}),
    ("E:E", {"p.grad after step()", "resume from state_dict", "closure"}),
])  # fmt: skip
def test_the_official_package_departs_where_it_is_known_to(target, expected):
    found = departures(load(target, "target"))
    assert found.keys() == expected
    if target == "ALTO:ALTO":
        assert "clipped to a global norm of 1" in found["large gradients"].detail
        assert "tied to weight decay" in found["no weight decay"].detail


class Adaptor(torch.optim.Optimizer):
    """A right E; subclasses break one thing."""

    def __init__(self, base, alpha=-5.0, beta1=0.99):
        self.base, self.alpha, self.beta1, self.averages = base, alpha, beta1, {}
        super().__init__(base.param_groups, base.defaults)
        self.param_groups = base.param_groups

    def strength(self):
        return self.alpha * (1 - self.beta1)

    def mean(self, h, g):
        return self.beta1 * h + (1 - self.beta1) * g

    def first(self, p, parameters):
        return torch.zeros_like(p)

    @torch.no_grad()
    def step(self, closure=None):
        parameters = [p for group in self.param_groups for p in group["params"]]
        if closure is not None:
            closure()
        given = [p.grad for p in parameters]
        for p, g in zip(parameters, given, strict=True):
            h = self.averages.get(p)
            h = self.first(p, parameters) if h is None else h
            p.grad, self.averages[p] = g + self.strength() * (g - h), self.mean(h, g)
        self.base.step()
        for p, g in zip(parameters, given, strict=True):
            p.grad = g


class FixedFactor(Adaptor):
    """(1 - beta1) written as 0.1, and alpha > 0 ignored: right at alpha = -5, beta1 = 0.9."""

    def strength(self):
        return min(self.alpha, 0.0) * 0.1


class NoPositive(Adaptor):
    def strength(self):
        return min(self.alpha, 0.0) * (1 - self.beta1)


class SmallStart(Adaptor):
    """Starts from g_0 = g_1 if the model is small."""

    def first(self, p, parameters):
        return p.grad.clone() if sum(q.numel() for q in parameters) < 3 else torch.zeros_like(p)


class Steady(Adaptor):
    """Freezes the learning rate of its first step."""

    def step(self, closure=None):
        for group in self.param_groups:
            group["lr"] = group.setdefault("first_lr", group["lr"])
        return super().step(closure)


class Half(Adaptor):
    """Averages in bfloat16 where parameters are in float32."""

    def mean(self, h, g):
        mean = super().mean(h, g)
        return mean.bfloat16().float() if g.dtype is torch.float32 else mean


class Fragile(Adaptor):
    """Raises at large gradients."""

    def mean(self, h, g):
        if g.abs().max() > 5:
            raise OverflowError("too large")
        return super().mean(h, g)


def test_the_pattern_of_the_wrong_ones_is_right_but_for_its_lost_state():
    assert departures(Adaptor).keys() == {"resume from state_dict"}


@pytest.mark.parametrize(("cls", "check"), [
    (FixedFactor, "update rule"), (NoPositive, "update rule"), (SmallStart, "small models"), (Steady, "changing rates"),
    (Half, "float32"), (Fragile, "large gradients"),
], ids=lambda value: getattr(value, "__name__", None))  # fmt: skip
def test_wrong_ones_are_found_with_the_simplest_case(cls, check):
    found = departures(cls)[check]
    assert f"{1 + (check == 'changing rates')} step" in found.case or cls is Half
    if cls is Fragile:
        assert "raised OverflowError: too large" in found.detail


class WrongMoments(alto.ALTO):
    """beta2 and beta3 exchanged."""

    def __init__(self, params, *, betas=(0.9, 0.99), **options):
        super().__init__(params, betas=betas[::-1], **options)


class Groups(alto.ESGD):
    """One learning rate for all groups."""

    def step(self, closure=None):
        for group in self.param_groups:
            group["lr"] = self.param_groups[0]["lr"]
        return super().step(closure)


@pytest.mark.parametrize(("cls", "reference", "check"), [
    (WrongMoments, "ALTO", "update rule"), (Groups, "ESGD", "groups"), (alto.EAdam, "EAdamW", "update rule"),
])  # fmt: skip
def test_the_reference_is_the_named_one(cls, reference, check):
    kwargs = {"alpha": -5, "beta1": 0.9} if cls is WrongMoments else {"weight_decay": 0.1} if cls is alto.EAdam else {}
    subject = recognise(cls, kwargs, reference=reference)
    assert check in {seen.check for seen in conform(subject, examples=15) if not seen.agrees}


STRANGERS = """
import torch
class Failing(torch.optim.SGD):
    def __init__(self, params, lr=1.0, betas=(0.9, 0.8, 0.95), eps=1e-8, weight_decay=0.0, alpha=0.0):
        super().__init__(params, lr=lr)
    def step(self, closure=None):
        raise RuntimeError("no [step] today")
class Refusing(Failing):
    def __init__(self, params, lr=1.0, betas=(0.9, 0.8, 0.95), eps=1e-8, weight_decay=0.0, alpha=0.0):
        raise OSError("no file")
constant = 3
def function(params, lr, betas=(0.9, 0.8, 0.95), eps=1e-8, weight_decay=0.0, alpha=0.0):
    return None
"""


@pytest.mark.parametrize(("words", "why", "theirs"), [
    (["alto"], "must have the form", False), (["alto:Nothing"], "has no 'Nothing'", False),
    (["nowhere:X"], "there is no module", False), (["torch.optim:SGD"], "add --contract", False),
    (["torch.optim:RMSprop"], "no argument beta1", False), (["torch.optim:ASGD"], "no argument beta1, betas", False),
    (["pytorch_optimizer:AdEMAMix"], "raised", True), (["alto:E", "--kwargs", "fast=1"], "fast, which", False),
    (["alto:E", "--kwargs", "[1]"], "KEY=VALUE", False), (["alto:E", "--kwargs", "{'a': 1}"], "not JSON", False),
    (["alto:E", "--kwargs", "alpha=x"], "alpha = 'x' must be a number", False),
    (["alto:ALTO", "--kwargs", "betas=.9"], "betas = 0.9 must be 2 numbers", False),
    (["alto:ESGD", "--kwargs", "lr=0"], "lr = 0.0 must be in [1e-08, 1000]", False),
    (["alto:ESGD", "--kwargs", "lr=1e-320"], "must be in [1e-08, 1000]", False),
    (["alto:ESGD", "--kwargs", "lr=nan"], "must be in [1e-08, 1000]", False),
    (["alto:ESGD", "--kwargs", "lr=.1", "lr=.2"], "--kwargs has lr twice", False),
    (["alto:ESGD", "--kwargs", '{"lr": 0.1}', "lr=.2"], "--kwargs has lr twice", False),
    (["alto:EAdam", "--kwargs", "weight_decay=.1"], "has no decay", False),
    (["alto:E", "--kwargs", "alpha=-5", "beta1=.1"], "raised ValueError", True),
    (["alto:E", "--reference", "Adam"], "must be one of", False), (["alto:E", "--examples", "0"], "at least 1", False),
    (["strangers.py:constant"], "is no optimizer", False), (["strangers.py:function"], "which has no step()", False),
    (["strangers.py:Failing"], "no [step] today", True), (["strangers.py:Refusing"], "no file", True),
    (["broken.py:Any"], "raised RuntimeError: broken", True),
], ids=lambda value: "_".join(value) if isinstance(value, list) else None)  # fmt: skip
def test_what_cannot_be_judged_is_exit_code_2(words, why, theirs, tmp_path, monkeypatch, capsys):
    (tmp_path / "strangers.py").write_text(STRANGERS, encoding="utf-8")
    (tmp_path / "broken.py").write_text("raise RuntimeError('broken')", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    assert command.main(["conform", *words]) == 2
    seen = capsys.readouterr()
    assert why in " ".join(seen.err.split())
    assert ("Traceback" in seen.err) is theirs
    assert "theory/conform" not in seen.err
    assert not seen.out


def test_an_exception_of_theirs_is_theirs_from_python_too():
    def failing(params, lr, betas=(0.9, 0.8, 0.95), eps=1e-8, weight_decay=0.0, alpha=0.0):
        raise OSError("no file")

    with pytest.raises(UserCodeError, match="no file") as caught:
        recognise(failing)
    assert isinstance(caught.value.__cause__, OSError)


@pytest.mark.parametrize(("target", "code"), [("alto:E", 0), ("E:E", 1)])
def test_exit_code_and_json(target, code, capsys):
    assert command.main(["conform", target, "--json", "--examples", "5"]) == code
    observations = json.loads(capsys.readouterr().out)
    assert all(observation["agrees"] for observation in observations) is (code == 0)
