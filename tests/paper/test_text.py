"""The paper's source: it names claims that exist and no measured number."""

import re

import pytest

from tests.paper import made
from theory import claims

PAPER = made.ROOT / "paper"
SOURCES = [PAPER / "main.tex", *sorted((PAPER / "sections").glob("*.tex"))]
TEXT = {path.name: path.read_text() for path in SOURCES}
# Settings of the source paper and of its figures, those of two counterexamples and of the decomposition, numbers of its
# sections, its gain.
SETTINGS = {".999", ".99", ".9", ".95", ".5", ".05", ".01", ".1", "2.1", "2.2", "2.5", "3.4", "3.5"}
NAMES = re.compile(r"\\(claim|claimref|verdict|says|tagclaim|val|label|ref|input)\{[^}]*\}")


def named(command: str) -> set[str]:
    return {name for text in TEXT.values() for name in re.findall(rf"\\{command}\{{([^}}]+)\}}", text)}


def claims_named() -> set[str]:
    return {name for command in ("claim", "claimref", "verdict", "says", "tagclaim") for name in named(command)}


def test_every_claim_named_in_the_paper_is_in_the_ledger():
    ids = {claim.id for claim in claims.ALL}
    assert claims_named() <= ids


def test_the_paper_discusses_each_claim_of_the_source_paper_that_has_evidence():
    discussed = claims_named()
    source = {claim.id for claim in claims.ALL if claim.source.startswith("paper") and claim.evidence}
    assert source - {name for name in source if name.startswith(("table-", "figure-"))} <= discussed


@pytest.mark.parametrize("name", sorted(TEXT))
def test_no_measured_number_is_typed(name):
    typed = set(re.findall(r"(?<![\w.])\d*\.\d+", NAMES.sub("", TEXT[name])))
    assert typed <= SETTINGS


def test_no_evidence_stands_in_the_text_word_for_word():
    assert not {key for key in named("val") if re.search(r"(?<!^count)/(measurement|exact|counterexample|proof)", key)}


def test_every_verdict_is_printed_with_its_claim():
    bare = [(name, text) for name, text in TEXT.items() if re.search(r"\\verdict\{([^}]+)\}(?! \\claim\{\1\})", text)]
    assert bare == []


def test_every_key_comes_from_a_generator(tmp_path):
    from theory.tex import write

    write(made.ledger(), made.results(tmp_path / "results"), tmp_path / "out")
    defined = set(re.findall(r"^\\generated\{([^}]+)\}", (tmp_path / "out" / "values.tex").read_text(), re.MULTILINE))
    assert named("val") <= defined
    files = {path.stem for path in (tmp_path / "out").glob("*.tex")}
    read = {
        name
        for path in [*SOURCES, PAPER / "preamble.tex"]
        for name in re.findall(r"generated/([a-z][\w-]*)|^\\resulttable\{([\w-]+)\}", path.read_text(), re.MULTILINE)
    }
    read = {one for pair in read for one in pair if one}
    assert read <= files


def test_every_citation_is_in_the_bibliography_and_every_entry_is_cited():
    entries = set(re.findall(r"@\w+\{([^,]+),", (PAPER / "refs.bib").read_text()))
    keys = (named("citep") | named("citet")) if TEXT else set()
    assert {key.strip() for group in keys for key in group.split(",")} == entries
