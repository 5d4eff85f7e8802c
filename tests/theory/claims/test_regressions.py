"""The reference values: the quick checks agree, a mismatch is seen and named, and the command says so."""

import json
import math

import pytest

from theory import __main__ as command
from theory import claims, regressions
from theory.ledger import outcomes
from theory.regressions import Check, compared


def test_every_number_of_the_derivation_is_there():
    assert {check.id for check in regressions.ALL} == {f"K{i}" for i in range(1, 26)}


@pytest.mark.parametrize("check", regressions.ALL, ids=lambda check: f"{check.id} {check.title}")
def test_reference_values(check):
    found = compared(check)
    assert found
    assert [one for one in found if not one.agrees] == []


def a_check(computed, reference, **options):
    return Check("K99", "made up", lambda: [("x", computed, reference)], **options)


@pytest.mark.parametrize(("computed", "reference", "options", "agrees"), [
    (1.0005, 1.0, {}, True), (1.002, 1.0, {}, False), (-1.0005, -1.0, {}, True),
    (1e-5, 0.0, {}, False), (1e-5, 0.0, {"tolerance": 1e-4, "absolute": True}, True),
    (math.inf, math.inf, {}, True), (1.0, math.inf, {}, False), (math.inf, 1.0, {}, False), (math.nan, 1.0, {}, False),
])  # fmt: skip
def test_agreement(computed, reference, options, agrees):
    (one,) = compared(a_check(computed, reference, **options))
    assert one.agrees is agrees


@pytest.fixture
def two_checks(monkeypatch, tmp_path):
    """One that agrees with an infinite value, one that does not; no stored ledger."""
    monkeypatch.setattr(
        regressions, "ALL", (a_check(math.inf, math.inf), Check("K98", "off", lambda: [("y", 2.0, 1.0)]))
    )
    for name in ("LOCAL", "COMMITTED"):
        monkeypatch.setattr(outcomes, name, tmp_path / f"{name}.json")


def strictly(text):
    def refuse(name):
        raise AssertionError(f"{name} is not JSON")

    return json.loads(text, parse_constant=refuse)


def test_a_mismatch_is_exit_code_1_and_named(two_checks, capsys):
    assert command.main(["stability", "--only", "K98"]) == 1
    seen = capsys.readouterr()
    assert "K98 y: 2" in seen.err
    assert "0/1" in seen.out


def test_json_is_strict_and_an_agreeing_check_is_exit_code_0(two_checks, capsys):
    assert command.main(["stability", "--only", "K99", "--only", "ours-head-start", "--json"]) == 0
    found = strictly(capsys.readouterr().out)
    (check,), (claim,) = found["checks"], found["claims"]
    assert (check["id"], check["computed"], check["agrees"]) == ("K99", None, True)
    assert (claim["id"], claim["verdict"]) == ("ours-head-start", "proved")


def test_an_unknown_id_is_exit_code_2(capsys):
    assert command.main(["stability", "--only", "K26"]) == 2
    assert "K26" in capsys.readouterr().err


def test_an_unexpected_verdict_is_exit_code_1(monkeypatch, two_checks, capsys):
    from theory import pinned

    monkeypatch.setitem(pinned.VERDICTS, "ours-head-start", "refuted")
    assert command.main(["stability", "--only", "ours-head-start"]) == 1
    assert "pinned refuted" in capsys.readouterr().err


def test_claims_are_computed_and_not_read_from_a_store(monkeypatch, two_checks, capsys):
    """A stored ledger of this very source would say otherwise; the command does not ask it."""
    monkeypatch.setattr(outcomes, "load", lambda *_: pytest.fail("a stored outcome was read"))
    assert command.main(["stability", "--only", "ours-head-start"]) == 0
    assert "proved" in capsys.readouterr().out


def test_the_command_knows_the_claims_of_its_groups():
    known = {claim.id for claim in claims.ALL}
    assert {"ours-cliff", "ours-dip-crossing", "ours-worst-case-certified", "ours-pep-head-start"} <= known
