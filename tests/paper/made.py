"""A ledger and results made up for the tests: every claim and key that the paper may name, without running evidence."""

import json
import re
import shutil
from pathlib import Path

from matplotlib.figure import Figure

from theory import claims
from theory import figures as drawings
from theory.claims.behaviour.margins import BATCH_ONE
from theory.claims.theorems.linear_regret import case
from theory.figures import gallery
from theory.ledger.claim import Claim, Entry
from theory.ledger.evidence import Kind, Outcome, Result
from theory.studies import store
from theory.tex.studies import RATES
from theory.theorems.linear_regret import LONG, SHORT

ROOT = Path(__file__).resolve().parents[2]
PIECE = {
    "name": "n = 3, alpha = -1/2, ALTO: the drift is negative",
    "tool": "ball arithmetic",
    "ok": True,
    "detail": "drift <= -0.1 for every phi",
}
ROW = {
    "quantity": "exponent in T of |g|^2", "variant": "", "method": "ESGD", "verdict": "agrees", "predicted": -0.5,
    "relation": "=", "measured": -0.51, "low": -0.53, "high": -0.49, "bound_over_measured": 2.5, "proved": True,
    "tolerance": 0.02,
}  # fmt: skip
ANSWER = {
    "quantity": "lead of ALTO over LAMB, points", "estimate": 0.5, "low": 0.25, "high": 0.75, "at_least": 0.0,
    "at_most": None, "protocol": "made up", "statement": "ALTO ends with a higher test accuracy than LAMB on digits.",
    "tier": "laptop", "seeds": [1, 2], "commits": ["0123456789ab"],
}  # fmt: skip
TEXT = "".join(path.read_text() for path in (ROOT / "paper" / "sections").glob("*.tex"))


def ledger() -> list[Entry]:
    """All claims, each with one supporting result for each of its pieces of evidence, and the numbers that are used."""
    return [Entry(claim, _results(claim)) for claim in claims.ALL]


def _results(claim: Claim) -> list[Result]:
    known = dict.fromkeys(names(claim.id), 0.5)
    found = []
    for e in claim.evidence:
        own = known if e.kind is not Kind.PROOF else {name: -0.1 for name in known if "drift" in name}
        found.append(Result(e.kind, e.name, e.about, Outcome.SUPPORTS, "3 of 3, eta <= 1e-3", 0.1, [PIECE], own))
    return found


def names(claim: str) -> set[str]:
    """The numbers of a claim that the text quotes by name, and those that its tables need."""
    quoted = set(re.findall(rf"\\val\{{{re.escape(claim)}/([^}}]+)\}}", TEXT))
    if claim == "ours-batch-one":
        quoted |= {f"beta2={beta2:g}, alpha={a:g}, beta1={b:g}" for a, b in BATCH_ONE for beta2 in (0.0, 0.9)}
    if claim == "ours-linear-regret-counterexample":
        cases = [case(setting, layerwise=layerwise) for setting in (*SHORT, *LONG) for layerwise in (False, True)]
        quoted |= {f"{who}: the drift is negative" for who in cases}
        quoted |= {f"{who}: {name}" for who in cases for name in ("R/T", "slope", "enforced", "bound/R")}
    return quoted


def interval(mean: float) -> dict[str, float]:
    """A mean with an interval of half a point."""
    return {"mean": mean, "low": mean - 0.5, "high": mean + 0.5, "n": 5}


def experiment(lead: float, *, complete: bool = True) -> dict:
    """The part of an experiment's summary that the paper reads: ALTO and LAMB on the digits."""
    settings = ("full batch", "batch 32")
    run = {"setting": "full batch", "label": "ALTO", "measures": {}}
    cell = {"at_edge": False, "planned": 5, "lr": 0.1}
    return {
        "report": {
            "title": "Digits",
            "tier": "laptop",
            "metric": "accuracy",
            "baseline": "LAMB",
            "complete": complete,
            "summaries": [
                {"setting": setting, "label": label, "test": interval(96.0), **cell}
                for setting in settings
                for label in ("ALTO", "LAMB")
            ],
            "differences": [
                {"setting": setting, "label": "ALTO", "difference": interval(lead)} for setting in settings
            ],
            "versions": [{"commit": "0123456789ab"}],
            "name": "digits",
            "notes": [],
        },
        "experiment": {
            "data": {"name": "digits", "limit": "all", "validation": 0.1},
            "model": {"name": "convnet", "options": {"widths": [16, 32]}},
            "training": {"epochs": 6, "batch_size": 32},
            "tuning": {"seeds": [101], "learning_rates": {"count": 7}},
            "final": {"seeds": [1, 2]},
            "settings": {setting: {"training": {}, "learning_rates": {}} for setting in settings},
        },
        "runs": [run],
    }


def worst_case() -> dict:
    """Rows of worst cases, of each class that is compared with a closed form and one that fails, and a tuned step."""
    columns = ["case", "problem", "c", "beta1", "beta2", "eta", "N", "dual", "gap", "trusted", "holds"]
    rows = [[name, name, 0.5, 0.9, 0, 1, 5, 0.07, 1e-9, True, True] for name in ("smooth convex", "smooth non-convex")]
    rows.append(["fails", "smooth convex", 0.75, 0.5, 0, 1, 5, 0.12, 1e-9, True, False])
    tuned = [{"N": 2, "c": 0.1, "beta1": 0.5, "eta": 1.8, "worst_case": 0.064}]
    return {"columns": columns, "rows": rows, "tuned": tuned, "config": {"holds": 1e-4}, "commit": "0123456789ab"}


def results(folder: Path, *, lead: float = 0.25) -> Path:
    """A folder of results that is complete for the paper."""
    for name in ("rates", "worst-case", "experiments", "evidence", "figures"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    for name in RATES:
        study = {"study": name, "title": "made up", "rows": [ROW], "provenance": {"commit": "0123456789ab"}}
        (folder / "rates" / f"{name}.json").write_text(json.dumps(study))
    (folder / "worst-case" / "rows.json").write_text(json.dumps(worst_case()))
    (folder / "rates" / "throughput.json").write_text(json.dumps({"at_least": 30.0, "seeds": 64, "commit": "01234567"}))
    (folder / "experiments" / "digits-laptop.json").write_text(json.dumps(experiment(lead)))
    for claim in claims.ALL:
        if claim.source.endswith(" tier") and claim.evidence:
            (folder / "evidence" / f"{claim.id}.json").write_text(json.dumps(ANSWER | {"claim": claim.id}))
    shutil.copytree(ROOT / "results" / "theory", folder / "theory", dirs_exist_ok=True)
    for name in drawings.ALL:
        data = {study: store.load(study, folder / "theory", folder) for study in gallery.about(name).STUDIES}
        gallery.note(name, data, folder / "figures")
    return folder


def figures(folder: Path, names: list[str]) -> None:
    """An empty figure for each name."""
    folder.mkdir(parents=True, exist_ok=True)
    first, *others = (folder / f"{name}.pdf" for name in names)
    Figure(figsize=(3, 1)).savefig(first)
    for path in others:
        shutil.copy(first, path)
