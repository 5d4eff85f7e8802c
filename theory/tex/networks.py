"""Trained networks as LaTeX tables: what was run, and what each experiment found."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from theory.studies.intervals import t_interval
from theory.tex.book import Book
from theory.tex.markup import decimals, fixed, grouped_table, interval, plain, statement, words
from theory.tex.results import StaleError, read

REMEDY = "python -m experiments run NAME, then report NAME --results results"
ANY = (float("-inf"), float("inf"))
RANGE = {"accuracy": (0.0, 100.0), "f1": (0.0, 100.0), "loss": (0.0, float("inf"))}
"""What a metric can be: an interval of Student's t may reach beyond, and is cut there."""
UNITS = {"accuracy": r"accuracy in \%", "f1": r"F1 in \%", "loss": "loss in nats", "reward": "return"}


def add(book: Book, results: Path) -> None:
    """The tables ``experiments`` (means and differences), ``runs`` (what was run) and ``leads``, and means by key.

    Raises:
        StaleError: there is no experiment, or one has unfinished runs or a competitor without any.
    """
    paths = sorted((results / "experiments").glob("*.json"))
    if not paths:
        raise StaleError(f"{results / 'experiments'} is empty: {REMEDY}")
    stored = [read(path, REMEDY) for path in paths]
    for path, one in zip(paths, stored, strict=True):
        if not one["report"]["complete"] or any(entry["test"] is None for entry in one["report"]["summaries"]):
            raise StaleError(f"{path} has unfinished runs: {REMEDY}")
    parts = [_experiment(book, one, path.stem) for path, one in zip(paths, stored, strict=True)]
    measured = [_measures(one) for one in stored if any(run["measures"] for run in one["runs"])]
    book.file("experiments", "\n".join([*parts, *measured]))
    book.file("runs", _runs(stored))
    book.file("leads", _leads(stored))
    tuning = [len(one["experiment"]["tuning"]["seeds"]) for one in stored]
    least, most = min(tuning), max(tuning)
    book.value("tuning/seeds", str(least) if least == most else f"{least} to {most}")


def _experiment(book: Book, stored: Mapping[str, Any], name: str) -> str:
    report = stored["report"]
    differences = {(entry["setting"], entry["label"]): entry["difference"] for entry in report["differences"]}
    groups: dict[str, list[list[str]]] = {}
    for entry in report["summaries"]:
        setting, label, test = entry["setting"], entry["label"], entry["test"]
        key = f"{name}/{setting}/{label}"
        lead = differences.get((setting, label))
        book.value(f"{key}/mean", fixed(test["mean"]))
        if lead is not None:
            book.value(f"{key}/lead", " ".join(_difference(lead)))
        groups.setdefault(words(f"{setting} ({_where(stored, setting)})"), []).append([
            words(label), f"{plain(entry['lr'])}{'*' if entry['at_edge'] else ''}", fixed(test["mean"]),
            interval(test, within=RANGE.get(report["metric"], ANY)), f"{test['n']} of {entry['planned']}",
            *(["", ""] if lead is None else _difference(lead)),
        ])  # fmt: skip
    caption = rf"{statement(report['title'])} ({report['tier']} tier): test {_unit(report)}"
    head = ["optimizer", "rate", "mean", r"95\,\%", "seeds", f"minus {words(report['baseline'])}", r"95\,\%"]
    return grouped_table((0.24, "r", "r", "l", "l", "r", "l"), head, groups, caption)


def _difference(found: Mapping[str, float]) -> list[str]:
    """A difference and its interval, with as many decimals as the interval's width asks for."""
    digits = decimals(found["low"], found["high"])
    return [fixed(found["mean"], digits, sign=True), interval(found, digits)]


def _unit(report: Mapping[str, Any]) -> str:
    return UNITS.get(report["metric"], words(report["metric"]))


def _merged(stored: Mapping[str, Any], setting: str, part: str) -> dict[str, Any]:
    """An experiment's data, model or training in one setting. Another network does not inherit options."""
    experiment = stored["experiment"]
    base, changes = experiment[part], experiment["settings"][setting].get(part, {})
    inherited = {} if part == "model" and changes.get("name", base["name"]) != base["name"] else base
    return {"options": {}, **inherited, **changes} if part == "model" else {**base, **changes}


