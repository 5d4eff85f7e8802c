"""Trained networks as LaTeX tables: what was run, and what each experiment found."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from theory.studies.intervals import t_interval
from theory.tex.book import Book
from theory.tex.markup import decimals, fixed, grouped_table, interval, plain, table, words
from theory.tex.results import StaleError, read

REMEDY = "python -m experiments run NAME, then report NAME --results results"
ANY = (float("-inf"), float("inf"))
RANGE = {"accuracy": (0.0, 100.0), "f1": (0.0, 100.0), "loss": (0.0, float("inf"))}
"""What a metric can be: an interval of Student's t may reach beyond, and is cut there."""
UNITS = {"accuracy": r"accuracy in \%", "f1": r"F1 in \%", "loss": "loss in nats", "reward": "return"}
DATA = {
    "cifar10": ("CIFAR-10", "images of CIFAR-10"), "tinyshakespeare": ("Shakespeare", "pieces of Shakespeare"),
    "made-pairs": ("made sentence pairs",) * 2, "made-reviews": ("made reviews",) * 2,
    "made-sentences": ("made tagged sentences",) * 2,
    "swimmer": ("Swimmer", ""), "ant": ("Ant", ""), "humanoid": ("Humanoid", ""),
}  # fmt: skip
"""A data set, and the unit in which a part of it is counted; a simulator has no parts."""
OWN_PART = {"tinyshakespeare", "text", "conll2003", "conll", "made-sentences"}
"""Data sets with a validation part of their own: the limit counts the training examples alone."""
NETWORKS = {"resnet8": "ResNet-8", "resnet20": "ResNet-20", "gpt": "GPT", "bilstm": "BiLSTM",
            "bert-classifier": "BERT", "bert-tagger": "BERT", "ppo": "PPO"}  # fmt: skip


def add(book: Book, results: Path) -> None:
    """The tables ``runs`` (what was run), ``experiments`` (means and differences) and ``measures``; means by key.

    Raises:
        StaleError: there is no experiment, or one has unfinished runs or a competitor without any.
    """
    paths = sorted((results / "experiments").glob("*.json"))
    if not paths:
        raise StaleError(f"{results / 'experiments'} is empty: {REMEDY}")
    stored = {path.stem: read(path, REMEDY) for path in paths}
    for path, one in zip(paths, stored.values(), strict=True):
        if not one["report"]["complete"] or any(entry["test"] is None for entry in one["report"]["summaries"]):
            raise StaleError(f"{path} has unfinished runs: {REMEDY}")
    groups: dict[str, list[list[str]]] = {}
    measures: dict[str, list[list[str]]] = {}
    for name, one in stored.items():
        groups |= _means(book, one, name)
        if any(run["measures"] for run in one["runs"]):
            measures |= _measures(one)
    head = ["optimizer", "rate", "mean", r"95\,\%", "seeds", "minus the baseline", r"95\,\%"]
    book.file("experiments", grouped_table((0.24, "r", "r", "l", "l", "r", "l"), head, groups))
    head = ["optimizer", "filter sharpness", r"95\,\%", "top eigenvalue", r"95\,\%", "trace", r"95\,\%"]
    book.file("measures", grouped_table((0.2, "r", "l", "r", "l", "r", "l"), head, measures))
    book.file("runs", _runs(list(stored.values())))
    tuning = [len(one["experiment"]["tuning"]["seeds"]) for one in stored.values()]
    least, most = min(tuning), max(tuning)
    book.value("tuning/seeds", str(least) if least == most else f"{least} to {most}")


def _means(book: Book, stored: Mapping[str, Any], name: str) -> dict[str, list[list[str]]]:
    """A group per setting, headed by what ran there; a difference whose interval leaves out zero is bold."""
    report = stored["report"]
    differences = {(entry["setting"], entry["label"]): entry["difference"] for entry in report["differences"]}
    groups: dict[str, list[list[str]]] = {}
    for entry in report["summaries"]:
        setting, label, test = entry["setting"], entry["label"], entry["test"]
        chosen = [f"{option} = {value:g}" for option, value in entry.get("options", {}).items()]  # by validation
        lead = differences.get((setting, label))
        book.value(f"{name}/{setting}/{label}/mean", fixed(test["mean"]))
        if lead is not None:
            book.value(f"{name}/{setting}/{label}/lead", " ".join(_difference(lead)))
        heading = (
            rf"{words(_name(report))}: {_ran(stored, setting)}; {_unit(report)}, baseline {words(report['baseline'])}"
        )
        groups.setdefault(heading, []).append([
            words(", ".join([label, *chosen])), f"{plain(entry['lr'])}{'*' if entry['at_edge'] else ''}",
            fixed(test["mean"]),
            interval(test, within=RANGE.get(report["metric"], ANY)), f"{test['n']} of {entry['planned']}",
            *(["", ""] if lead is None else _difference(lead)),
        ])  # fmt: skip
    return groups


def _difference(found: Mapping[str, float]) -> list[str]:
    """A difference and its interval, with as many decimals as its width needs; bold where it leaves out zero."""
    digits = decimals(found["low"], found["high"])
    cells = [fixed(found["mean"], digits, sign=True), interval(found, digits)]
    return [rf"\boldmath{cell}" for cell in cells] if found["low"] > 0 or found["high"] < 0 else cells


