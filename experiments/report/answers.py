"""The page of the answers: words from a template, every number in them from the committed results."""

import functools
import re
from pathlib import Path

from experiments.analysis import evidence
from experiments.analysis.contrast import identical
from experiments.analysis.evidence import Evidence
from experiments.analysis.kept import Summary
from experiments.analysis.kept import read as read_summary
from experiments.analysis.questions import questions
from experiments.analysis.statistics import t_interval
from experiments.io.errors import ConfigError
from experiments.io.files import write_atomic
from experiments.report import tables
from experiments.report.figures import lead, waterfall

TEMPLATE = Path(__file__).parent / "answers.md"
_SLOT = re.compile(r"\{\{\s*(\w+)\s+([^{}]+?)\s*\}\}")
_LEVEL = 0.05
_ENOUGH = (
    8  # seeds from which the sign flips have to confirm a t interval: with fewer they can hardly be below the level
)


def write(results: Path) -> Path:
    """Write ``README.md`` of the results.

    Args:
        results: Folder of the kept summaries and of the evidence.

    Returns:
        The file.

    Raises:
        ConfigError: a slot of the template names something that does not exist.
        DataError: a file is absent or damaged.
    """
    path = results / "README.md"
    write_atomic(path, page(results).encode())
    return path


def page(results: Path, template: str | None = None) -> str:
    """The page's text.

    Args:
        results: As in `write`.
        template: Text with slots; None takes the package's. A claim's slots are ``{{answer CLAIM}}``, its number with
            interval and verdict (or that its runs have not ended), and ``{{estimate CLAIM}}``, the number alone. The
            slots of a laptop tier: ``{{mean NAME | SETTING | LABEL}}`` is a mean test result,
            ``{{difference NAME | SETTING | LABEL}}`` a competitor minus the baseline with its interval,
            ``{{rates NAME | SETTING}}`` the chosen learning rates, ``{{preferred NAME | SETTING}}`` the optimizer with
            the best validation score, ``{{identical NAME | SETTING | SETTING}}`` how many pairs of runs ended in
            bitwise equal networks, and ``{{clipped NAME | SETTING | LABEL}}`` the share of steps whose gradient was
            longer than the clip. ``{{lead near | ahead}}`` counts settings, as `figures.lead.standing` does: ``near``
            or ``far``, and ``all``, ``ahead``, ``behind`` or ``undecided``. ``{{waterfall WORDS}}`` is
            the picture of that name, once its runs have ended.

    Returns:
        Markdown.

    Raises:
        ConfigError: an unknown kind of slot.
        DataError: a file is absent or damaged.
    """
    text = TEMPLATE.read_text(encoding="utf-8") if template is None else template
    summary, leads = functools.cache(read_summary), functools.cache(lead.rows)

    def fill(match: re.Match[str]) -> str:
        kind = match.group(1)
        name, *cells = (part.strip() for part in match.group(2).split("|"))
        if kind in {"answer", "estimate"}:
            path = results / "evidence" / f"{name}.json"
            if not path.exists() and name in questions():
                return "not run yet"
            found = evidence.read(path)
            return phrase(found) if kind == "answer" else f"{found.estimate:.2g}"
        if kind == "waterfall":
            return "" if waterfall.parts(results) is None else f"![{name}]({waterfall.NAME}.png)"
        if kind == "lead":
            return _standing(leads(results), name, *cells)
        kept = summary(results / "experiments" / f"{name}-laptop.json")
        if kind == "rates":
            return _rates(kept, *cells)
        if kind == "preferred":
            return _preferred(kept, *cells)
        if kind == "mean":
            return _mean(kept, *cells)
        if kind == "difference":
            return _difference(kept, *cells)
        if kind == "identical":
            return _identical(kept, *cells)
        if kind == "clipped":
            return _clipped(kept, *cells)
        known = "answer, estimate, lead, waterfall, rates, preferred, mean, difference, identical, clipped"
        raise ConfigError("template", f"unknown slot {kind!r}; there are: {known}")

    return _SLOT.sub(fill, text)


def phrase(found: Evidence) -> str:
    """A number with its interval, seeds and p-value, and what it says about its claim.

    Args:
        found: The evidence.

    Returns:
        Words such as ``+0.17 [-0.36, +0.69], p = 0.75, 8 seeds: undecided``; p is of the t test against the claim's own
        bound, adjusted for the number of questions in the family.
    """
    p = "" if found.adjusted is None else f", p = {found.adjusted:.2g}"
    units = len(found.seeds) or found.tasks
    counted = f", {units} {'seeds' if found.seeds else 'tasks'}" if units else ""
    sign = "+" if units else ""  # without either it is a ratio of times, not a difference
    if units and found.low == found.high:
        return f"{found.estimate:.3g}, all {units} seeds tie: **{_word(found)}**"
    return f"{found.estimate:{sign}.3g} [{found.low:{sign}.3g}, {found.high:{sign}.3g}]{p}{counted}: **{_word(found)}**"


