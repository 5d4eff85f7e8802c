"""The kernel's answer: to the sources as they are, and to sources that are wrong."""

import dataclasses
import shutil

import pytest

from theory.ledger.evidence import QUICK, Kind, Outcome, run
from theory.ledger.formal import AXIOMS, KernelError, formal
from theory.rocq import LIBRARY, bridge

needs_coqc = pytest.mark.skipif(shutil.which("coqc") is None, reason="needs coqc: on Debian, apt-get install coq")


@needs_coqc
def test_the_stored_answer_is_the_kernels_to_these_sources():
    assert LIBRARY.check() == LIBRARY.answer()


def test_every_theorem_rests_on_the_axioms_of_the_reals_alone():
    said = LIBRARY.answer()["theorems"]
    assert said.keys() == LIBRARY.theorems.keys()
    assert set().union(*(theorem["axioms"] for theorem in said.values())) <= AXIOMS
    assert all("forall" in theorem["statement"] for theorem in said.values())


def test_no_source_turns_a_check_of_the_kernel_off():
    for text in LIBRARY.sources().values():
        assert not {"Axiom", "Parameter", "Conjecture", "Admitted.", "bypass_check", "Unset"} & set(text.split())


def changed(tmp_path, old, new, module="Lemmas", **others):
    """The library with one passage of one module replaced, and only the modules up to it."""
    folder = tmp_path / "rocq"
    shutil.copytree(LIBRARY.folder, folder)
    file = folder / f"{module}.v"
    text = file.read_text()
    assert text.count(old) == 1
    file.write_text(text.replace(old, new))
    options = {
        "printed": dict,
        "modules": ("Sums", "Adaptor", "TheoremN", "Lemmas"),
        "stored": tmp_path / "answer.json",
    }
    return dataclasses.replace(LIBRARY, folder=folder, **{**options, **others})


@needs_coqc
def test_an_admitted_theorem_is_refused(tmp_path):
    proof = LIBRARY.folder.joinpath("Lemmas.v").read_text().partition("Theorem lemma_7_path")[2].partition("Qed.")[0]
    library = changed(tmp_path, proof + "Qed.", proof.partition("Proof.")[0] + "Admitted.",
                      theorems={"lemma_7": "", "lemma_8": ""})  # fmt: skip
    library.store()
    found = [run(formal("made", library, name), QUICK) for name in ("lemma_8", "lemma_7")]
    assert [result.outcome for result in found] == [Outcome.SUPPORTS, Outcome.INCONCLUSIVE]
    assert "rests on lemma_7_path" in found[1].detail  # lemma_7 uses it


@needs_coqc
@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("0 <= gamma -> 0 < eps2 -> 0 < eps3 ->", "0 < eps2 -> 0 < eps3 ->"),
        ("norm n x / eps3 + gamma + eps2", "norm n x / eps3 + gamma"),
    ],
    ids=["dropped hypothesis", "changed constant"],
)
def test_a_wrong_statement_is_refused(tmp_path, old, new):
    with pytest.raises(KernelError, match=r"Lemmas.v is refused"):
        changed(tmp_path, old, new, theorems={"lemma_9": ""}).check()


@needs_coqc
def test_a_constant_changed_in_python_is_refused(tmp_path):
    text = bridge.printed()["Bridge"]
    wrong = text.replace("((2) * (alpha ^ 2) * (beta1 ^ 2))", "((3) * (alpha ^ 2) * (beta1 ^ 2))", 1)
    assert wrong != text
    library = dataclasses.replace(
        LIBRARY, modules=("Sums", "Adaptor", "TheoremN"), printed=lambda: {"Bridge": wrong}, theorems={}
    )
    with pytest.raises(KernelError, match=r"Bridge.v is refused"):
        library.check()


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
