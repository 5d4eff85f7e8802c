"""The worst-case command and its claims: files, continuation, exit codes, and what a damaged certificate does."""

import json
import shutil
from fractions import Fraction

import pytest

from theory import __main__ as command
from theory.claims.behaviour import worst_case as group
from theory.ledger import outcomes, sources
from theory.ledger.claim import entries
from theory.ledger.evidence import QUICK
from theory.worst_case import grid, pep, settled, solved
from theory.worst_case.method import Method
from theory.worst_case.row import Problem, Row

CASES = [grid.Case(Problem.CONVEX, Method(c, 0.5, 0.0, 1.0, 1)) for c in (0.0, 0.05)]


@pytest.fixture
def two_cases(monkeypatch):
    monkeypatch.setattr(grid, "quick", lambda: CASES)
    cases = {case.key() for case in CASES}
    settings = [setting for setting in settled.every() if setting.case in cases]
    monkeypatch.setattr(settled, "every", lambda: settings)


def test_quick_writes_rows_and_checks_the_committed_certificates(two_cases, tmp_path, capsys):
    pytest.importorskip("pyarrow")
    from pyarrow import parquet

    assert command.main(["worst-case", "--out", str(tmp_path)]) == 0
    stored = json.loads((tmp_path / "rows.json").read_text())
    assert len(stored["rows"]) == 2
    assert stored["provenance"]["versions"]["clarabel"]
    assert stored["seeds"] == []
    assert "not proofs" in stored["kind"]
    assert json.loads((tmp_path / "summary.json").read_text())["closed_forms"][0]["holds"] == [0.0, 0.05]
    assert parquet.read_table(tmp_path / "rows.parquet").num_rows == 2
    shown = capsys.readouterr().out
    assert "2 of 2 certificates accepted" in shown
    assert "bounds of 2 are the numerical optimum" in " ".join(shown.split())
    assert "largest primal-dual gap" in shown


def test_a_second_run_continues(two_cases, tmp_path, monkeypatch):
    assert command.main(["worst-case", "--out", str(tmp_path)]) == 0
    monkeypatch.setattr(pep, "solve", lambda *_: pytest.fail("solved again"))
    assert command.main(["worst-case", "--out", str(tmp_path)]) == 0


def test_an_interrupt_says_what_is_kept(two_cases, tmp_path, monkeypatch, capsys):
    solve, solutions = pep.solve, []

    def one_then_stop(*arguments):
        if solutions:
            raise KeyboardInterrupt
        solutions.append(solve(*arguments))
        return solutions[0]

    monkeypatch.setattr(pep, "solve", one_then_stop)
    assert command.main(["worst-case", "--out", str(tmp_path)]) == 130
    assert "the same command continues" in " ".join(capsys.readouterr().err.split())
    assert len(json.loads((tmp_path / "rows.json").read_text())["rows"]) == 1


def test_a_lower_bound_above_the_optimum_is_exit_code_1(two_cases, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(grid, "conjecture", lambda case: 1.0)
    assert command.main(["worst-case", "--out", str(tmp_path)]) == 1
    assert "lower bound above the optimum" in capsys.readouterr().err


def test_a_row_without_an_answer_is_exit_code_1_and_an_unbounded_one_is_not(two_cases, tmp_path, monkeypatch, capsys):
    def failing(status):
        return lambda problem, method: Row(str(problem), *vars(method).values(), status=status, seconds=0.0)

    monkeypatch.setattr(settled, "every", list)
    monkeypatch.setattr(pep, "solve", failing("unbounded"))
    assert command.main(["worst-case", "--out", str(tmp_path / "unbounded")]) == 0
    monkeypatch.setattr(pep, "solve", failing("SolverError: it gave up"))
    assert command.main(["worst-case", "--out", str(tmp_path / "failed")]) == 1
    assert "it gave up" in capsys.readouterr().err


def test_a_loose_certificate_is_exit_code_1(two_cases, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(settled, "ALLOWANCE", Fraction(1, 10**8))
    assert command.main(["worst-case", "--out", str(tmp_path)]) == 1
    assert "above the numerical optimum" in " ".join(capsys.readouterr().err.split())


def test_a_short_run_keeps_the_rows_of_a_longer_one(two_cases, tmp_path, monkeypatch):
    assert command.main(["worst-case", "--out", str(tmp_path)]) == 0
    monkeypatch.setattr(grid, "quick", lambda: CASES[:1])
    monkeypatch.setattr(settled, "every", list)
    assert command.main(["worst-case", "--out", str(tmp_path)]) == 0
    assert len(json.loads((tmp_path / "rows.json").read_text())["rows"]) == 2


@pytest.fixture
def copied(tmp_path, monkeypatch):
    """The committed results, where a test may damage them."""
    shutil.copytree(solved.COMMITTED, tmp_path / "worst-case")
    monkeypatch.setattr(settled.stored, "__defaults__", (tmp_path / "worst-case",))
    monkeypatch.setattr(settled.refusals, "__defaults__", (tmp_path / "worst-case",))
    monkeypatch.setattr(solved, "COMMITTED", tmp_path / "worst-case")
    return tmp_path / "worst-case"


def verdict_of(claim):
    (entry,) = entries([claim], QUICK)
    return entry.verdict, outcomes.differences([entry], outcomes.accepted(), all_claims=False)


def test_a_mutated_multiplier_costs_the_claim_its_proof(copied):
    assert verdict_of(group.bounded) == ("proved-kernel", [])
    path = copied / solved.CERTIFICATES / f"{settled.bounded()[0].name}.json"
    stored = json.loads(path.read_text())
    name, weight = next((k, v) for k, v in stored["multipliers"].items() if not v.startswith("0"))
    stored["multipliers"][name] = f"{weight.split('/')[0]}1/{weight.split('/')[1]}" if "/" in weight else "7/3"
    path.write_text(json.dumps(stored))
    verdict, seen = verdict_of(group.bounded)
    assert verdict in {"broken", "undecided"}
    assert seen


def test_a_missing_certificate_is_no_proof(copied):
    (copied / solved.CERTIFICATES / f"{settled.bounded()[0].name}.json").unlink()
    assert verdict_of(group.bounded)[0] not in {"proved", "proved-kernel"}


def test_a_row_that_departs_is_seen(copied):
    path = copied / "rows.json"
    stored = json.loads(path.read_text())
    columns = stored["columns"]
    row = next(
        r for r in stored["rows"] if r[columns.index("problem")] == Problem.CONVEX and r[columns.index("c")] == 0
    )
    row[columns.index("dual")] *= 1.01
    path.write_text(json.dumps(stored))
    assert verdict_of(group.head_start)[0] == "contradicted"


def test_the_committed_rows_hold_no_lower_bound_above_a_trusted_optimum():
    stored = json.loads((solved.COMMITTED / "rows.json").read_text())
    rows = [
        row for row in solved.rows_of(stored).values() if row["problem"] == Problem.CONVEX and row["holds"] is not None
    ]
    assert len(rows) > 150
    assert all(row["relative"] < grid.HOLDS for row in rows)


def test_the_ledgers_fingerprint_covers_the_certificates(monkeypatch, tmp_path):
    monkeypatch.setattr(sources, "RESULTS", tmp_path)
    path = tmp_path / "worst-case" / solved.CERTIFICATES / "one.json"
    path.parent.mkdir(parents=True)
    path.write_text("1")
    source = sources.Source(group.__name__)
    before = source.fingerprint()
    path.write_text("2")
    assert source.fingerprint() != before
