"""Duals from files: what is proved, what is not, and what is no dual."""

import json
import shutil
from dataclasses import replace
from fractions import Fraction

import pytest

from docs.extensions import kernel_page
from theory.__main__ import main
from theory.ledger.formal import KernelError, _compile
from theory.rocq import certificates, duals

needs_coqc = pytest.mark.skipif(shutil.which("coqc") is None, reason="needs coqc: on Debian, apt-get install coq")

DUALS = {
    "value from distance, strongly convex": {
        "class": "strongly convex", "mu": 0.1, "steps": [[1], [1, 1]], "performance": "final value",
        "initial": "distance", "tau": 0.1, "multipliers": {},
    },
    "gradient from value, convex": {
        "class": "convex", "steps": [[1]], "performance": "final gradient", "initial": "value", "tau": 0.6666667,
        "multipliers": {"0,1": 0.5},
    },
    "smallest gradient from fall, smooth": {
        "class": "smooth", "steps": [[1], [1, 1]], "performance": "smallest gradient", "initial": "fall", "tau": 0.8,
        "multipliers": {"0,1": 0.8, "1,2": 0.8}, "shares": ["2/5", "2/5", "1/5"],
    },
    "the documentation's": json.loads(kernel_page.DUAL),
}  # fmt: skip


def stored(folder, data):
    file = folder / "bound.json"
    file.write_text(json.dumps(data))
    return file


@pytest.mark.parametrize("name", DUALS)
def test_a_dual_is_certified_at_its_bound_or_a_hair_above(tmp_path, name):
    found = duals.certify(duals.read(stored(tmp_path, DUALS[name])))
    assert found.reject() is None
    assert 0 <= found.tau / Fraction(str(DUALS[name]["tau"])) - 1 <= duals.SLIGHT * 2


def test_a_bound_below_the_optimum_is_refused(tmp_path, capsys):
    low = {**DUALS["the documentation's"], "tau": 0.0909}  # the optimum is 1/11
    assert main(["certify", str(stored(tmp_path, low))]) == 1
    assert "proves nothing" in capsys.readouterr().err


@needs_coqc
@pytest.mark.parametrize("name", DUALS)
def test_the_kernel_proves_it_and_nothing_better(compiled, tmp_path, name):
    found = duals.certify(duals.read(stored(tmp_path, DUALS[name])))
    _compile(compiled, "Dual", duals.theorem(found))
    better = replace(found, tau=found.tau / 2)
    assert better.reject()
    with pytest.raises(KernelError, match=r"Dual.v is refused"):
        _compile(compiled, "Dual", duals.theorem(better))


@needs_coqc
def test_the_kernel_refuses_a_changed_certificate_of_the_method(compiled):
    found = certificates.read(certificates.FOLDER / "non-convex_N2_c=0_beta1=1over2.json")
    for cert, right in ((found, "true"), (replace(found, tau=found.tau * 99 / 100), "false")):
        text = f"{certificates.HEAD}Lemma one : accepted ({certificates.term(cert)}) = {right}.\n"
        _compile(compiled, "One", text + "Proof. vm_compute. reflexivity. Qed.\n")


@needs_coqc
def test_the_command_prints_the_theorem_and_writes_it(tmp_path, capsys):
    file = stored(tmp_path, DUALS["the documentation's"])
    assert main(["certify", str(file), "--out", str(tmp_path / "Bound.v")]) == 0
    said = capsys.readouterr().out
    assert "exact arithmetic accepts: final value <= " in said
    assert "f (x 2%nat) - f star <=" in " ".join(said.split())
    assert "Theorem bound_read" in (tmp_path / "Bound.v").read_text()


def test_without_coqc_exact_arithmetic_is_what_counts(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(shutil, "which", lambda _: None)
    assert main(["certify", str(stored(tmp_path, DUALS["the documentation's"]))]) == 0
    assert "the kernel was not asked" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"class": "concave"}, "class = 'concave': allowed is"),
        ({"steps": [[1], [1]]}, "steps must have rows of 1, 2, ..., N weights"),
        ({"tau": "large"}, "tau = 'large' is no number"),
        ({"tau": True}, "tau = True is no number"),
        ({"multipliers": {"0,1": 1, "0, 1": 0}}, "the pair '0, 1' is there twice"),
        ({"multipliers": {"0,3": 1}}, "'0,3' is no pair"),
        ({"multipliers": {"0,1": -0.5}}, "0,1 = -0.5: allowed is >= 0"),
        ({"class": "strongly convex"}, "'mu' is missing"),
        ({"class": "strongly convex", "mu": 1}, "mu = 1: allowed is 0 <= mu < 1"),
        ({"class": "smooth"}, "class smooth has no minimiser"),
        ({"performance": "smallest gradient", "shares": [1]}, "shares must be 3"),
    ],
    ids=["class", "steps", "number", "truth value", "pair twice", "pair", "sign", "no mu", "mu", "smooth", "shares"],
)
def test_what_is_no_dual_is_named(tmp_path, capsys, change, said):
    assert main(["certify", str(stored(tmp_path, {**DUALS["the documentation's"], **change}))]) == 2
    assert said in capsys.readouterr().err


def test_the_example_for_pepit_makes_a_dual(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    exec(kernel_page.EXPORT, {})
    found = duals.certify(duals.read(tmp_path / "bound.json"))
    assert float(found.tau) == pytest.approx(1 / 11, rel=3e-6)
    assert [[float(w) for w in row] for row in found.steps] == [[1], [1.25, 1]]


def test_a_point_that_the_method_does_not_visit_is_refused():
    from PEPit import PEP
    from PEPit.functions import SmoothConvexFunction

    from theory.rocq import pepit

    pep = PEP()
    f = pep.declare_function(SmoothConvexFunction, L=1.0)
    x = pep.set_initial_point()
    f.gradient(x)
    f.gradient(x / 2)
    with pytest.raises(ValueError, match="neither an iterate nor a minimiser"):
        pepit.dual(f, [x], performance="final value", initial="distance", tau=1)
