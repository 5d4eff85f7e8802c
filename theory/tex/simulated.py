"""The stored simulations (results/theory) as small tables: the numbers beside the figures that are drawn from them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from theory.studies.intervals import t_interval
from theory.studies.store import COMMANDS
from theory.tex.book import Book
from theory.tex.markup import number, plain, plus_minus, table
from theory.tex.results import read

CONTROLS = {"adam": ("EAdam", "Adam(.99), 10 eta"), "sgd": ("ESGD", "heavy ball(.99), eta/10")}
"""The families of the cardioid: what E is called there, and its control without E."""


def add(book: Book, results: Path) -> None:
    """The tables ``edge``, ``drift``, ``label-noise``, ``wells``, ``dips``, ``cardioid``, ``holes``; their settings.

    Raises:
        StaleError: a study is missing.
    """

    def study(name: str) -> dict[str, Any]:
        return read(results / "theory" / f"{name}.json", COMMANDS["theory"])["data"]

    _edge(book, study("edge-of-stability"))
    _drift(book, study("valley-drift"))
    _label_noise(book, study("label-noise"))
    _wells(book, study("double-well"))
    _dips(book, study("dips"))
    _cardioid(book, study("cardioid"))
    _figure_8(book, study("figure-8"))


def _edge(book: Book, data: Mapping[str, Any]) -> None:
    """Predicted and settled sharpness at the edge of stability."""
    book.value("edge/steps", str(data["config"]["steps"]))
    rows = [
        [_setting(run), number(run["predicted"]), number(run["settled"]), number(run["settled"] / run["predicted"])]
        for run in sorted(data["runs"], key=lambda run: -run["predicted"])
    ]
    head = [r"$(\alpha,\beta_1)$", r"predicted $x^*/\eta$", "measured", "quotient"]
    book.file("edge", table("lrrr", head, rows))


def _drift(book: Book, data: Mapping[str, Any]) -> None:
    """Simulated and predicted log-sharpness; a prediction outside the interval is bold."""
    curves = next(panel for panel in data["panels"] if panel["beta2"] == 0)["curves"]
    book.value("drift/steps", str(data["config"]["steps"]))
    book.value("drift/seeds", str(data["config"]["replicas"]))
    rows, outside = [], 0
    for curve in curves:
        mean, half, predicted = (curve[name][-1] for name in ("mean", "half", "predicted"))
        missed = abs(mean - predicted) > half
        outside += missed
        cell = rf"$\mathbf{{{predicted:.3f}}}$" if missed else f"${predicted:.3f}$"
        rows.append([_setting(curve), plus_minus(mean, half, 3), cell])
    book.value("drift/outside", str(outside))
    book.value("drift/compared", str(len(curves)))
    book.file("drift", table("lrr", [r"$(\alpha,\beta_1)$", "simulated", "predicted"], rows))


def _label_noise(book: Book, data: Mapping[str, Any]) -> None:
    """The Hessian of a fitted network after steps under label noise."""
    book.value("label-noise/steps", str(data["steps"][-1]))
    book.value("label-noise/seeds", str(data["config"]["noise_sequences"]))
    book.value("label-noise/start", number(data["runs"][0]["trace"][0]))
    rows = [
        [_setting(run), plus_minus(run["final_trace"], run["final_trace_half"]),
         plus_minus(run["final_top"], run["final_top_half"])]
        for run in data["runs"]
    ]  # fmt: skip
    book.file("label-noise", table("lrr", [r"$(\alpha,\beta_1)$", "trace", "largest eigenvalue"], rows))


def _wells(book: Book, data: Mapping[str, Any]) -> None:
    """Share of time in the flat well and mean time until the sharp one is left, by alpha and method."""
    book.value("wells/steps", str(data["config"]["steps"]))
    book.value("wells/seeds", str(data["config"]["replicas"]))
    families = data["families"]
    rows = [
        [plain(alphas[0]["alpha"]), *(cell for row in alphas for cell in _well(row))]
        for alphas in zip(*(family["rows"] for family in families), strict=True)
    ]
    head = [r"$\alpha$"]
    for family in families:
        head += [f"{family['label']}: flat", "sharp left after"]
    book.file("wells", table("r" + "rr" * len(families), head, rows))


def _well(row: Mapping[str, Any]) -> list[str]:
    return [plus_minus(row["occupancy"], row["half"], 3), number(row["exit_sharp"], 3)]


def _dips(book: Book, data: Mapping[str, Any]) -> None:
    """The first depth that holds a run, as a multiple of that at alpha = 0; a column per method."""
    families = data["families"]
    at_zero = [next(row["first_failure"] for row in f["rows"] if row["alpha"] == 0) for f in families]
    rows = []
    for alphas in zip(*(family["rows"] for family in families), strict=True):
        alpha = alphas[0]["alpha"]
        c = -alpha * (1 - data["config"]["beta1"])
        ratios = [number(row["first_failure"] / zero, 3) for row, zero in zip(alphas, at_zero, strict=True)]
        rows.append([plain(alpha), number(1 / (1 - c), 3), *ratios])
    head = [r"$\alpha$", "$1/(1-c)$", *(family["label"] for family in families)]
    book.file("dips", table("rr" + "r" * len(families), head, rows))


def _cardioid(book: Book, data: Mapping[str, Any]) -> None:
    """Sharpness at the end minus that of the base and of the control, paired by start, and the angle travelled."""
    book.value("cardioid/starts", str(data["config"]["starts"]))
    rows = []
    for family, (name, control) in CONTROLS.items():
        members = {row["label"]: row for row in data[family]["rows"]}
        ends = {label: np.array(row["values"], dtype=float) for label, row in members.items()}
        for label, row in members.items():
            if not (label.startswith(f"{name}(") or label == control):
                continue
            minus = ends[label] - ends[control]
            mean, half = map(float, t_interval(minus[np.isfinite(minus)]))
            rows.append([
                _words(label), plus_minus(row["difference"], row["difference_half"]),
                "" if label == control else plus_minus(mean, half), number(row["walked"], 3),
            ])  # fmt: skip
    head = ["method", "minus the base", "minus the control", "angle travelled"]
    book.file("cardioid", table("lrrr", head, rows))


def _figure_8(book: Book, data: Mapping[str, Any]) -> None:
    """At how many step sizes each method finds the flat hole of the second function."""
    book.value("sweep/steps", str(data["config"]["sweep_steps"]))
    book.value("holes/etas", str(data["holes"]["etas"]))
    shares = data["holes"]["shares"]
    head = ["base", *(_words(method.replace("Adam", "base")) for method in shares[0]["methods"])]
    rows = [[share["label"], *map(str, share["reached"])] for share in shares]
    book.file("holes", table("l" + "r" * (len(head) - 1), head, rows))


def _setting(row: Mapping[str, Any]) -> str:
    return f"$({row['alpha']:g},\\,{row['beta1']:g})$"


def _words(label: str) -> str:
    return label.replace("eta", r"$\eta$").replace("(-", "($-$").replace("(+", "($+$")
