"""Evidence in processes of its own: the same results as here, file by file, and what becomes of a bad file."""

import fcntl
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from theory.ledger import running
from theory.ledger.claim import Verdict
from theory.ledger.effort import QUICK
from theory.ledger.sources import ClaimsError, Source

EXAMPLE = Source(str(Path(__file__).with_name("claims_of_another_paper.py")))


def test_two_processes_run_every_claim_once_and_keep_the_order():
    states, finished = [], []
    found = running.run(
        {EXAMPLE: None}, QUICK, processes=2, seconds={"all-even": 9.0}, follow=states.append,
        finished=lambda source, entries: finished.append((source, len(entries))),
    )  # fmt: skip
    assert [(entry.claim.id, entry.verdict) for entry in found[EXAMPLE]] == [
        ("binomial", Verdict.PROVED), ("all-even", Verdict.REFUTED),
    ]  # fmt: skip
    assert "1 is odd" in found[EXAMPLE][1].results[0].detail
    assert finished == [(EXAMPLE, 2)]
    assert states[0].running[0] == "all-even"  # the longest starts first
    assert (states[-1].done, states[-1].total, states[-1].running) == (2, 2, [])


def test_one_claim_of_a_file():
    (found,) = running.run({EXAMPLE: ["binomial"]}, QUICK, processes=1).values()
    assert [entry.claim.id for entry in found] == ["binomial"]


def test_no_process_outlives_a_killed_run(tmp_path):
    place, mine = tmp_path / "held", tmp_path / "mine.py"
    holding = f"import fcntl, time\nheld = open({str(place)!r}, 'w')\nfcntl.flock(held, fcntl.LOCK_EX)\ntime.sleep(60)"
    mine.write_text(holding)
    running_it = f"running.run({{sources.Source({str(mine)!r}): None}}, effort.QUICK)"
    code = f"from theory.ledger import effort, running, sources\n{running_it}"
    process = subprocess.Popen([sys.executable, "-c", code], cwd=Path(running.__file__).parents[2])
    _wait(lambda: place.exists() and not _free(place))  # until the file of claims is read, in a process of the pool
    process.kill()
    process.wait()
    _wait(lambda: _free(place))  # the system frees a lock when the process that holds it has ended


def test_no_process_outlives_an_interrupted_run(monkeypatch):
    workers = []

    def interrupted(pool, *_):
        pool.submit(time.sleep, 20)
        _wait(lambda: pool._processes)
        workers.extend(pool._processes.values())
        raise KeyboardInterrupt

    monkeypatch.setattr(running, "_run", interrupted)
    with pytest.raises(KeyboardInterrupt):
        running.run({EXAMPLE: None}, QUICK, processes=1)
    for worker in workers:
        worker.join(10)
    assert [worker.exitcode for worker in workers] == [-signal.SIGTERM]


def _free(place):
    with place.open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


def _wait(condition):
    give_up = time.monotonic() + 40
    while not condition():
        assert time.monotonic() < give_up
        time.sleep(0.05)


@pytest.mark.parametrize(("text", "why"), [
    ("x = 1", "needs CLAIMS"),
    ("CLAIMS = (1,)", "needs CLAIMS"),
    ("from theory.ledger import Claim\nCLAIMS = (Claim('a', 's', 't', needs='n'),) * 2", "two claims with the id 'a'"),
], ids=["none", "no claims", "one id twice"])  # fmt: skip
def test_a_file_that_is_no_file_of_claims(tmp_path, text, why):
    path = tmp_path / "mine.py"
    path.write_text(text)
    with pytest.raises(ClaimsError, match=why):
        Source(str(path)).claims()


def test_a_file_that_does_not_exist(tmp_path):
    with pytest.raises(ClaimsError, match="does not exist"):
        Source(str(tmp_path / "mine.py")).claims()


def test_the_fingerprint_covers_the_results_that_a_file_reads(monkeypatch, tmp_path):
    source = Source("theory.claims.behaviour.worst_case")
    monkeypatch.setattr("theory.ledger.sources.RESULTS", tmp_path)
    before = source.fingerprint()
    (tmp_path / "worst-case").mkdir()
    (tmp_path / "worst-case" / "rows.json").write_text("{}")
    assert source.fingerprint() != before
