"""A report as tables of text, in three forms: Markdown, LaTeX and, in `console`, the terminal."""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from experiments.analysis import costs, names, published
from experiments.analysis.comparison import Difference, metric_words
from experiments.analysis.comparison import Summary as Cell
from experiments.analysis.contrast import MEASURES, Term, contrast, identical
from experiments.analysis.kept import Summary
from experiments.analysis.statistics import Interval, sign_flip_p_value, t_interval
from experiments.analysis.time_to_target import reaches
from experiments.analysis.trials import Best, best_of
from experiments.config.schema import Experiment


@dataclass(frozen=True)
class Table:
    """Text in rows; the first column is the setting, and a rule separates one setting from the next.

    Attributes:
        title: What it shows.
        headings: Of the columns.
        rows: The cells.
        note: What a reader must know.
    """

    title: str
    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""


def tables(kept: Summary) -> list[Table]:
    """All tables of an experiment; one without rows is left out.

    Args:
        kept: The experiment.

    Returns:
        What was run, results (beside the paper's where network and data are the same), differences to the baseline,
        the best of fewer trials where they are kept, time to accuracy, cost, flatness where it was measured, and runs
        of two settings that ended in one network.
    """
    made = [_settings(kept), _results(kept), _differences(kept), _tried(kept), _times(kept), _costs(kept),
            _flatness(kept), _identities(kept)]  # fmt: skip
    shown = names.settings(kept.experiment)
    return [
        replace(table, rows=tuple((shown.get(row[0], row[0]), *row[1:]) for row in table.rows))
        for table in made
        if table.rows
    ]


def markdown(kept: Summary) -> str:
    """The report as Markdown."""
    report = kept.report
    lines = [
        f"# {names.title(kept.experiment)}",
        "",
        f"Experiment {report.name}, tier {report.tier}. {_stands_for(kept.experiment)} "
        f"Test {metric_words(report.metric)}; 95 % t-intervals over seeds, each computed for itself.",
        "",
    ]
    lines += [f"**{note}**\n" for note in remarks(kept)]
    for table in tables(kept):
        lines += [f"## {table.title}", "", markdown_table(table), "", *([table.note, ""] if table.note else [])]
    return "\n".join(lines)


def _stands_for(experiment: Experiment) -> str:
    """How the experiment relates to the paper's table."""
    if experiment.source.startswith("ours"):
        return f"{experiment.source[0].upper()}{experiment.source[1:]}."
    if not experiment.source.startswith(("Table", "Figure")):
        return f"Source: {experiment.source}."
    if experiment.tier == "paper":
        return f"The paper's {experiment.source}."
    return f"The protocol is that of the paper's {experiment.source}; network and data are those of the first table."


