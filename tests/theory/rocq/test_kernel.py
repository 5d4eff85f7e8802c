"""The kernel's answer: to the sources as they are, and to sources that are wrong."""

import dataclasses
import re
import shutil

import pytest
import sympy as sp

from theory.ledger.evidence import QUICK, Kind, Outcome, run
from theory.ledger.formal import AXIOMS, KernelError, _compile, formal
from theory.rocq import LIBRARY, bridge
from theory.theorems import bounds

needs_coqc = pytest.mark.skipif(shutil.which("coqc") is None, reason="needs coqc: on Debian, apt-get install coq")


@needs_coqc
def test_the_stored_answer_is_the_kernels_to_these_sources():
    assert LIBRARY.check() == LIBRARY.answer()


def test_every_theorem_rests_on_the_axioms_of_the_reals_alone():
    answer = LIBRARY.answer()
    assert set(answer["axioms"]) <= AXIOMS
    assert answer["refused"] == {}
    assert answer["theorems"].keys() == LIBRARY.theorems.keys()
    assert all(answer["theorems"].values())
    assert answer["definitions"].keys() == set(LIBRARY.definitions)
    assert all(" = " in text or " =\n" in text for text in answer["definitions"].values())


def test_no_source_turns_a_check_of_the_kernel_off():
    forbidden = r"\b(Axiom|Parameter|Conjecture|Admitted|admit|bypass_check|Unset|Declare ML|Load)\b"
    for name, text in LIBRARY.sources().items():
        assert not re.search(forbidden, re.sub(r"\(\*.*?\*\)", "", text, flags=re.DOTALL)), name


def changed(tmp_path, old, new):
    """The library with one passage of Vectors replaced, and only the modules up to it."""
    folder = tmp_path / "rocq"
    shutil.copytree(LIBRARY.folder, folder)
    file = folder / "Vectors.v"
    text = file.read_text()
    assert text.count(old) == 1
    file.write_text(text.replace(old, new))
    return dataclasses.replace(
        LIBRARY, folder=folder, modules=("Sums", "Vectors"), theorems={"lemma_7": "", "lemma_9": ""}, definitions=(),
        printed=dict, stored=tmp_path / "answer.json",
    )  # fmt: skip


@needs_coqc
@pytest.mark.parametrize(
    ("before", "proof"),
    [("", "Admitted."), ("Axiom sig_not_dec : False.\n", "Proof. destruct sig_not_dec. Qed.")],
    ids=["admitted", "an axiom with the name of an allowed one"],
)
def test_a_theorem_without_a_proof_is_refused(tmp_path, before, proof):
    old = re.search(r"Theorem lemma_7_path.*?Qed\.", LIBRARY.sources()["Vectors"], re.DOTALL)[0]
    library = changed(tmp_path, old, before + old.partition("Proof.")[0] + proof)
    library.store()
    found = [run(formal("made", library, name), QUICK) for name in ("lemma_9", "lemma_7")]
    assert [result.outcome for result in found] == [Outcome.SUPPORTS, Outcome.INCONCLUSIVE]
    assert re.search(r"rests on (lemma_7_path|sig_not_dec)$", found[1].detail)  # lemma_7 uses lemma_7_path


