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
        (results / name).parent.mkdir(exist_ok=True)
        Figure(figsize=(3, 1)).savefig(results / f"{name}.png")
    return folder / "paper"


def build(paper: Path, document: str = "main.tex") -> subprocess.CompletedProcess[str]:
    return subprocess.run(["latexmk", document], cwd=paper, capture_output=True, text=True, check=False)


def overfull(paper: Path) -> list[str]:
    """The lines that stick out, as make paper looks for them."""
    return re.findall(r"^Overfull.*", (paper / "build" / "main.log").read_text(errors="replace"), re.MULTILINE)


def text_of(paper: Path, name: str = "main") -> str:
    pdf = paper / "build" / f"{name}.pdf"
    found = subprocess.run(["pdftotext", "-layout", pdf, "-"], capture_output=True, text=True, check=True).stdout
    return re.sub(r"\s+", " ", found)


def document(paper: Path, name: str, line: str) -> subprocess.CompletedProcess[str]:
    """The paper's preamble around a line: fast."""
    body = rf"\documentclass[11pt]{{article}}\input{{preamble}}\begin{{document}}Text {line}\end{{document}}"
    (paper / f"{name}.tex").write_text(body)
    return build(paper, f"{name}.tex")


@pytest.fixture(scope="module")
def paper(tmp_path_factory):
    return checkout(tmp_path_factory.mktemp("paper"))


def test_the_paper_builds_and_no_line_sticks_out(paper):
    built = build(paper)
    assert built.returncode == 0, built.stdout[-3000:]
    assert overfull(paper) == []
    assert "+0.25 [" in text_of(paper)
    assert bundled(paper).returncode == 0


def bundled(paper: Path) -> subprocess.CompletedProcess[bytes]:
    """LaTeX on what make paper packs for arXiv, in a folder of its own."""
    command = re.search(r"^\ttar .*?(?<!\\)$", (made.ROOT / "Makefile").read_text(), re.MULTILINE | re.DOTALL)
    assert command is not None
    subprocess.run(["bash", "-c", command[0].replace("$$", "$")], cwd=paper.parent, check=True)
    folder = paper.parent / "arxiv"
    folder.mkdir()
    subprocess.run(["tar", "-xzf", paper / "build" / "arxiv.tar.gz", "-C", folder], check=True)
    latex = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "main.tex"]
    return subprocess.run(latex, cwd=folder, capture_output=True, check=False)


def test_a_changed_number_changes_the_pdf(paper, tmp_path):
    write(made.ledger(), made.results(tmp_path, lead=0.75), paper / "changed")
    assert document(paper, "lead", r"\input{changed/experiments}").returncode == 0
    after = text_of(paper, "lead")
    assert "+0.75 [" in after
    assert "+0.25" not in after


def test_the_preamble_builds_with_known_names(paper):
    ledger = r"\hypertarget{claim:lemma-3}{}"
    assert document(paper, "good", rf"{ledger}\val{{count/all}} \claim{{lemma-3}} \verdict{{lemma-3}}").returncode == 0


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
def test_what_is_broken_stops_the_build(paper, name, line):
    assert document(paper, name, line).returncode != 0
