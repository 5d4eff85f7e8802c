import dataclasses
import json

import pytest
from scipy import stats

from experiments.analysis import contrast, evidence, kept
from experiments.analysis.protocol import protocol
from experiments.analysis.questions import Question, questions
from experiments.config import catalog
from experiments.config.parse import build
from experiments.io.errors import ConfigError, DataError
from experiments.report import answers
from tests.experiments.analysis.made import CONFIG, make
from theory.claims.networks import laptop
from theory.claims.networks import paper_tables as claims
from theory.ledger.evidence import Outcome

ALTO, LAMB, SGD = (("small", label) for label in ("ALTO", "LAMB", "SGD"))
LEAD = [{"weight": 1, "setting": "small", "label": "ALTO"}, {"weight": -1, "setting": "small", "label": "LAMB"}]


def ask(**table):
    made = {"experiment": "made", "quantity": "lead", "statement": "A leads.", "at_least": 0.0, **table}
    return build(Question, {key: value for key, value in made.items() if value is not None})


def test_the_number_is_the_paired_difference_with_its_interval(tmp_path):
    kept = make(tmp_path, {ALTO: [3.0, 5.0, 4.0], LAMB: [2.0, 2.0, 2.0]}, note="shrunk")
    found = evidence.answer("c", ask(terms=LEAD), kept)
    half = stats.t.ppf(0.975, 2) * 1.0 / 3**0.5
    assert (found.estimate, found.low, found.high) == pytest.approx((2.0, 2 - half, 2 + half), abs=1e-4)
    assert found.p_value == 0.25
    assert found.seeds == (1, 2, 3)
    assert found.commits == ("abc",)
    assert "laptop tier of made" in found.protocol
    assert "shrunk" in found.protocol
    assert "from 2 by validation accuracy over 1 other seed" in found.protocol


def test_where_less_is_better_the_lead_changes_sign(tmp_path):
    kept = make(tmp_path, {ALTO: [3.0, 5.0], LAMB: [2.0, 2.0]})
    assert evidence.answer("c", ask(terms=LEAD, sign=-1), kept).estimate == -2.0


def test_at_equal_rates_the_protocol_says_so(tmp_path):
    equal = [{**term, "setting": "equal"} for term in LEAD]
    kept = make(tmp_path, {("equal", "ALTO"): [1.0, 2.0], ("equal", "LAMB"): [1.0, 1.0]})
    said = evidence.answer("c", ask(terms=equal), kept).protocol
    assert "learning rate 0.03 for all" in said
    assert "float" not in said


def test_the_protocol_names_another_arithmetic(tmp_path):
    halved = CONFIG.replace("[settings.small]", '[settings.small]\ntraining = { precision = "bfloat16" }')
    kept = make(tmp_path, {ALTO: [1.0, 2.0], LAMB: [1.0, 1.0]}, config=halved)
    assert "epochs, bfloat16)" in evidence.answer("c", ask(terms=LEAD), kept).protocol


def test_against_all_rivals_the_smallest_lead_counts_and_the_intervals_widen(tmp_path):
    kept = make(tmp_path, {ALTO: [5.0, 6.0, 7.0], LAMB: [4.0, 4.5, 6.0], SGD: [1.0, 1.5, 1.0]})
    found = evidence.answer("c", ask(rivals={"setting": "small", "label": "ALTO"}), kept)
    pair = [1.0, 1.5, 1.0]
    half = stats.t.ppf(1 - 0.05 / 2 / 2, 2) * stats.tstd(pair) / 3**0.5
    assert found.estimate == pytest.approx(3.5 / 3, abs=1e-4)
    assert (found.low, found.high) == pytest.approx((3.5 / 3 - half, 3.5 / 3 + half), abs=1e-4)
    assert found.p_value is None


def test_one_seed_is_no_evidence(tmp_path):
    kept = make(tmp_path, {ALTO: [3.0, 4.0], LAMB: [2.0]})
    with pytest.raises(DataError, match="1 seeds are common"):
        evidence.answer("c", ask(terms=LEAD), kept)


