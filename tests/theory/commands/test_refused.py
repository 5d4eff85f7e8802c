"""What a command cannot do is said on stderr, with exit code 2."""

import sys

import pytest

from theory.__main__ import main


@pytest.mark.parametrize("alpha", ["-1e-3", "-5.", "-.5", "-5"])
def test_a_negative_number_is_a_value_and_no_option(alpha, capsys):
    assert main(["advise", "--lr", "0.1", "--alpha", alpha, "--json"]) == 0
    assert f'"alpha": {float(alpha)}' in capsys.readouterr().out


@pytest.mark.parametrize(
    "words",
    [
        ("--alpha", "1e308"),
        ("--alpha", "-1e308"),
        ("--beta1", "0.9999999999999999"),
        ("--alpha", "nan"),
        ("--alpha", "-inf"),
    ],
    ids=" ".join,
)
def test_advice_that_no_number_can_hold_is_refused(words, capsys):
    assert main(["advise", "--lr", "0.1", *words]) == 2
    said = capsys.readouterr()
    assert said.err.strip()
    assert not said.out


FAILING = """
import torch
class Failing(torch.optim.SGD):
    def __init__(self, params, lr=1.0, betas=(0.9, 0.8, 0.95), eps=1e-8, weight_decay=0.0, alpha=0.0):
        super().__init__(params, lr=lr)
    def step(self, closure=None):
        raise RuntimeError("no [step] today")
constant = 3
def function(params, lr, betas=(0.9, 0.8, 0.95), eps=1e-8, weight_decay=0.0, alpha=0.0):
    return None
"""


@pytest.mark.parametrize(
    ("module", "target", "said"),
    [
        (FAILING, "Failing", "no [step] today"),
        (FAILING, "constant", "is no optimizer"),
        (FAILING, "function", "makes a NoneType, which has no step()"),
        ("raise RuntimeError('broken')", "Any", "cannot be imported: RuntimeError: broken"),
    ],
    ids=["fails in a step", "constant", "function", "module that fails"],
)
def test_what_is_no_optimizer_is_not_held_against_the_paper(module, target, said, tmp_path, monkeypatch, capsys):
    (tmp_path / "stranger_under_test.py").write_text(module, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "stranger_under_test", raising=False)
    assert main(["conform", f"stranger_under_test:{target}"]) == 2
    assert said in " ".join(capsys.readouterr().err.split())
    sys.modules.pop("stranger_under_test", None)


def test_a_place_that_cannot_be_written_is_named(tmp_path, monkeypatch, capsys):
    from theory.commands import monitor

    def failing(_):
        (tmp_path / "absent" / "file").write_text("", encoding="utf-8")

    monkeypatch.setattr(monitor, "run", failing)
    assert main(["monitor"]) == 2
    assert "absent/file cannot be used (No such file or directory)" in capsys.readouterr().err
