"""A ledger and results made up for the tests: every claim and key that the paper may name, without running evidence."""

import json
from pathlib import Path

from matplotlib.figure import Figure

from theory import claims
from theory.evidence import Outcome, Result
from theory.ledger import Entry
from theory.tex.studies import RATES

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
}  # fmt: skip


def ledger() -> list[Entry]:
    """All claims, each with one supporting result for each of its pieces of evidence."""
    return [
        Entry(
            claim,
            [
                Result(e.kind, e.name, e.about, Outcome.SUPPORTS, "3 of 3, eta <= 1e-3", 0.1, [PIECE])
                for e in claim.evidence
            ],
        )
        for claim in claims.ALL
    ]


def interval(mean: float) -> dict[str, float]:
    """A mean with an interval of half a point."""
    return {"mean": mean, "low": mean - 0.5, "high": mean + 0.5, "n": 5}


def experiment(lead: float, *, complete: bool = True) -> dict:
    """The part of an experiment's summary that the paper reads: ALTO and LAMB on the digits."""
    settings = ("full batch", "batch 32")
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
        }
    }


def worst_case() -> dict:
    """Two rows of worst cases, one of each class that is compared with a closed form, and a tuned step."""
    columns = ["case", "problem", "c", "beta1", "beta2", "eta", "N", "dual", "gap", "trusted", "holds"]
    rows = [[name, name, 0.5, 0.9, 0, 1, 5, 0.07, 1e-9, True, True] for name in ("smooth convex", "smooth non-convex")]
    tuned = [{"N": 2, "c": 0.1, "beta1": 0.5, "eta": 1.8, "worst_case": 0.064}]
    return {"columns": columns, "rows": rows, "tuned": tuned, "config": {"holds": 1e-4}, "commit": "0123456789ab"}


def results(folder: Path, *, lead: float = 0.25) -> Path:
    """A folder of results that is complete for the paper."""
    for name in ("rates", "worst-case", "experiments"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    for name in RATES:
        study = {"study": name, "rows": [ROW], "provenance": {"commit": "0123456789ab"}}
        (folder / "rates" / f"{name}.json").write_text(json.dumps(study))
    (folder / "worst-case" / "rows.json").write_text(json.dumps(worst_case()))
    (folder / "experiments" / "digits-laptop.json").write_text(json.dumps(experiment(lead)))
    return folder


def figures(folder: Path, names: list[str]) -> None:
    """An empty figure for each name."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        Figure(figsize=(3, 1)).savefig(folder / f"{name}.pdf")