@pytest.mark.parametrize(
    "table",
    [{}, {"terms": LEAD, "rivals": {"setting": "small", "label": "ALTO"}}, {"terms": LEAD, "at_least": None},
     {"terms": LEAD, "sign": 2}, {"terms": LEAD, "statement": None}, {"terms": LEAD, "tier": "paper"}],
    ids=["nothing", "two", "no bound", "sign", "no statement", "the ledger's statement"],
)  # fmt: skip
def test_a_question_that_compares_nothing_or_too_much_is_refused(table):
    with pytest.raises(ConfigError):
        ask(**table)


def test_a_race_is_decided_round_by_round():
    rows = [{"name": "a", "each_round": [2.0, 6.0]}, {"name": "b", "each_round": [1.0, 2.0]}]
    step = {"cases": [{"name": "net", "contestants": rows}], "dtype": "float32", "threads": 1, "rounds": 2,
            "hardware": {"name": "cpu"}, "load_average": {"before": 0.5}, "versions": {}}  # fmt: skip
    question = ask(race={"case": "net", "contestant": "a", "rival": "b"})
    found = evidence.answer_race("c", question, {"step": step})
    assert found.estimate == 2.5
    assert found.seeds == ()
    assert "load average 0.5" in found.protocol
    with pytest.raises(DataError, match="no 'z' on 'net'"):
        evidence.answer_race("c", ask(race={"case": "net", "contestant": "a", "rival": "z"}), {"step": step})


def test_the_ledger_reads_what_is_written_and_the_page_says_the_same(tmp_path, monkeypatch):
    made = make(tmp_path, {ALTO: [3.0, 3.5, 3.2], LAMB: [2.0, 2.1, 2.0], SGD: [9.0, 9.1, 9.0]})
    kept.write(made, tmp_path / "experiments" / "made-laptop.json")
    behind = [{**term, "label": {"LAMB": "SGD"}.get(term["label"], term["label"])} for term in LEAD]
    asked = {
        "ours-up": ask(terms=LEAD, at_least=-5.0),
        "ours-down": ask(terms=behind),
        "ours-open": ask(terms=LEAD, at_least=1.0, at_most=2.1),
    }
    monkeypatch.setattr(
        evidence, "questions", lambda: {**asked, "ours-absent": ask(terms=LEAD, tier="paper", statement=None)}
    )
    files, absent = evidence.write(tmp_path)
    assert [file.stem for file in files] == ["ours-up", "ours-down", "ours-open"]
    assert absent == ["ours-absent"]
    outcomes = [claims.compare(json.loads(file.read_text())).outcome for file in files]
    assert outcomes == [Outcome.SUPPORTS, Outcome.CONTRADICTS, Outcome.INCONCLUSIVE]
    page = answers.page(tmp_path, "{{answer ours-up}}\n{{answer ours-down}}\n{{ answer ours-open }}\n")
    found = [line.split("**")[1] for line in page.splitlines()]
    assert found == ["shown", "contradicted", "undecided"]
    assert answers.page(tmp_path, "{{mean made | small | ALTO}}") == "3.23"
    assert answers.page(tmp_path, "{{difference made | small | ALTO}}") == "+1.20 [+0.70, +1.70]"
    for bad, error in (("{{answer nobody}}", DataError), ("{{poem made}}", ConfigError),
                       ("{{preferred made | small}}", ConfigError), ("{{mean made | small | Adam}}", ConfigError),
                       ("{{difference made | small | LAMB}}", ConfigError)):  # fmt: skip
        with pytest.raises(error):
            answers.page(tmp_path, bad)
    awaited = next(iter(questions()))  # asked, and not in this folder
    assert answers.page(tmp_path, f"{{{{answer {awaited}}}}}|{{{{waterfall its picture}}}}") == "not run yet|"
    with pytest.raises(ConfigError, match="no question is about 'digts'"):
        evidence.write(tmp_path, "digts")


