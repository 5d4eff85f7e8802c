"""Each command looks at the places where it writes before its work: one line, exit code 2, and nothing is written."""

import os
from pathlib import Path

import pytest

from experiments.__main__ import main
from experiments.cli import available, bench, campaign, report, run

COMMANDS = {
    "run": (run.Run, "run digits --out PLACE"),
    "sweep": (run.Sweep, "sweep digits --executor local --out PLACE"),
    "repeat": (run.Repeat, "repeat digits --out PLACE"),
    "rows": (run.Rows, "rows digits --out PLACE"),
    "rows-file": (run.Rows, "rows digits --file PLACE/x"),
    "campaign": (campaign.Campaign, "campaign gpu --out PLACE"),
    "fetch": (available.Fetch, "fetch tinyshakespeare --data-dir PLACE"),
    "report": (report.Report, "report digits --out PLACE"),
    "report-results": (report.Report, "report digits --results PLACE"),
    "figures": (report.Figures, "figures digits --out PLACE"),
    "figures-keep": (report.Figures, "figures --keep --results PLACE"),
    "evidence": (report.Evidence, "evidence --results PLACE"),
    "answers": (report.Answers, "answers --results PLACE"),
    "bench": (bench.Bench, "bench step --out PLACE"),
}


@pytest.mark.parametrize(("kind", "words"), COMMANDS.values(), ids=COMMANDS)
@pytest.mark.parametrize("place", ["/etc/passwd", "/proc", "too-long"], ids=["file", "read-only", "too-long"])
def test_a_place_that_cannot_be_written_is_refused_before_the_work(kind, words, place, monkeypatch, capsys, tmp_path):
    def worked(_):
        pytest.fail("it worked")

    place = str(tmp_path / ("x" * 256)) if place == "too-long" else place
    before = Path("/etc/passwd").read_bytes()
    monkeypatch.setattr(kind, "act", worked)
    monkeypatch.setattr("sys.argv", ["experiments", *words.replace("PLACE", place).split()])
    assert main() == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert place in line
    assert line.endswith("mend it, or name another place")
    assert Path("/etc/passwd").read_bytes() == before
    assert list(tmp_path.iterdir()) == []


def test_a_report_is_whole_or_the_old_one(tiny_file, tmp_path, monkeypatch, capsys):
    def act(*words: str) -> int:
        monkeypatch.setattr("sys.argv", ["experiments", *words, str(tiny_file), "--out", str(tmp_path / "out")])
        return main()

    assert act("run", "--jobs", "1") == 0
    assert act("report") == 0
    folder = tmp_path / "out" / "tiny" / "laptop" / "report"
    for path in folder.iterdir():
        path.write_bytes(b"old")
    real, written = os.fsync, []

    def full(descriptor: int) -> None:
        written.append(descriptor)
        if len(written) == 6:  # the disk is full in the midst of the set
            raise OSError(28, "No space left on device")
        real(descriptor)

    monkeypatch.setattr(os, "fsync", full)
    capsys.readouterr()
    assert act("report") == 2
    said = capsys.readouterr()
    (line,) = said.err.splitlines()
    assert "cannot be used (No space left on device)" in line
    assert {path.read_bytes() for path in folder.iterdir()} == {b"old"}
