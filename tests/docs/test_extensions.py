"""What the site adds to Sphinx: its blocks run and fail, its links are checked, its ledger leads to the sources."""

import json
import re
from unittest.mock import Mock

import pytest
from docutils import nodes

from docs import draw_packages
from docs.extensions import claim_graph, command_lines, ledger_data, links, rates_page, run_blocks, sources, stored
from docs.extensions.ledger_page import inline, pieces
from docs.extensions.plain_docstrings import escape
from docs.extensions.rates_page import words
from theory.ledger.claim import Verdict
from theory.rates import records


def block(language, code, file=""):
    return {"language": language, "code": code, "file": file}


def test_blocks_share_a_scope_and_their_output_is_kept():
    outcomes = run_blocks.run([block("python", "a = 2\nprint(a)"), block("python", "print(a + 1)"), block("text", "?")])
    assert [outcome["output"] for outcome in outcomes] == ["2\n", "3\n", ""]
    assert not any(outcome["error"] for outcome in outcomes)


def test_files_are_there_for_the_commands(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    outcomes = run_blocks.run([block("python", "print(6 * 7)", "answer.py"), block("console", "$ python answer.py")])
    assert [outcome["output"] for outcome in outcomes] == ["", "42\n"]


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        (block("python", "assert 1 == 2"), "AssertionError"),
        (block("python", "def broken(:", "file.py"), "SyntaxError"),
        (block("console", "$ false"), "ends with 1"),
        (block("console", "an output typed by hand"), "starts with"),
        (block("toml", "a = = 1"), "TOMLDecodeError"),
        (block("sh", "make nosuchtarget"), "nosuchtarget"),
    ],
)
def test_a_block_that_fails_is_seen_and_ends_the_page(bad, why):
    first, after = run_blocks.run([bad, block("python", "print('too late')")])
    assert why in first["error"]
    assert after == {"output": "", "error": ""}


@pytest.mark.parametrize(
    "line",
    [
        "make verify   # a comment",
        "python -m theory verify --only lemma-7",
        "python -m experiments run digits --tier gpu --set training.epochs=3",
        "torchrun --nproc-per-node 2 -m experiments run digits",
        'pip install ".[fused]"',
    ],
)
def test_command_lines_that_exist(line):
    command_lines.check(line)


@pytest.mark.parametrize(
    "line",
    [
        "make nosuchtarget",
        "python -m theory nosuchcommand",
        "python -m theory verify --nosuchoption",
        "python -m experiments run digits --nosuchoption 1",
        "python -m experiments nosuchcommand",
        'pip install ".[nosuchextra]"',
        "rm -rf site",
    ],
)
def test_command_lines_that_do_not_exist(line):
    with pytest.raises(ValueError, match=r"nosuch|rm"):
        command_lines.check(line)


def test_broken_links_and_foreign_loads_are_found(tmp_path):
    (tmp_path / "a.html").write_text(
        '<a id="here" href="b.html#there">fine</a><a href="https://example.org">fine</a><a href="#here">fine</a>'
        '<a href="none.html">1</a><a href="b.html#nowhere">2</a><img src="none.png">'
        '<script src="https://example.org/x.js"></script>'
    )
    (tmp_path / "b.html").write_text('<h1 id="there">b</h1>')
    found = links.broken(tmp_path)
    assert len(found) == 4
    for part, line in zip(("none.html", "nowhere", "none.png", "example.org/x.js"), found, strict=True):
        assert part in line


def test_every_claim_leads_to_its_code_and_to_the_tests_that_name_it():
    for name, claim in ledger_data.ledger().claims.items():
        place = ledger_data.code(claim)
        assert place.path.startswith("theory/claims/")
        line = (sources.ROOT / place.path).read_text().splitlines()[place.line - 1]
        assert name in line or "CLAIMS" in line
        for test in ledger_data.tests(claim):
            assert name in (sources.ROOT / test.path).read_text().splitlines()[test.line - 1]
    assert ledger_data.tests(ledger_data.ledger().claims["lemma-7"])


def test_every_claim_has_one_place_on_the_page():
    known = ledger_data.ledger()
    paper, ours = (list(known.groups(of_paper=which)) for which in (True, False))
    listed = [claim.id for _, claims in (*paper, *ours) for claim in claims]
    assert sorted(listed) == sorted(known.claims)
    assert all(claim.of_paper for _, claims in paper for claim in claims)
    assert "Elsewhere in the paper" not in [title for title, _ in paper]
    assert len({title for title, _ in paper}) == len(paper)


def test_every_verdict_has_a_meaning():
    assert set(ledger_data.VERDICTS) == set(Verdict)


def test_the_figures_of_claims_exist():
    from theory import figures

    assert set(ledger_data.FIGURES) <= set(ledger_data.ledger().claims)
    assert set(ledger_data.FIGURES.values()) <= set(figures.ALL)


