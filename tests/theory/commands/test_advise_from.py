"""The learning rate for one who comes from another optimizer: from stored rules, with what was measured."""

import pytest

from theory.__main__ import main
from theory.commands import advise_from


def test_every_other_method_gets_its_rate_in_proportion(capsys):
    rule = next(one for one in advise_from.stored()["rules"] if (one["from"], one["to"]) == ("AdamW", "ALTO"))
    assert main(["advise", "--from", "adamw", "--lr", "0.02"]) == 0
    said = capsys.readouterr().out
    assert (
        f"ALTO      {0.02 * rule['factor']:.2g}, between {0.02 * rule['low']:.2g} and {0.02 * rule['high']:.2g}" in said
    )
    assert all(name in said for name in ("LAMB ", "E(AdamW) "))
    assert "a guess" not in said


def test_a_rate_far_from_the_measured_ones_is_called_a_guess(capsys):
    assert main(["advise", "--from", "adamw", "--lr", "3e-4"]) == 0
    assert "0.0003 is far from these: on your network the rule is a guess" in capsys.readouterr().out


def test_where_no_rule_holds_it_says_so(monkeypatch):
    found = advise_from.stored()
    found["rules"] = [{**one, "holds": False, "why": "the tasks disagree"} for one in found["rules"]]
    monkeypatch.setattr(advise_from, "stored", lambda: found)
    assert "  LAMB      no rule: the tasks disagree" in advise_from.lines("adamw", 0.02)


@pytest.mark.parametrize(
    ("words", "named"), [(["--lr", "0"], "--lr 0"), (["--alpha", "-5"], "--alpha"), (["--json"], "--json")],
    ids=["rate 0", "alpha", "json"],
)  # fmt: skip
def test_what_does_not_fit_is_refused(words, named, capsys):
    assert main(["advise", "--from", "adamw", *words]) == 2
    assert named in capsys.readouterr().err
