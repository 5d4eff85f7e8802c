"""LaTeX runs: a changed number changes the PDF; what is broken stops the build."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from matplotlib.figure import Figure

from tests.paper import made
from theory.tex import write

pytestmark = pytest.mark.skipif(
    not all(shutil.which(tool) for tool in ("latexmk", "pdflatex", "bibtex", "pdftotext")),
    reason="needs TeX and poppler",
)
PAPER = made.ROOT / "paper"


def checkout(folder: Path, *, lead: float = 0.25) -> Path:
    """The paper in a folder of its own, with made-up results beside it."""
    shutil.copytree(PAPER, folder / "paper", ignore=shutil.ignore_patterns("build", "generated"))
    results = made.results(folder / "results", lead=lead)
    write(made.ledger(), results, folder / "paper" / "generated")
    text = "".join(path.read_text() for path in (PAPER / "sections").glob("*.tex"))
    made.figures(results / "figures", re.findall(r"\\resultfigure\{([\w-]+)\}", text))
    for name in re.findall(r"\\resultpicture\{([\w/-]+)\}", text):
        path = results / f"{name}.png"
        path.parent.mkdir(exist_ok=True)
        Figure(figsize=(3, 1)).savefig(path)
    return folder / "paper"


def build(paper: Path, document: str = "main.tex") -> subprocess.CompletedProcess[str]:
    return subprocess.run(["latexmk", document], cwd=paper, capture_output=True, text=True, check=False)


def overfull(paper: Path) -> list[str]:
    """The lines that stick out, as make paper looks for them."""
    return re.findall(r"^Overfull.*", (paper / "build" / "main.log").read_text(errors="replace"), re.MULTILINE)


def text_of(paper: Path) -> str:
    pdf = paper / "build" / "main.pdf"
    return subprocess.run(["pdftotext", "-layout", pdf, "-"], capture_output=True, text=True, check=True).stdout


def test_a_changed_number_changes_the_pdf(tmp_path):
    paper = checkout(tmp_path, lead=0.25)
    built = build(paper)
    assert built.returncode == 0, built.stdout[-3000:]
    assert overfull(paper) == []
    assert "+0.25 [" in re.sub(r"\s+", " ", text_of(paper))
    results = made.results(tmp_path / "results", lead=0.75)
    write(made.ledger(), results, paper / "generated")
    assert build(paper).returncode == 0
    after = re.sub(r"\s+", " ", text_of(paper))
    assert "+0.75 [" in after
    assert "+0.25" not in after


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """The paper's preamble around a line: fast."""
    paper = checkout(tmp_path_factory.mktemp("small"))

    def document(name: str, line: str) -> subprocess.CompletedProcess[str]:
        body = rf"\documentclass[11pt]{{article}}\input{{preamble}}\begin{{document}}Text {line}\end{{document}}"
        (paper / f"{name}.tex").write_text(body)
        return build(paper, f"{name}.tex")

    return document


def test_the_preamble_builds_with_known_names(small):
    ledger = r"\hypertarget{claim:lemma-3}{}"
    assert small("good", rf"{ledger}\val{{count/all}} \claim{{lemma-3}} \verdict{{lemma-3}}").returncode == 0


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("reference", r"\ref{fig:nowhere}"),
        ("citation", r"\citep{nobody}"),
        ("value", r"\val{no/such}"),
        ("claim", r"\claim{no-such}"),
        ("verdict", r"\verdict{no-such}"),
        ("figure", r"\resultfigure{no-such}{x}"),
    ],
)
def test_what_is_broken_stops_the_build(small, name, line):
    assert small(name, line).returncode != 0