def test_ids_of_claims_in_a_text_are_links_and_other_words_are_not():
    found = list(inline("See lemma-7, theorem-1: not-a-claim and $x - 1$.", "ledger"))
    links = [node["refuri"] for node in found if isinstance(node, nodes.reference)]
    assert links == ["ledger.html#lemma-7", "ledger.html#theorem-1"]
    assert "".join(node.astext() for node in found) == "See lemma-7, theorem-1: not-a-claim and x - 1."


def test_quantities_are_formulas_in_words():
    assert words("exponent in N of f(last iterate) - f*") == "Exponent in $N$ of $f - f^*$ at the last iterate"
    rest = [
        row["quantity"]
        for path in rates_page.FOLDER.glob("*.json")
        for row in json.loads(path.read_text()).get("rows", [])
    ]
    assert rest
    assert not [name for name in map(words, rest) if "|" in re.sub(r"\$.*?\$", "", name)]


def test_the_page_of_rates_has_every_row(tmp_path, monkeypatch):
    monkeypatch.setattr(rates_page, "save", lambda *_: None)
    page = rates_page.write(tmp_path)
    studies = [json.loads(path.read_text()) for path in rates_page.FOLDER.glob("*.json")]
    rows = sum(len(study.get("rows", [])) for study in studies)
    assert len(re.findall(rf"^\|.*\| (?:{'|'.join(records.Verdict)})", page, re.MULTILINE)) == rows > 0
    assert page.count("{dropdown}") == sum("rows" in study for study in studies)


def test_missing_results_are_named_with_the_command_that_makes_them(tmp_path, monkeypatch):
    monkeypatch.setattr(stored, "RESULTS", tmp_path)
    with pytest.raises(FileNotFoundError, match=r"results/rates/.*python -m theory rates"):
        stored.write_pages(Mock(srcdir=tmp_path))


def test_the_picture_of_the_packages_is_drawn_by_its_script_and_its_rows_fit_the_imports():
    assert draw_packages.FILE.read_text() == draw_packages.picture()
    for package, rows in draw_packages.ROWS.items():
        height = {name: i for i, row in enumerate(rows) for name in row}
        names = {path.parent.name for path in (sources.ROOT / package).glob("*/__init__.py")}
        assert set(height) == names
        for name in names:
            for path in (sources.ROOT / package / name).rglob("*.py"):
                found = re.findall(rf"^(?:from|import) {package}[ .](?:import )?(\w+)", path.read_text(), re.MULTILINE)
                assert [one for one in found if one in height and one != name and height[one] <= height[name]] == []


def test_a_long_formula_is_cut_at_its_outermost_relations_alone():
    assert pieces(r"a_k = (b + c) d \le \frac{e - f}{g} + h") == [
        "a_k", "{}= (b + c) d", r"{}\le \frac{e - f}{g}", "{}+ h",
    ]  # fmt: skip


def test_bars_are_escaped_outside_literals_and_in_plain_docstrings_alone():
    lines = ["|c| < 1, in code ``|c|``"]
    escape(Mock(), "function", "theory.x", None, None, lines)
    assert lines == [r"\|c\| < 1, in code ``|c|``"]
    lines = [":math:`|c|`"]
    escape(Mock(), "function", "alto.E", None, None, lines)
    assert lines == [":math:`|c|`"]


def test_the_graph_has_each_claim_once_right_of_all_that_it_rests_on():
    rests_on = {"d": ["b", "a"], "c": ["a"], "b": ["a"], "a": [], "alone": [], "e": ["not-here"]}
    drawn = claim_graph.svg(rests_on, dict.fromkeys(rests_on, "proved"))
    names = re.findall(r'<a href="#([^"]*)"><text class="verdict-proved" x="([\d.]+)"', drawn)
    x = {name: float(place) for name, place in names}
    assert sorted(x) == ["a", "b", "c", "d"]
    assert len(names) == 4
    edges = [(premise, name) for name, premises in rests_on.items() for premise in premises if premise in x]
    assert all(x[premise] < x[name] for premise, name in edges)
    assert sorted(re.findall(r"<title>(\w) rests on (\w)</title>", drawn)) == sorted((n, p) for p, n in edges)
    assert claim_graph.svg({"alone": []}, {"alone": "proved"}) == ""


def test_no_line_of_the_graph_passes_through_a_name():
    """The line from a to d has a place of its own in the column of b and c."""
    chains = claim_graph._columns([("a", "b"), ("a", "c"), ("b", "d"), ("a", "d")])
    columns, paths = chains
    assert [len(column) for column in columns] == [1, 3, 1]
    assert next(path for path in paths if (path[0], path[-1]) == ("a", "d"))[1] in columns[1]