def _where(stored: Mapping[str, Any], setting: str) -> str:
    """The data and the network that a setting trains: its name may be that of a larger tier's."""
    return f"{_merged(stored, setting, 'data')['name']}, {_merged(stored, setting, 'model')['name']}"


def _measures(stored: Mapping[str, Any]) -> str:
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
        groups.setdefault(words(entry["setting"]), []).append(cells)
    caption = rf"{statement(report['title'])}: the end of training, as $\log_{{10}}$; lower is flatter"
    head = ["optimizer", "filter sharpness", r"95\,\%", "top eigenvalue", r"95\,\%", "trace", r"95\,\%"]
    return grouped_table((0.2, "r", "l", "r", "l", "r", "l"), head, groups, caption)


def _runs(stored: Sequence[Mapping[str, Any]]) -> str:
    """A group an experiment and network: what is trained on what; a line a setting: batch, epochs, rates and seeds."""
    groups: dict[str, list[list[str]]] = {}
    for one in stored:
        experiment, report = one["experiment"], one["report"]
        notes = "".join(f" ({note.rstrip('.')})" for note in report["notes"])
        tuning = experiment["tuning"]
        for setting, changes in experiment["settings"].items():
            data, model, training = (
                {**experiment[part], **changes.get(part, {})} for part in ("data", "model", "training")
            )
            size = "" if data.get("limit", "all") == "all" else f", {data['limit']} training examples"
            about = f"{_name(report)}: {data['name']}{size}; {_network(model)}"
            rates = {**tuning["learning_rates"], **changes["learning_rates"]}
            groups.setdefault(words(about + notes), []).append([
                words(setting), f"{training['batch_size']}", f"{training['epochs']}", f"{rates['count']}",
                f"{len(tuning['seeds'])}", f"{len(experiment['final']['seeds'])}",
            ])  # fmt: skip
    head = ["setting", "batch", "epochs", "rates", "tuning seeds", "final seeds"]
    caption = (
        r"What was run: data, network, batch, epochs, how many learning rates were tried, by how many seeds one was "
        r"chosen, and how many seeds were then run with it.\label{tab:runs}"
    )
    return grouped_table((0.34, "r", "r", "r", "r", "r"), head, groups, caption)


def _name(report: Mapping[str, Any]) -> str:
    return report["name"] if report["tier"] == "laptop" else f"{report['name']}, {report['tier']} tier"


def _network(model: Mapping[str, Any]) -> str:
    """A network's kind and sizes: ``convnet, widths 16 and 32``."""
    sizes = [
        f"{name} {' and '.join(map(str, value)) if isinstance(value, list) else value}"
        for name, value in model["options"].items()
    ]
    return ", ".join([model["name"], *sizes])


def _leads(stored: Sequence[Mapping[str, Any]]) -> str:
    """Every difference to the baseline whose interval leaves out zero: a group an experiment."""
    groups: dict[str, list[list[str]]] = {}
    for one in stored:
        report = one["report"]
        better = -1 if report["metric"] == "loss" else 1
        where = "; ".join(dict.fromkeys(_where(one, setting) for setting in one["experiment"]["settings"]))
        title = rf"{words(f'{_name(report)} ({where})')}: {_unit(report)}, against {words(report['baseline'])}"
        for entry in report["differences"]:
            found = entry["difference"]
            if found["low"] > 0 or found["high"] < 0:
                word = "ahead" if found["mean"] * better > 0 else "behind"
                groups.setdefault(title, []).append([
                    words(entry["setting"]), words(entry["label"]), word, *_difference(found),
                ])  # fmt: skip
    caption = (
        r"Every difference to the baseline, of all experiments, whose interval leaves out zero. At 95\,\% each, some "
        r"are expected by chance, and where learning rates differ a difference is also theirs.\label{tab:leads}"
    )
    head = ["setting", "optimizer", "is", "difference", r"95\,\%"]
    return grouped_table((0.3, 0.26, "l", "r", "l"), head, groups, caption)