def test_one_experiment_by_name_brings_all_others_up_to_date(tmp_path, monkeypatch):
    other = {claim: dataclasses.replace(ask(terms=LEAD), experiment=name)
             for claim, name in (("ours-alpha-a", "made"), ("ours-alpha-b", "later"))}  # fmt: skip
    monkeypatch.setattr(evidence, "questions", lambda: other)
    monkeypatch.setattr(evidence, "family", lambda *_: "one")
    made = make(tmp_path, {ALTO: [3.0, 3.5, 3.2], LAMB: [2.0, 2.1, 2.0]})
    kept.write(made, tmp_path / "experiments" / "made-laptop.json")
    evidence.write(tmp_path)
    alone = evidence.read(tmp_path / "evidence" / "ours-alpha-a.json").adjusted
    assert [one["claim"] for one in json.loads((tmp_path / "awaited.json").read_text())] == ["ours-alpha-b"]
    level = make(tmp_path, {ALTO: [2.0, 2.2, 2.0], LAMB: [2.0, 2.1, 2.1]})
    kept.write(level, tmp_path / "experiments" / "later-laptop.json")
    files, absent = evidence.write(tmp_path, "later")
    assert ([file.stem for file in files], absent) == (["ours-alpha-b"], [])
    assert json.loads((tmp_path / "awaited.json").read_text()) == []
    assert evidence.read(tmp_path / "evidence" / "ours-alpha-a.json").adjusted == pytest.approx(2 * alone, rel=1e-3)
    (tmp_path / "experiments" / "later-laptop.json").unlink()
    assert evidence.write(tmp_path, "later") == ([], ["ours-alpha-b"])
    assert not (tmp_path / "evidence" / "ours-alpha-b.json").exists()


def test_runs_that_have_not_all_ended_answer_nothing(tmp_path, monkeypatch):
    made = make(tmp_path, {ALTO: [3.0, 3.5, 3.2], LAMB: [2.0, 2.1, 2.0]})
    unfinished = dataclasses.replace(made, report=dataclasses.replace(made.report, complete=False))
    monkeypatch.setattr(evidence, "questions", lambda: {"ours-up": ask(terms=LEAD)})
    for summary, answered in ((made, True), (unfinished, False)):
        kept.write(summary, tmp_path / "experiments" / "made-laptop.json")
        files, absent = evidence.write(tmp_path)
        assert (bool(files), absent == ["ours-up"]) == (answered, not answered)
        assert (tmp_path / "evidence" / "ours-up.json").exists() == answered


def test_the_p_value_is_against_the_claims_own_bound(tmp_path):
    kept = make(tmp_path, {ALTO: [3.0, 5.0, 4.0, 4.0], LAMB: [2.0, 2.0, 2.0, 2.0]})
    assert evidence.answer("c", ask(terms=LEAD), kept).p_value == 0.125
    assert evidence.answer("c", ask(terms=LEAD, at_least=2.0), kept).p_value == 1.0
    assert evidence.answer("c", ask(terms=LEAD, at_least=0.0, at_most=2.0), kept).p_value == 1.0
    assert evidence.answer("c", ask(terms=LEAD, at_least=0.0, at_most=9.0), kept).p_value == 0.125


def made_evidence(low=0.1, high=0.3, **changes):
    """Evidence of a lead with nothing to doubt, and changes."""
    given = {"claim": "c", "statement": "", "quantity": "q", "estimate": (low + high) / 2, "low": low, "high": high,
             "at_least": 0.0, "at_most": None, "p_value": 0.01, "t_p_value": 0.01, "adjusted": 0.02, "protocol": "p",
             "seeds": (1, 2, 3, 4, 5, 6, 7, 8), "tier": "laptop", "source": "s", "commits": ()}  # fmt: skip
    return evidence.Evidence(**given | changes)


@pytest.mark.parametrize(
    ("changes", "doubt"),
    [({}, ""), ({"adjusted": 0.06}, "adjusted p"), ({"at_edge": ("ALTO (small)",)}, "at the grid's edge"),
     ({"p_value": 0.06}, "sign flips"), ({"p_value": 0.06, "seeds": (1, 2, 3)}, ""), ({"p_value": None}, "")],
    ids=["no doubt", "many questions", "edge", "signs", "few seeds", "no pairs"],
)  # fmt: skip
def test_what_leaves_an_answer_undecided_although_its_interval_decides(changes, doubt):
    found = made_evidence(**changes)
    judged = claims.compare(dataclasses.asdict(found))
    assert ("undecided" in answers.phrase(found)) == ("undecided" in judged.detail) == bool(doubt)
    assert judged.outcome is (Outcome.INCONCLUSIVE if doubt else Outcome.SUPPORTS)
    assert doubt in answers.phrase(found)


