"""What the paper's numbers are written from, and what is refused."""

import hashlib
import json
import re

import pytest

from tests.paper import made
from theory.ledger.claim import Entry, Statement
from theory.ledger.evidence import About, Kind, Outcome, Result
from theory.tex import StaleError, entries, write
from theory.tex.book import Book
from theory.tex.markup import decimals, fixed, grouped_table, interval, long_table, number, statement, table, words
from theory.tex.order import order


@pytest.mark.parametrize(
    ("text", "latex"),
    [
        ("50 % of a_b", r"50 \% of $a_{b}$"),
        ("beta1 <= 0.9", r"$\beta_{1}$ $\le$ 0.9"),
        ("theta_k and eps3", r"$\theta_{k}$ and $\epsilon_3$"),
        ("alpha=-5 +- 1e-06", r"$\alpha$=$-$5 $\pm$ $1\cdot10^{-6}$"),
        ("x^2 & y{z}", r"x$^{2}$ \& y\{z\}"),
        ("T^(-1/2), v_{k-1}", r"T$^{-1/2}$, $v_{k-1}$"),
        ("rates --full", r"rates -{}-full"),
        ("betas, metadata, 2-3, b-5", r"betas, metadata, 2-3, b-5"),
        ("R/sqrt(T), sqrt(batch)", r"R\slash{}$\sqrt{T}$, $\sqrt{\text{batch}}$"),
        ("sqrt(T + 1)", r"$\sqrt{\vphantom{x}}$(T + 1)"),
        ("see ours-alpha-star, any-mu", "see ours-alpha-star, any-mu"),
        ("|g_k|_inf <= G", r"$\|g_k\|_\infty$ $\le$ G"),
        ("mean of |grad f|^2", r"mean of $\|\nabla f\|^2$"),
        ("grad f(theta_k)", r"$\nabla f(\theta_k)$"),
        ("(k-1) v", "(k-1) v"),
    ],
)
def test_words_become_latex(text, latex):
    assert words(text) == latex


def test_formulas_in_statements_are_left_alone():
    assert statement(r"for $\alpha_k < 0$ at 5 %") == r"for $\alpha_k < 0$ at 5 \%"
    with pytest.raises(ValueError, match="odd number of dollar signs"):
        statement("a $ b")


@pytest.mark.parametrize(
    ("value", "latex"),
    [
        (0.0479234, "$0.04792$"),
        (12.0, "$12.00$"),
        (2.5e10, r"$2.50\cdot10^{10}$"),
        (-1e-9, r"$-1.00\cdot10^{-9}$"),
        (0.99996, "$1.000$"),
        (float("inf"), r"$\infty$"),
        (None, "--"),
    ],
)
def test_numbers_keep_four_digits(value, latex):
    assert number(value) == latex


def test_signs_are_shown_where_they_are_asked_for():
    assert (fixed(0.25, sign=True), fixed(-0.25, sign=True), fixed(0.25)) == ("$+0.25$", "$-0.25$", "$0.25$")


def test_an_interval_shows_both_ends():
    assert interval({"low": -0.5, "high": 1.25}) == "$[-0.50,\\,1.25]$"
    assert interval({"low": 98.0, "high": 101.0}, within=(0.0, 100.0)) == "$[98.00,\\,100.00]$"


def test_narrow_intervals_get_more_decimals():
    assert [decimals(*ends) for ends in ((0, 0), (-1, 1), (0.1, 0.15), (0.001, 0.0045), (0, 1e-9))] == [2, 2, 3, 4, 5]


def test_the_rows_of_a_group_stay_below_their_heading():
    text = grouped_table((0.5, "r"), ["a", "b"], {"one": [["1", "2"], ["3", "4"]], "two": [["5", "6"]]})
    assert text.index(r"\emph{one}") < text.index("1 & 2") < text.index(r"\emph{two}") < text.index("5 & 6")
    assert r"1 & 2 \\*" in text  # no page ends here
    assert "3 & 4 \\\\\n" in text  # but here


def test_tables_of_uneven_rows_or_too_wide_are_refused():
    with pytest.raises(ValueError, match="cells under a head of 2"):
        table("ll", ["a", "b"], [["1"]])
    with pytest.raises(ValueError, match="one line"):
        long_table((0.6, 0.6), ["a", "b"], [["1", "2"]])


def test_a_key_is_defined_once_and_is_a_name():
    book = Book()
    book.value("a/b", "1")
    with pytest.raises(ValueError, match="twice"):
        book.value("a/b", "2")
    with pytest.raises(ValueError, match="command"):
        book.value("a_b", "1")


def test_every_claim_has_a_row_a_number_and_a_verdict(tmp_path):
    ledger = made.ledger()
    write(ledger, made.results(tmp_path / "results"), tmp_path / "out")
    rows = "".join(path.read_text() for path in (tmp_path / "out").glob("ledger-*.tex"))
    verdicts = (tmp_path / "out" / "claims.tex").read_text()
    for k, entry in enumerate(order(ledger), 1):
        assert rows.count(rf"\ledgernumber{{{entry.claim.id}}}") == 1
        assert rf"\generatedclaim{{{entry.claim.id}}}{{{k}}}{{" in verdicts
    assert rows.count(r"\ledgernumber") == len(ledger)


def entry(source: str, *results: Result, plain: str = "", needs: str | None = None) -> Entry:
    return Entry(Statement("any", source, "A statement. More of it.", plain, needs=needs), results)


def result(kind: Kind, about: About = About.STATEMENT, prose: int = 0) -> Result:
    pieces = [{"tool": "prose"}] * prose + [{"tool": "sympy identity"}] * (3 - prose)
    return Result(kind, "name", about, Outcome.SUPPORTS, "detail", 0.1, pieces if kind is Kind.PROOF else ())