@needs_coqc
@pytest.mark.parametrize(
    ("module", "old", "new"),
    [
        ("Vectors", "0 <= gamma -> 0 < eps2 -> 0 < eps3 ->", "0 < eps2 -> 0 < eps3 ->"),
        ("Vectors", "norm n x / eps3 + gamma + eps2", "norm n x / eps3 + gamma"),
        ("Online", "(forall k, in_box (theta (S k)))", "(forall k : nat, True)"),
        ("Online", "2 * age * G * sqrt (INR n) * eta * reach.", "age * G * sqrt (INR n) * eta * reach."),
        ("Online", "Rmax (H_largest j i) (H_now (S j) i)", "Rmin (H_largest j i) (H_now (S j) i)"),
        ("Certificates", "Qle_bool 0 q end) (multipliers d)", "true end) (multipliers d)"),
        ("Normalised", "sum N falls_by + L / 2", "sum N falls_by + L / 4"),
        ("NormalisedRate", "+ 2 * reach * (sqrt Cd", "+ reach * (sqrt Cd"),
        ("Tracking", "(2 * (K * K)) (2 * tau2) (2 * omega2).", "(2 * (K * K)) tau2 (2 * omega2)."),
        ("NormalisedRate", "reach) / 2 / (t * t))", "reach) / 4 / (t * t))"),
        ("Averaging", "<= 2 * (1 - c) * (1 - beta2).", "<= 4 * (1 - c) * (1 - beta2)."),
        ("Averaging", "+ eta * (G * G) / 2.", "+ eta * (G * G) / 4."),
        ("Virtual", "8 * ((L * eta * K) * (L * eta * K)) <= 1", "4 * ((L * eta * K) * (L * eta * K)) <= 1"),
        ("HighProbability", "high_probability T x : 8 * (L * eta) <= 1", "high_probability T x : 2 * (L * eta) <= 1"),
        ("HighProbability", "+ 4 * (1 + L * eta) * (sigma * sigma) * x", "+ 2 * (sigma * sigma) * x"),
        ("Virtual", "2 * ((L * eta) * (L * eta)) * K * K_r <= 1 - L", "(L * eta) * (L * eta) * K * K_r <= 1 - L"),
    ],
    ids=[
        "lemma 9: gamma < 0",
        "lemma 9: no eps2",
        "theorem C without C4",
        "half of E's cost",
        "minimum for maximum",
        "certificates with negative multipliers",
        "normalised step: half of the curvature",
        "its mean: half of the error",
        "tracking: half of the start",
        "rate: half of the curvature",
        "primal averaging: longer steps",
        "last iterate: half of the noise of a step",
        "any batch: longer steps",
        "high probability: longer steps",
        "high probability: half of the cost of rarity",
        "PL: longer steps",
    ],
)
def test_a_wrong_statement_is_refused(compiled, module, old, new):
    text = LIBRARY.sources()[module]
    assert text.count(old) == 1
    with pytest.raises(KernelError, match=r"Changed.v is refused"):
        _compile(compiled, "Changed", text.replace(old, new))


@needs_coqc
def test_a_constant_changed_in_python_is_refused(compiled, monkeypatch):
    right = bounds.tracking_by_recursion
    monkeypatch.setattr(
        bounds, "tracking_by_recursion", lambda F: dataclasses.replace(right(F), noise=right(F).noise + F.beta2)
    )
    printed = bridge.printed.__wrapped__()
    assert printed != bridge.printed()
    library = dataclasses.replace(LIBRARY, printed=lambda: printed)
    with pytest.raises(KernelError, match="other sources"):
        library.answer()
    with pytest.raises(KernelError, match=r"Changed.v is refused"):
        _compile(compiled, "Changed", printed["Bridge"])


def test_a_mistake_that_one_shape_of_layers_hides_is_printed(monkeypatch):
    """The root of 2 in place of the number of layers: right for two of them."""
    monkeypatch.setattr(
        bounds.Online, "reach", property(lambda o: o.D + sp.sqrt(2) * o.eps3 if o.layerwise else o.direction)
    )
    right, wrong = (re.findall(r"Lemma (python_regret_\w+)(.*?)Qed", text["Bridge"], re.DOTALL)
                    for text in (bridge.printed(), bridge.printed.__wrapped__()))  # fmt: skip
    changed = {name for (name, mine), (_, other) in zip(right, wrong, strict=True) if mine != other}
    assert changed == {bridge.regret_name(True, sizes) for sizes in bridge.SHAPES if len(sizes) != 2}


def test_a_changed_source_makes_the_stored_answer_count_for_nothing():
    other = dataclasses.replace(LIBRARY, printed=lambda: {"Bridge": "other"})
    result = run(formal("made", other, "lemma_9"), QUICK)
    assert result.outcome is Outcome.INCONCLUSIVE
    assert "answer to other sources" in result.detail
    assert result.kind is Kind.FORMAL


def test_without_coqc_the_stored_answer_counts_and_the_command_says_what_to_install(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda _: None)
    assert run(formal("made", LIBRARY, "lemma_9"), QUICK).outcome is Outcome.SUPPORTS
    with pytest.raises(KernelError, match="apt-get install"):
        LIBRARY.check()


def test_an_unknown_theorem_proves_nothing():
    result = run(formal("made", LIBRARY, "riemann"), QUICK)
    assert result.outcome is Outcome.INCONCLUSIVE
    assert "no such theorem" in result.detail