def _word(found: Evidence) -> str:
    """What the evidence says, by the rules of `theory.claims.networks.paper_tables.compare` (a test compares them)."""
    low = float("-inf") if found.at_least is None else found.at_least
    high = float("inf") if found.at_most is None else found.at_most
    if low < found.low and found.high < high:
        word = "shown"
    elif found.high < low or found.low > high:
        word = "contradicted"
    else:
        return "undecided"
    if found.at_edge:
        return "undecided (a rate at the grid's edge)"
    if found.adjusted is not None and found.adjusted > _LEVEL:
        return "undecided (adjusted p)"
    if len(found.seeds) >= _ENOUGH and found.p_value is not None and found.p_value > _LEVEL:
        return "undecided (sign flips)"
    return word


def _standing(rows: list[lead.Row], group: str, count: str = "all") -> str:
    """How many settings have ALTO ahead of LAMB, or behind it, or neither."""
    if group not in {"near", "far"}:
        raise ConfigError("template", f"{group!r} is not allowed; it must be near or far")
    found = lead.standing(rows, near=group == "near")
    if count not in found:
        raise ConfigError("template", f"{count!r} is not allowed; it must be one of {', '.join(found)}")
    return str(found[count])


def _rates(kept: Summary, setting: str) -> str:
    """The chosen learning rates of one setting: ``ALTO 0.1, LAMB 0.316``."""
    found = [cell for cell in kept.report.summaries if cell.setting == setting]
    if not found:
        raise ConfigError("template", f"{kept.experiment.name} has no setting {setting!r}")
    return ", ".join(f"{cell.label} {cell.lr:g}" for cell in found if cell.lr is not None)


def _preferred(kept: Summary, setting: str) -> str:
    """The optimizer that validation prefers in one setting, or those that tie."""
    scores = {
        cell.label: cell.validation
        for cell in kept.report.summaries
        if cell.setting == setting and cell.validation is not None
    }
    if not scores:
        raise ConfigError("template", f"{kept.experiment.name} has no validation scores under {setting!r}")
    best = (min if kept.report.metric == "loss" else max)(scores.values())
    return " and ".join(f"*{label}*" for label, score in scores.items() if score == best)


def _mean(kept: Summary, setting: str, label: str) -> str:
    """The mean test result of a competitor: ``63.95``."""
    found = [cell for cell in kept.report.summaries if (cell.setting, cell.label) == (setting, label)]
    if not found:
        raise ConfigError("template", f"{kept.experiment.name} has no cell ({setting!r}, {label!r})")
    return tables.numbers(found[0].test)[0]


def _difference(kept: Summary, setting: str, label: str) -> str:
    """A competitor minus the experiment's baseline: ``-2.25 [-3.08, -1.41]``."""
    found = [one for one in kept.report.differences if (one.setting, one.label) == (setting, label)]
    if not found:
        raise ConfigError("template", f"{kept.experiment.name} has no difference of {label!r} under {setting!r}")
    mean, interval, _ = tables.numbers(found[0].difference, "+")
    return f"{mean} {interval}"


def _clipped(kept: Summary, setting: str, label: str) -> str:
    """The share of steps that a clip changes, its mean and interval: ``61 % [55, 66] of the steps``."""
    runs = [run for run in kept.runs if (run.setting, run.label) == (setting, label)]
    found = [100 * run.clipped for run in runs if run.clipped is not None]
    if len(found) < 2:
        raise ConfigError("template", f"there are {len(found)} shares of {label!r} under {setting!r}; two are needed")
    interval = t_interval(found)
    assert interval.low is not None
    assert interval.high is not None
    low, high = max(0.0, interval.low), min(100.0, interval.high)
    return f"{interval.mean:.0f} % [{low:.0f}, {high:.0f}] of the steps"


def _identical(kept: Summary, one: str, other: str) -> str:
    """How many pairs of runs of two settings, same competitor and seed, ended in the same bits: ``8 of 16``."""
    pairs = [pair for found in identical(kept, one, other).values() for pair in found]
    if not pairs:
        raise ConfigError("template", f"{kept.experiment.name} has no runs to pair under {one!r} and {other!r}")
    return f"{sum(pairs)} of {len(pairs)}"