def _name(report: Mapping[str, Any]) -> str:
    """An experiment's name, with its tier where that is not the laptop's."""
    return report["name"] if report["tier"] == "laptop" else f"{report['name']} ({report['tier']} tier)"


def _unit(report: Mapping[str, Any]) -> str:
    return UNITS.get(report["metric"], words(report["metric"]))


def _merged(stored: Mapping[str, Any], setting: str, part: str) -> dict[str, Any]:
    """An experiment's data, model or training in one setting. Another network does not inherit options."""
    experiment = stored["experiment"]
    base, changes = experiment[part], experiment["settings"][setting].get(part, {})
    inherited = {} if part == "model" and changes.get("name", base["name"]) != base["name"] else base
    return {"options": {}, **inherited, **changes} if part == "model" else {**base, **changes}


def _network(stored: Mapping[str, Any], setting: str) -> str:
    """The network and the training data of a setting: ``convnet 16-32 on 450 digits``."""
    data, model = (_merged(stored, setting, part) for part in ("data", "model"))
    whole, unit = DATA.get(data["name"], (data["name"],) * 2)
    limit = data.get("limit", "all")
    if limit != "all" and unit:
        none = data["name"] in OWN_PART or data["validation"] == 0  # held out of those that the limit leaves
        whole = f"{limit - (0 if none else max(1, round(data['validation'] * limit)))} {unit}"
    whole += f" at {32 // data['shrink']} pixels" if data.get("shrink", 1) > 1 else ""  # only CIFAR is shrunk
    options = model["options"]
    sizes = f" {'-'.join(map(str, options['widths']))}" if "widths" in options else ""
    width = options.get("width", options.get("hidden"))
    sizes += "" if width is None else f" (width {width})"
    return words(f"{NETWORKS.get(model['name'], model['name'])}{sizes} on {whole}")


def _length(training: Mapping[str, Any]) -> str:
    """How long a run was: in epochs, or in steps where these were given."""
    steps = training.get("steps", "epochs")
    return f"{training['epochs']:g} epochs" if steps == "epochs" else f"{steps} steps"


def _ran(stored: Mapping[str, Any], setting: str) -> str:
    """What a setting ran: network, data, batch, epochs, and clipping and a given learning rate where they vary."""
    training = _merged(stored, setting, "training")
    parts = [_network(stored, setting), _batch(training["batch_size"]), _length(training)]
    settings = stored["experiment"]["settings"].values()
    if len({str(change["training"].get("clip")) for change in settings}) > 1:
        clip = training["clip"]
        parts.append("no clipping" if clip == "none" else f"clipped to norm {clip:g}")
    if _rates(stored, setting)["count"] == 1 and len(settings) > 1:
        parts.append("equal learning rates")
    return ", ".join(parts)


def _batch(size: int | str) -> str:
    return "full batch" if size == "full" else f"batch {size}"


def _rates(stored: Mapping[str, Any], setting: str) -> dict[str, Any]:
    experiment = stored["experiment"]
    return {**experiment["tuning"]["learning_rates"], **experiment["settings"][setting]["learning_rates"]}


def _measures(stored: Mapping[str, Any]) -> dict[str, list[list[str]]]:
    """What was measured at the end of training: filter-normalised sharpness, largest eigenvalue, trace."""
    runs, report = stored["runs"], stored["report"]
    groups: dict[str, list[list[str]]] = {}
    for entry in report["summaries"]:
        own = [run for run in runs if (run["setting"], run["label"]) == (entry["setting"], entry["label"])]
        cells = [words(entry["label"])]
        for measure in ("filter_sharpness", "top_eigenvalue", "trace"):
            last = np.array([run["measures"][measure][-1] for run in own if run["measures"]])
            if (last > 0).all():
                mean, half = map(float, t_interval(np.log10(last)))
                cells += [fixed(mean), interval({"low": mean - half, "high": mean + half})]
            else:
                cells += ["", "not positive"]
        heading = f"{words(_name(report))}: {_ran(stored, entry['setting'])}, base {words(report['baseline'])}"
        groups.setdefault(heading, []).append(cells)
    return groups


def _runs(stored: Sequence[Mapping[str, Any]]) -> str:
    """A line per network and data set of an experiment: the batches, epochs, rates and seeds."""
    rows = []
    for one in stored:
        experiment = one["experiment"]
        tuning, final = len(experiment["tuning"]["seeds"]), len(experiment["final"]["seeds"])
        lines: dict[str, list[str]] = {}
        for setting in experiment["settings"]:
            lines.setdefault(_network(one, setting), []).append(setting)
        for network, settings in lines.items():
            training = [_merged(one, setting, "training") for setting in settings]
            batches = [str(each["batch_size"]) for each in training]
            epochs = [_length(each).removesuffix(" epochs") for each in training]
            rates = [str(_rates(one, setting)["count"]) for setting in settings]
            rows.append([
                words(_name(one["report"])), network, _several(batches), _several(epochs), _several(rates),
                str(tuning), str(final),
            ])  # fmt: skip
    head = ["experiment", "network and data", "batch", "epochs", "rates", "tuning", "final"]
    return table("llllrrr", head, rows)


def _several(values: Sequence[str]) -> str:
    """The different values; the first, their number and the last where there are many."""
    found = list(dict.fromkeys(values))
    return ", ".join(found) if len(found) < 4 else f"{found[0]} to {found[-1]} ({len(found)})"