def test_p_values_are_adjusted_within_a_family_and_of_rivals_the_claim_needs_all(tmp_path):
    found = {
        name: made_evidence(t_p_value=p, family=name[0]) for name, p in {"a1": 0.01, "a2": 0.04, "b1": 0.04}.items()
    }
    adjusted = {name: one.adjusted for name, one in evidence._adjusted(found).items()}
    assert adjusted == {"a1": 0.02, "a2": 0.04, "b1": 0.04}
    rivals = ask(rivals={"setting": "small", "label": "ALTO"})
    ahead = make(tmp_path, {ALTO: [5.0, 6.0, 7.0], LAMB: [4.0, 4.5, 6.0], SGD: [1.0, 1.5, 1.0]})
    one = evidence.answer("c", ask(terms=LEAD), ahead).t_p_value
    assert evidence.answer("c", rivals, ahead).t_p_value == max(one, stats.ttest_1samp([4, 4.5, 6], 0).pvalue.round(5))
    behind = make(tmp_path, {ALTO: [1.0, 1.5, 1.2], LAMB: [4.0, 4.5, 6.0], SGD: [0.0, 0.1, 0.0]})
    one = evidence.answer("c", ask(terms=LEAD), behind).t_p_value
    assert evidence.answer("c", rivals, behind).t_p_value == pytest.approx(2 * one, rel=1e-3)


def test_a_mean_over_tasks_has_the_tasks_as_its_units():
    found = {"x": made_evidence(1.0, 3.0), "y": made_evidence(3.0, 5.0, at_edge=("LAMB (s)",))}
    one = evidence.answer_tasks("c", ask(tasks=["x", "y"], at_least=None, at_most=2.5), found)
    assert (one.estimate, one.tasks, one.seeds, one.at_edge) == (3.0, 2, (), ("LAMB (s)",))
    assert "2 tasks" in answers.phrase(one)
    assert evidence.answer_tasks("c", ask(tasks=["x", "z"]), found) is None


def test_a_chosen_rate_at_the_edge_is_recorded(tmp_path):
    kept = make(tmp_path, {ALTO: [3.0, 5.0], LAMB: [2.0, 2.0]})
    cells = tuple(dataclasses.replace(cell, at_edge=cell.label == "LAMB") for cell in kept.report.summaries)
    kept = dataclasses.replace(kept, report=dataclasses.replace(kept.report, summaries=cells))
    assert evidence.answer("c", ask(terms=LEAD), kept).at_edge == ("LAMB (small)",)
    equal = [{**term, "setting": "equal"} for term in LEAD]
    runs = tuple(dataclasses.replace(run, setting="equal") for run in kept.runs)
    assert evidence.answer("c", ask(terms=equal), dataclasses.replace(kept, runs=runs)).at_edge == ()  # none was chosen


@pytest.mark.parametrize(
    ("low", "high", "least", "most"),
    [(0.1, 0.2, 0.0, None), (0.0, 0.0, 0.0, None), (-0.2, -0.1, 0.0, None), (1.1, 1.2, None, 1.0),
     (0.8, 0.9, None, 1.0), (1.0, 1.0, None, 1.0), (-0.5, 0.5, -1.0, 1.0), (-2.0, -1.5, -1.0, 1.0)],
)  # fmt: skip
def test_the_page_and_the_ledger_judge_alike(low, high, least, most):
    found = made_evidence(low, high, at_least=least, at_most=most)
    word = {Outcome.SUPPORTS: "shown", Outcome.CONTRADICTS: "contradicted", Outcome.INCONCLUSIVE: "undecided"}
    judged = claims.compare(dataclasses.asdict(found))
    assert answers.phrase(found).endswith(f"8 seeds{' tie' if low == high else ''}: **{word[judged.outcome]}**")
    assert f": {word[judged.outcome]}" in judged.detail


