"""LAMB's switches: each setting of a LAMB that has them all is found."""

import json

import pytest
import torch

import alto
from theory import __main__ as command
from theory.conform import switches
from theory.rates.user_code import UserCodeError


class Switched(torch.optim.Optimizer):
    """A LAMB with every switch as an argument."""

    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-6, weight_decay=0.0, **flags):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay})
        self.flags = flags

    @torch.no_grad()
    def step(self, closure=None):
        on = self.flags.get
        for group in self.param_groups:
            lr, (b2, b3), eps, decay = group["lr"], group["betas"], group["eps"], group["weight_decay"]
            norm = torch.stack([p.grad.norm() for p in group["params"]]).norm()
            for p in group["params"]:
                state = self.state[p]
                k = state["k"] = state.get("k", 0) + 1
                g = p.grad / max(float(norm), 1.0) if on("clip") else p.grad
                exclude = on("exclude") and p.dim() < 2
                gamma = 0.0 if exclude else decay
                if on("l2"):
                    g = g + gamma * p
                m = b2 * state.get("m", 0 * p) + (1.0 if on("sum") else 1 - b2) * g
                v = b3 * state.get("v", 0 * p) + (1 - b3) * g * g
                c2, c3 = (1, 1) if on("vanilla") else (1 - b2**k, 1 - b3**k)
                step = lr / c2 if on("late") else lr
                if on("late"):
                    c2, c3 = 1, 1
                if on("in_place"):
                    m, v, c2, c3 = m / c2, v / c3, 1, 1
                state["m"], state["v"] = m, v
                if on("eps_inside"):
                    root = (v / c3 + eps).sqrt()
                elif on("eps_early"):
                    root = (v.sqrt() + eps) / c3**0.5
                else:
                    root = (v / c3).sqrt() + eps
                r = m / c2 / root
                if on("decoupled"):
                    p.mul_(1 - lr * gamma)
                elif not on("l2") and not on("beside"):
                    r = r + gamma * p
                weight = min(float(p.norm()), 10.0) if on("cap") else float(p.norm())
                length = float(r.norm()) + eps * bool(on("ratio_eps"))
                factor = weight / length if weight > 0 or on("frozen") else 1.0
                if exclude or (on("tied") and decay == 0):
                    factor = 1.0
                p.sub_(step * factor * r + (lr * gamma * p if on("beside") else 0))


FLAGS = [
    ("vanilla", "bias correction", "none"), ("late", "bias correction", "of m alone, in the step size"),
    ("in_place", "bias correction", "in place"),
    ("eps_inside", "place of eps", "inside the root"), ("eps_early", "place of eps", "before bias correction"),
    ("decoupled", "weight decay", "decoupled, before the ratio"), ("l2", "weight decay", "in the gradient (L2)"),
    ("beside", "weight decay", "decoupled, beside the ratio"),
    ("sum", "first moment averages, (1 - beta) g", "no"), ("ratio_eps", "eps in the trust ratio's denominator", "yes"),
    ("clip", "clipping of gradients in the step", "by the global norm"),
    ("tied", "trust ratio without weight decay", "dropped"),
    ("exclude", "trust ratio of 1-D tensors", "dropped, and weight decay"),
    ("frozen", "trust ratio of a tensor at 0", "nearly 0"), ("cap", "cap on the parameter's norm", "10"),
]  # fmt: skip


@pytest.mark.parametrize(("flag", "switch", "found"), FLAGS, ids=[flag for flag, *_ in FLAGS])
def test_a_switch_is_found_and_the_others_are_ours(flag, switch, found):
    rows = {row.switch: row for row in switches.find(Switched, {flag: True})}
    assert rows[switch].found == found
    others = {name: row.found for name, row in rows.items() if name not in {switch, "default betas"}}
    assert others == {name: rows[name].ours for name in others}


def test_every_switch_has_a_flag():
    assert {switch for _, switch, _ in FLAGS} == set(switches.NAMES)


def test_ours_is_what_it_is_said_to_be():
    assert all(row.found == row.ours for row in switches.find(alto.LAMB))
    assert {r.switch for r in switches.find(Switched) if r.found != r.ours} == {"default betas"}


def test_the_command_shows_another_package(capsys):
    assert command.main(["conform", "pytorch_optimizer:Lamb", "--lamb"]) == 0
    assert "LAMB's switches in pytorch_optimizer:Lamb" in capsys.readouterr().out
    assert command.main(["conform", "pytorch_optimizer:Lamb", "--lamb", "--json"]) == 0
    found = {row["switch"]: row["found"] for row in json.loads(capsys.readouterr().out)}
    assert found["cap on the parameter's norm"] == "10"
    assert found["weight decay"] == "decoupled, before the ratio"


def test_what_is_no_lamb_is_said(capsys):
    assert {row.found for row in switches.find(torch.optim.AdamW)[:-1]} == {"not found"}
    assert command.main(["conform", "torch.optim:SGD", "--lamb"]) == 2
    assert "has no argument betas, eps" in capsys.readouterr().err
    with pytest.raises(UserCodeError, match="learning rate"):
        switches.find(torch.optim.Adam, {"lr": -1.0})
