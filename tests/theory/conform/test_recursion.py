"""Conformance: ours departs nowhere, the official package where it is known to, and planted faults are found."""

import json

import pytest
import torch

import alto
from theory import __main__ as command
from theory.conform.recursion import Subject, conform, load


def departures(subject):
    return {observation.check for observation in conform(subject) if not observation.agrees}


@pytest.mark.parametrize(("target", "expected"), [
    ("alto:ALTO", set()),
    ("alto:E", set()),
    ("ALTO:ALTO", {"large gradients", "p.grad after step()", "no weight decay"}),
    ("E:E", {"p.grad after step()", "resume from state_dict", "closure"}),
])  # fmt: skip
def test_departures(target, expected):
    assert departures(load(target)) == expected


def test_the_official_departures_are_recognised():
    seen = {observation.check: observation.detail for observation in conform(load("ALTO:ALTO"))}
    assert "clipped to a global norm of 1" in seen["large gradients"]
    assert "tied to weight decay" in seen["no weight decay"]


class WrongBeta(alto.ALTO):
    """Averages with another beta1 than it was given."""

    def __init__(self, params, *, alpha=-5.0, beta1=0.99, betas=(0.9, 0.99), eps=(1e-6, 1e-6, 1e-10), **options):
        super().__init__(params, alpha=alpha, beta1=beta1 * 0.99, betas=betas, eps=eps, **options)


class Doubled(alto.ALTO):
    """Scales gradients, in place."""

    def step(self, closure=None):
        for group in self.param_groups:
            for p in group["params"]:
                p.grad.mul_(2)
        return super().step(closure)


class SmallStart(torch.optim.Optimizer):
    """An adaptor that starts from g_0 = g_1 if the model is small."""

    def __init__(self, base, alpha=-5.0, beta1=0.99):
        self.base, self.alpha, self.beta1 = base, alpha, beta1
        super().__init__(base.param_groups, base.defaults)

    @torch.no_grad()
    def step(self, closure=None):
        if closure is not None:
            closure()
        parameters = [p for group in self.param_groups for p in group["params"]]
        small = sum(p.numel() for p in parameters) < 3
        for p in parameters:
            state = self.state[p]
            if not state:
                state["g"], state["a"] = p.grad.clone() if small else torch.zeros_like(p), torch.zeros_like(p)
            state["a"].mul_(self.beta1).add_(p.grad - state["g"], alpha=1 - self.beta1)
            state["g"] = p.grad.clone()
            p.sub_(self.base.param_groups[0]["lr"] * (p.grad + self.alpha * state["a"]))


@pytest.mark.parametrize(("cls", "found"), [
    (WrongBeta, "update rule"), (Doubled, "p.grad after step()"), (SmallStart, "small models"),
], ids=lambda value: getattr(value, "__name__", None))  # fmt: skip
def test_planted_faults_are_found(cls, found):
    assert found in departures(Subject(cls, {}))


@pytest.mark.parametrize(("target", "why"), [
    ("alto", "not of the form"), ("alto:Nothing", "cannot be imported"), ("torch.optim:SGD", "no argument alpha"),
    ("torch.optim:RMSprop", "no argument betas"), ("torch.optim:ASGD", "no argument betas"),
    ("alto:ESGD", "no argument betas"), ("pytorch_optimizer:AdEMAMix", "refuses alpha = -5.0"),
])  # fmt: skip
def test_unusable_targets(target, why, capsys):
    with pytest.raises(ValueError, match=why):
        load(target)
    assert command.main(["conform", target]) == 2
    assert why in capsys.readouterr().err.replace("\n", " ")


@pytest.mark.parametrize(("kwargs", "why"), [
    ('{"alpha": 3}', "alpha, which the checks set"), ('{"fast": true}', "fast, which 'alto:E' does not take"),
    ("{'foreach': true}", "is not JSON"), ("[1]", "is no JSON object"),
])  # fmt: skip
def test_unusable_arguments_are_one_line_and_exit_code_2(kwargs, why, capsys):
    try:
        code = command.main(["conform", "alto:E", "--kwargs", kwargs])
    except SystemExit as stop:  # argparse's way
        code = stop.code
    seen = capsys.readouterr().err.replace("\n", " ")
    assert code == 2
    assert why in seen
    assert "Traceback" not in seen


@pytest.mark.parametrize(("target", "code"), [("alto:E", 0), ("E:E", 1)])
def test_exit_code_and_json(target, code, capsys):
    assert command.main(["conform", target, "--json"]) == code
    observations = json.loads(capsys.readouterr().out)
    assert all(observation["agrees"] for observation in observations) is (code == 0)