def markdown_table(table: Table) -> str:
    """One table as Markdown, without its title and note."""
    lines = [table.headings, ("---",) * len(table.headings), *table.rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def latex(kept: Summary) -> str:
    """The tables in LaTeX, for the package booktabs."""
    title = names.title(kept.experiment)
    parts = [f"% {title}; tier {kept.report.tier}. " + " ".join(remarks(kept))]
    for table in tables(kept):
        columns = "l" * 2 + "r" * (len(table.headings) - 2)
        caption = f"{title}, tier {kept.report.tier}. {table.title}. {table.note}".strip()
        lines = [
            r"\begin{table}",
            rf"\caption{{{_escaped(caption)}}}",
            rf"\begin{{tabular}}{{{columns}}}",
            r"\toprule",
            " & ".join(_escaped(heading) for heading in table.headings) + r" \\",
        ]
        before = None
        for row in table.rows:
            if row[0] != before:
                lines.append(r"\midrule")
            lines.append(" & ".join(_escaped(cell) for cell in row) + r" \\")
            before = row[0]
        parts.append("\n".join([*lines, r"\bottomrule", r"\end{tabular}", r"\end{table}"]))
    return "\n\n".join(parts) + "\n"


def remarks(kept: Summary) -> list[str]:
    """Notes above all tables: missing runs, rows of several versions or machines, changed data."""
    notes = [] if kept.report.complete else ["Incomplete: final runs are missing."]
    for name in sorted({name for versions in kept.report.versions for name in versions}):
        found = sorted({versions.get(name, "unknown") for versions in kept.report.versions})
        if len(found) > 1:
            of = "the code" if name == "commit" else name
            notes.append(f"The rows are of {len(found)} versions of {of}: {', '.join(found)}.")
    hardware = kept.report.hardware
    differing = [key for key in sorted(set().union(*hardware)) if len({one.get(key) for one in hardware}) > 1]
    machines = [", ".join(f"{key} {one.get(key, 'unknown')}" for key in differing) for one in hardware]
    if len(machines) > 1:
        notes.append(
            f"The rows are of {len(machines)} machines, whose times are not comparable: {'; '.join(machines)}."
        )
    return [*notes, *kept.report.notes]


def summary_cells(cell: Cell) -> tuple[str, ...]:
    """A summary as table cells: setting, optimizer, lr, mean, interval, seeds."""
    lr = "-" if cell.lr is None else f"{cell.lr:g}{' (edge)' if cell.at_edge else ''}"
    lr = ", ".join([lr, *(f"{name} = {value}" for name, value in cell.options.items())])
    mean, interval, n = numbers(cell.test)
    seeds = f"{n} of {cell.planned}" + (f", {cell.diverged} diverged" if cell.diverged else "")
    return (cell.setting, cell.label, lr, mean, interval, seeds)


def difference_cells(difference: Difference) -> tuple[str, ...]:
    """A difference as table cells: setting, name, mean, interval, seeds, p-value."""
    mean, interval, n = numbers(difference.difference, "+")
    name = f"{difference.label} - {difference.baseline}"
    return (difference.setting, name, mean, interval, str(n), p_words(difference.p_value))


def p_words(p_value: float) -> str:
    """A p-value with four decimals; a smaller one is not shown as 0, which it never is."""
    return f"{p_value:.4f}" if p_value >= 1e-4 else "< 0.0001"


def numbers(interval: Interval | None, sign: str = "") -> tuple[str, str, int]:
    """Mean, interval and number of seeds as text; ``sign`` is ``"+"`` for differences.

    Two decimals; four where two would show a small interval as a point, and more where four would show a number or an
    interval as 0.
    """
    if interval is None:
        return "-", "-", 0
    low, high = interval.low, interval.high
    digits = 4 if low is not None and high is not None and 0 < high - low < 0.1 else 2
    least = abs(interval.mean) if low is None or high is None or interval.tied else high - low
    if 0 < least < 5 * 10.0**-digits:
        digits = math.ceil(-math.log10(least)) + 1
    plain = digits <= _DECIMALS and abs(interval.mean) < 10.0**_DECIMALS

    def show(value: float) -> str:  # + 0.0 turns -0.0 into 0.0
        return f"{round(value, digits) + 0.0:{sign}.{digits}f}" if plain else f"{value:{sign}.3g}"

    ends = "-" if low is None or high is None else "all seeds tie" if interval.tied else f"[{show(low)}, {show(high)}]"
    return show(interval.mean), ends, interval.n


_DECIMALS = 9  # and as many digits before the point; other numbers are written with a power of ten


def _settings(kept: Summary) -> Table:
    """The data, network and sizes of each setting."""
    experiment, rows = kept.experiment, []
    for setting in experiment.settings:
        data, model, training = experiment.resolve(setting)
        length = names.length(training).removesuffix(" epochs")
        cells = (training.batch_size, length, training.schedule, training.warmup, training.clip)
        on = ", ".join(part for part in (names.data(data), names.tested(data)) if part)
        rows.append((setting, on, names.network(model), *(f"{cell}" for cell in cells), setting))
    tuning, final = len(experiment.tuning.seeds), len(experiment.final.seeds)
    clips: dict[str, list[str]] = {}
    for label, one in experiment.optimizers.items():
        if one.clip != "shared":
            clips.setdefault(f"{one.clip}", []).append(label)
    of = "; ".join(f"{clip} for {', '.join(labels)}" for clip, labels in clips.items())
    precisions = {experiment.resolve(setting)[2].precision for setting in experiment.settings} - {"float32"}
    arithmetic = f" Forward and backward in {', '.join(sorted(precisions))}." if precisions else ""
    own = f" The clip is that of all competitors, but {of}." if clips else ""
    return Table(
        "What was run",
        ("setting", "data", "network", "batch", "epochs", "schedule", "warm-up", "clip", "name in the config"),
        tuple(rows),
        f"{tuning} tuning seed{'s' if tuning > 1 else ''}, {final} final seeds. A convnet is named by its channels."
        f"{own}{arithmetic}",
    )


def _results(kept: Summary) -> Table:
    rows = {row.setting: row for row in published.beside(kept.experiment)}
    headings = ("setting", "optimizer", "lr", "mean", "95 % interval", "seeds")
    cells = [summary_cells(cell) for cell in kept.report.summaries]
    title = f"Test {metric_words(kept.report.metric)}"
    if not rows:
        return Table(title, headings, tuple(cells))
    beside = [
        f"{rows[cell.setting].values[cell.label]:g}"
        if cell.setting in rows and cell.label in rows[cell.setting].values
        else "-"
        for cell in kept.report.summaries
    ]
    return Table(
        title,
        (*headings, "paper"),
        tuple((*cell, number) for cell, number in zip(cells, beside, strict=True)),
        " ".join(published.caveat(kept.experiment, row) for row in rows.values()),
    )


def _differences(kept: Summary) -> Table:
    return Table(
        f"Difference to {kept.report.baseline}, paired by seed",
        ("setting", "difference", "mean", "95 % interval", "seeds", "p (sign flips)"),
        tuple(difference_cells(difference) for difference in kept.report.differences),
    )


def _tried(kept: Summary) -> Table:
    """The best validation result of n trials: who would have won with a smaller budget of tuning."""
    cells = [cell for cell in kept.report.summaries if cell.trials]
    most = max((len(cell.trials) for cell in cells), default=0)
    counts = [n for n in (1, 4, 16) if n < most] + [most]
    rows = []
    for cell in cells:
        best = best_of(cell.trials, kept.report.metric)
        shown = [_range(best[n - 1]) if n <= len(best) else "-" for n in counts]
        rows.append((cell.setting, cell.label, *shown))
    return Table(
        f"Best validation {metric_words(kept.report.metric)} of n trials",
        ("setting", "optimizer", *(f"n = {n}" for n in counts)),
        tuple(rows),
        "Mean and 95 % range over all sets of n of the trials, each equally likely (Dodge et al. 2019, without "
        "replacement); the luck of the tuning seeds is not in the range. A trial that diverged counts as the worst of "
        "the others.",
    )


def _range(best: Best) -> str:
    mean, ends, _ = numbers(Interval(best.mean, best.low, best.high, best.n))
    return f"{mean} {ends}" if best.low < best.high else mean


def _times(kept: Summary) -> Table:
    """One row per cell, one column per level."""
    found = reaches(kept)
    levels = sorted({reach.level for reach in found}, reverse=kept.report.metric == "loss")
    by_cell = {(reach.setting, reach.label, reach.level): reach for reach in found}
    rows = []
    for setting, label in dict.fromkeys((reach.setting, reach.label) for reach in found):
        row = [setting, label]
        for level in levels:
            reach = by_cell.get((setting, label, level))
            if reach is None or reach.steps is None or reach.seconds is None:
                row.append("-")
                continue
            part = "" if reach.reached == reach.planned else f", {reach.reached} of {reach.planned}"
            row.append(f"{reach.steps.mean:.0f} ({reach.seconds.mean:.2g} s{part})")
        rows.append(tuple(row))
    return Table(
        f"Steps (and seconds) to a test {kept.report.metric}",
        ("setting", "optimizer", *(f"{level:g}" for level in levels)),
        tuple(rows),
        "Up to the first evaluation at the level or better, mean over the runs that reach it; the gap between two "
        "evaluations is the resolution. The machine did other work at the same time. "
        f"{published.sentences(kept.experiment, 's')}".rstrip(),
    )


def _costs(kept: Summary) -> Table:
    """Time and memory of training: on a GPU of every experiment, on a CPU only where cost is the question."""
    on_gpu = bool(kept.report.hardware) and all(machine["device"] == "cuda" for machine in kept.report.hardware)
    if not on_gpu and not published.has_numbers(kept.experiment, "MiB", "ms"):
        return Table("", (), ())
    rows = []
    for cell in kept.report.summaries:
        time, interval, n = numbers(costs.step_times(kept, cell.setting, cell.label))
        memory = costs.memory(kept, cell.setting, cell.label, on_gpu=on_gpu)
        if memory or n:
            rows.append((cell.setting, cell.label, time, interval, str(n), f"{memory:.1f}"))
    note = "" if on_gpu else (
        "The machine did other work at the same time, and the optimizers ran one after the other. "
        "`python -m experiments bench step` measures a step alone, in turns. "
    )  # fmt: skip
    memory_of = "peak MiB" if on_gpu else "MiB of optimizer state"
    return Table(
        "Time and memory of training",
        ("setting", "optimizer", "ms per step", "95 % interval", "seeds", memory_of),
        tuple(rows),
        f"{note}{published.sentences(kept.experiment, 'MiB', 'ms')}".strip(),
    )


def _identities(kept: Summary) -> Table:
    rows, shown = [], names.settings(kept.experiment)
    for one, other in itertools.combinations(kept.experiment.settings, 2):
        found = identical(kept, one, other)
        if any(any(pairs) for pairs in found.values()):
            rows += [
                (f"{shown[one]} = {shown[other]}", label, f"{sum(pairs)} of {len(pairs)}")
                for label, pairs in found.items()
            ]
    return Table(
        "Runs of two settings that ended in the same network, bit for bit",
        ("setting", "optimizer", "equal pairs"),
        tuple(rows),
        "Where a pair is equal, the difference between the two settings had no effect on it.",
    )


def _flatness(kept: Summary) -> Table:
    """Each measure at the runs' end, as a ratio to the baseline's: exp of the mean difference of logarithms."""
    baseline, rows = kept.report.baseline, []
    if not any(run.measures for run in kept.runs):
        return Table("", (), ())
    for setting in kept.experiment.settings:
        for label in kept.experiment.optimizers:
            if label != baseline:
                pair = (Term(1, setting, label), Term(-1, setting, baseline))
                rows.append((setting, label, *(_ratio(kept, pair, name) for name in MEASURES)))
    return Table(
        f"Measures at the end of training, as ratios to {baseline}'s",
        ("setting", "optimizer", *(name.replace("_", " ") for name in MEASURES)),
        tuple(rows),
        "Geometric mean over seeds, its 95 % t-interval, and the p-value of all sign flips. Only the filter sharpness "
        "stays the same when one layer is scaled up and the next one down. moved is "
        "|theta_k - theta_0|, moved lately |theta_k - theta_(k-10)|.",
    )


def _ratio(kept: Summary, terms: Sequence[Term], measure: str) -> str:
    logs = list(contrast(kept, terms, f"log10 {measure}").values())
    if not logs:
        return "-"
    interval, planned = t_interval(logs), len(kept.report.seeds)
    part = "" if len(logs) == planned else f", {len(logs)} of {planned} seeds"
    if interval.low is None or interval.high is None:
        return f"{10**interval.mean:.3g}{part}"
    low, high = 10**interval.low, 10**interval.high
    return f"{10**interval.mean:.3g} [{low:.3g}, {high:.3g}], p = {sign_flip_p_value(logs):.3g}{part}"


_ESCAPES = {"\\": r"\textbackslash{}", "_": r"\_", "%": r"\%", "&": r"\&", "#": r"\#", "$": r"\$",
            "{": r"\{", "}": r"\}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}  # fmt: skip


def _escaped(text: str) -> str:
    return "".join(_ESCAPES.get(character, character) for character in text)