def test_every_question_is_a_claim_of_the_ledger_with_the_questions_statement():
    stated = {claim: question.statement for claim, question in questions().items() if question.tier == "laptop"}
    assert {claim.id: claim.statement for claim in laptop.CLAIMS} == stated
    assert len(set(stated.values())) == len(stated)
    for claim in laptop.CLAIMS:
        assert claim.plain == claim.statement
        assert claim.statement.endswith(".")
        assert "95 % interval" in claim.found or (claim.needs and claim.found.startswith("Not run: needs python -m"))


def test_the_statement_is_written_with_the_numbers(tmp_path):
    made = make(tmp_path, {ALTO: [3.0, 5.0], LAMB: [2.0, 2.0]})
    assert evidence.answer("c", ask(terms=LEAD), made).statement == "A leads."


def test_the_papers_own_claims_are_asked_at_its_own_scale_alone():
    papers = {claim.id for claim in claims.CLAIMS}
    for claim, question in questions().items():
        assert (question.tier == "paper") == (claim in papers), claim


@pytest.mark.parametrize(("claim", "question"), questions().items(), ids=str)
def test_every_question_asks_about_cells_that_exist(claim, question):
    if question.race is not None:
        return
    if question.tasks:
        assert set(question.tasks) < set(questions())
        return
    experiment = catalog.load(question.experiment, question.tier)
    cells = [(term.setting, term.label) for term in question.terms]
    if question.rivals is not None:
        cells.append((question.rivals.setting, question.rivals.label))
    assert cells
    for setting, label in cells:
        assert setting in experiment.settings
        assert label in experiment.optimizers
    if question.of == "test":
        assert (question.sign == -1) == (experiment.tuning.metric == "loss")


def test_the_page_names_whom_validation_prefers(tmp_path):
    made = make(tmp_path, {ALTO: [1.0, 2.0], LAMB: [3.0, 4.0], SGD: [0.0, 0.0]},
                validation={ALTO: 9.0, LAMB: 8.0, SGD: 9.0})  # fmt: skip
    kept.write(made, tmp_path / "experiments" / "made-laptop.json")
    assert answers.page(tmp_path, "{{preferred made | small}}") == "*ALTO* and *SGD*"


def test_the_rounding_of_kept_results_is_half_a_unit_of_the_sixth_digit(tmp_path):
    made = make(tmp_path, {ALTO: [97.1234, 96.5, 98.0], LAMB: [9.5, 9.25, 9.75]})
    terms = [contrast.Term(2.0, *ALTO), contrast.Term(-2.0, *LAMB)]
    assert contrast.rounding_error(made, terms) == pytest.approx(2 * 0.5e-4 + 2 * 0.5e-5, rel=1e-9)


def test_a_protocol_names_options_that_were_tuned_with_the_rate(tmp_path):
    made = make(tmp_path, {ALTO: [3.0, 3.5, 3.2], LAMB: [2.0, 2.1, 2.0]})
    tuned = dataclasses.replace(made, experiment=catalog.load("conll-bilstm"))
    small, full = contrast.Term(1.0, *ALTO), contrast.Term(1.0, "full batch", "ALTO")
    assert "trials" not in protocol(made, [small], [1, 2, 3])
    assert "from 10 trials, with alpha of ALTO, by validation" in protocol(tuned, [full], [1, 2, 3])


def test_the_protocol_describes_every_setting_the_data_that_are_left_and_each_rate(tmp_path):
    config = CONFIG.replace(
        "[settings.small]",
        """[settings.small]
data = { name = "cifar10", limit = 5000, test_limit = 2000, shrink = 2 }
[settings.large]
training = { batch_size = 64 }""",
    ).replace("[optimizers.SGD]", "[optimizers.SGD]\nrates = 10.0")
    cells = [("small", "ALTO"), ("large", "ALTO"), ("equal", "ALTO"), ("equal", "SGD")]
    made = make(tmp_path, {cell: [1.0, 2.0] for cell in cells}, config=config)
    said = protocol(made, [contrast.Term(1.0, *cell) for cell in cells], [1, 2])
    assert "4,500 images of CIFAR-10 at 16 pixels, 2,000 test examples" in said
    assert "batch 64" in said
    assert "0.03 for ALTO, 0.3 for SGD" in said