def test_the_source_papers_claims_come_first_and_in_its_order():
    expected = ["Section 5", "Remark 2.1 and abstract", "Theorem 2", "Appendix, Lemma 9", "Appendix, Lemma 10 (told)",
                "Figure 1", "abstract"]  # fmt: skip
    sources = [f"paper, {where}" for where in expected]
    found = order(entry(source) for source in ["ours; laptop tier", "ours", *sources[::-1]])
    assert [one.claim.source for one in found] == [*sources, "ours", "ours; laptop tier"]
    with pytest.raises(ValueError, match="begins with none of Section, Remark"):
        order([entry("paper, Chapter 1")])


def test_a_claim_without_a_plain_sentence_is_told_by_its_first_one():
    assert entries.sentence(entry("ours")) == "A statement."
    assert entries.sentence(entry("ours", plain="In short.")) == "In short."


def test_a_setting_is_named_by_what_it_ran_and_a_clear_difference_is_bold(tmp_path):
    results = made.results(tmp_path / "results", lead=0.75)
    path = results / "experiments" / "digits-laptop.json"
    path.write_text(path.read_text().replace("full batch", "VGG-16, batch 50K").replace("Digits", "On ImageNet"))
    write(made.ledger(), results, tmp_path / "out")
    for name in ("experiments", "runs"):
        text = (tmp_path / "out" / f"{name}.tex").read_text()
        assert "convnet 16-32 on digits" in text
        assert not re.search("VGG|50K|ImageNet", text)
    assert r"\boldmath$+0.75$" in (tmp_path / "out" / "experiments.tex").read_text()
    write(made.ledger(), made.results(results, lead=0.25), tmp_path / "out")
    assert "boldmath" not in (tmp_path / "out" / "experiments.tex").read_text()


def test_the_provenance_has_the_digest_of_the_files_one_after_another(tmp_path):
    results = made.results(tmp_path / "results")
    write(made.ledger(), results, tmp_path / "out")
    files = sorted((results / "rates").glob("*.json"))
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()[:12]
    assert rf"& {len(files)} & \texttt{{{digest}}} &" in (tmp_path / "out" / "provenance.tex").read_text()


def test_a_changed_result_changes_its_value_alone(tmp_path):
    def values(lead: float) -> set[str]:
        write(made.ledger(), made.results(tmp_path / "results", lead=lead), tmp_path / "out")
        return set((tmp_path / "out" / "values.tex").read_text().splitlines())

    before, after = values(0.25), values(0.75)
    assert {line.split("}{")[0] for line in before ^ after} == {
        rf"\generated{{digits-laptop/{setting}/ALTO/lead" for setting in ("full batch", "batch 32")
    }


def test_files_of_an_earlier_time_are_removed(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "old.tex").touch()
    write(made.ledger(), made.results(tmp_path / "results"), tmp_path / "out")
    assert not (tmp_path / "out" / "old.tex").exists()


@pytest.mark.parametrize(
    "name",
    ["rates/pl.json", "worst-case/rows.json", "experiments/digits-laptop.json", "theory/dips.json",
     "evidence/ours-alpha-best-large.json"],
)  # fmt: skip
def test_missing_results_are_refused_and_nothing_is_written(tmp_path, name):
    results = made.results(tmp_path / "results")
    (results / name).unlink()
    with pytest.raises(StaleError, match="python -m"):
        write(made.ledger(), results, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_figure_of_other_data_is_refused(tmp_path):
    results = made.results(tmp_path / "results")
    path = results / "theory" / "mean-square.json"
    stored = json.loads(path.read_text())
    stored["data"]["config"]["changed"] = True
    path.write_text(json.dumps(stored))
    with pytest.raises(StaleError, match="python -m theory figures mean-square"):
        write(made.ledger(), results, tmp_path / "out")


def test_the_committed_figures_are_of_the_committed_studies():
    from theory.figures import gallery

    assert gallery.stale(made.ROOT / "results" / "figures", made.ROOT / "results") == []


def test_an_answer_that_is_not_the_ledgers_is_refused(tmp_path):
    results = made.results(tmp_path / "results")
    path = results / "evidence" / "ours-alpha-best-large.json"
    path.write_text(json.dumps(made.ANSWER | {"low": -0.25}))
    with pytest.raises(StaleError, match="another answer to ours-alpha-best-large"):
        write(made.ledger(), results, tmp_path / "out")


def test_a_comparison_in_other_words_is_refused(tmp_path):
    results = made.results(tmp_path / "results")
    path = next((results / "evidence").glob("ours-alto-vs-lamb-*.json"))
    path.write_text(json.dumps(made.ANSWER | {"claim": path.stem, "statement": "ALTO is good."}))
    with pytest.raises(StaleError, match="does not compare ALTO with LAMB"):
        write(made.ledger(), results, tmp_path / "out")


def test_a_result_without_a_commit_is_refused(tmp_path):
    results = made.results(tmp_path / "results")
    path = results / "rates" / "throughput.json"
    path.write_text(json.dumps({"at_least": 30.0, "seeds": 64}))
    with pytest.raises(StaleError, match="names no commit"):
        write(made.ledger(), results, tmp_path / "out")


def test_damaged_and_unfinished_results_are_refused(tmp_path):
    results = made.results(tmp_path / "results")
    path = results / "experiments" / "digits-laptop.json"
    path.write_text(json.dumps(made.experiment(0.25, complete=False)))
    with pytest.raises(StaleError, match="unfinished"):
        write(made.ledger(), results, tmp_path / "out")
    path.write_text("{")
    with pytest.raises(StaleError, match="damaged"):
        write(made.ledger(), results, tmp_path / "out")
