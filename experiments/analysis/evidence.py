"""From kept summaries to evidence: one small file per claim, which the ledger of the theory reads.

The claims and their comparisons are in `questions`; the numbers are computed here, whatever their sign.
"""

import dataclasses
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

from scipy import stats

from experiments.analysis import benchmarks
from experiments.analysis.contrast import Term, contrast, rounding_error
from experiments.analysis.kept import Summary
from experiments.analysis.kept import read as read_summary
from experiments.analysis.protocol import protocol
from experiments.analysis.questions import Question, family, questions
from experiments.analysis.statistics import Interval, sign_flip_p_value, t_interval, t_p_value
from experiments.config.parse import build
from experiments.io import stored as stored_files
from experiments.io.errors import ConfigError, DataError
from experiments.io.files import remove, write_atomic

AWAITED = "awaited.json"
"""Below results/: the questions whose runs have not ended, asked before them."""


@dataclass(frozen=True)
class Evidence:
    """What is written; the ledger's format, with what a reader needs to find the runs again.

    Attributes:
        claim: The claim's name.
        statement: The claim in one plain sentence; empty where the ledger states it itself.
        quantity: What the number is.
        estimate: Its mean over the seeds.
        low: Lower end of its 95 % interval.
        high: Upper end.
        at_least: The claim says that the number is above this; None where it sets no lower bound.
        at_most: The claim says that the number is below this; None where it sets no upper bound.
        p_value: Of all sign flips, two-sided, against the claim's own bound (the larger p where it has two); None where
            the number is no mean of pairs.
        t_p_value: Of Student's t against the bound likewise. Of several rivals the largest where the number is on the
            claim's side of its bound, else the smallest times their number.
        adjusted: The latter, adjusted for the number of questions in the family (Benjamini and Hochberg); None until
            the family is known.
        family: The group of questions, as `questions.toml` fixes it.
        tasks: How many tasks are the units, where seeds are not.
        at_edge: Competitors whose learning rate, chosen by validation, is at an end of the grid.
        protocol: How the runs were made.
        seeds: The final seeds that the number rests on.
        tier: The tier of the runs.
        source: The kept summary, below results/.
        commits: Of the code that ran.
    """

    claim: str
    statement: str
    quantity: str
    estimate: float
    low: float
    high: float
    at_least: float | None
    at_most: float | None
    p_value: float | None
    t_p_value: float
    protocol: str
    seeds: tuple[int, ...]
    tier: str
    source: str
    commits: tuple[str, ...]
    tasks: int = 0
    at_edge: tuple[str, ...] = ()
    adjusted: float | None = None
    family: str = ""


def answer(claim: str, question: Question, kept: Summary) -> Evidence:
    """Compute the evidence of one claim from final runs.

    Args:
        claim: The claim's name.
        question: The question.
        kept: The summary of its experiment at its tier.

    Returns:
        The evidence.

    Raises:
        ConfigError: the summary has no such cell or measure.
        DataError: fewer than two seeds are left, so there is no interval.
    """
    leads = _leads(question, kept)
    level = 1 - 0.05 / len(leads)
    found = [contrast(kept, [_signed(term, question.sign) for term in lead], question.of) for lead in leads]
    seeds = sorted(set.intersection(*(set(column) for column in found)))
    if len(seeds) < 2:
        raise DataError(f"{claim}: {len(seeds)} seeds are common to all its cells, and an interval needs two")
    columns = [[column[seed] for seed in seeds] for column in found]
    return _evidence(
        claim,
        question,
        [t_interval(column, level) for column in columns],
        p_value=_p_value(columns[0], question, rounding_error(kept, leads[0], question.of))
        if len(columns) == 1
        else None,
        t_p_value=_t_p_value(columns, question),
        at_edge=_at_edge(kept, leads),
        protocol=protocol(kept, [term for lead in leads for term in lead], seeds),
        seeds=tuple(seeds),
        source=f"experiments/{question.experiment}-{question.tier}.json",
        versions=kept.report.versions,
    )


def answer_race(claim: str, question: Question, stored: dict[str, dict[str, Any]]) -> Evidence:
    """Compute the evidence of one claim from the stored benchmark.

    Args:
        claim: The claim's name.
        question: The question, with a race.
        stored: What `experiments.analysis.benchmarks.read` returns.

    Returns:
        The evidence; it has no seeds, because its rounds repeat one measurement.

    Raises:
        DataError: the benchmark has no such case or contestant.
    """
    assert question.race is not None
    ratios = benchmarks.ratios(stored, question.race)
    return _evidence(
        claim,
        question,
        [t_interval(ratios)],
        p_value=None,
        t_p_value=_t_p_value([ratios], question),
        protocol=benchmarks.protocol(stored),
        seeds=(),
        source="bench/bench.json",
        versions=(stored["step"]["versions"],),
    )


def answer_tasks(claim: str, question: Question, found: Mapping[str, Evidence]) -> Evidence | None:
    """Compute the mean over tasks: each is one unit, whatever its number of seeds.

    Args:
        claim: The claim's name.
        question: The question, with tasks, which come before it.
        found: The evidence so far, by claim.

    Returns:
        The evidence; None where a task has none.
    """
    if not set(question.tasks) <= set(found):
        return None
    units = [found[task].estimate for task in question.tasks]
    return _evidence(
        claim,
        question,
        [t_interval(units)],
        p_value=_p_value(units, question),
        t_p_value=_t_p_value([units], question),
        at_edge=tuple(dict.fromkeys(edge for task in question.tasks for edge in found[task].at_edge)),
        protocol=f"one unit per task: {', '.join(question.tasks)}",
        seeds=(),
        tasks=len(units),
        source="evidence",
        versions=[{"commit": commit} for task in question.tasks for commit in found[task].commits],
    )


def write(results: Path, only: str = "") -> tuple[list[Path], list[str]]:
    """Write the evidence of all questions whose experiment has a kept summary, and a list of the other questions.

    Always of all: p-values are adjusted within families, which several experiments share.

    Args:
        results: Folder of the kept summaries; the evidence goes to its ``evidence/CLAIM.json``.
        only: An experiment, whose files and claims alone are returned; empty for all.

    Returns:
        The files, and the claims whose experiment has no kept summary, or one with runs that have not ended.

    Raises:
        ConfigError: no question is about ``only``.
    """
    asked = questions()
    if only and only not in (known := sorted({question.experiment for question in asked.values()})):
        raise ConfigError("name", f"no question is about {only!r}; there are questions about: {', '.join(known)}")
    found: dict[str, Evidence] = {}
    for claim, question in asked.items():
        one = answer_tasks(claim, question, found) if question.tasks else _found(claim, question, results)
        if one is not None:
            found[claim] = dataclasses.replace(one, family=family(claim, question))
    files = {claim: results / "evidence" / f"{claim}.json" for claim in found}
    for claim, one in _adjusted(found).items():
        write_atomic(files[claim], (json.dumps(dataclasses.asdict(one), indent=1) + "\n").encode())
    absent = [claim for claim in asked if claim not in found]
    write_atomic(results / AWAITED, (json.dumps(_awaited(absent, asked), indent=1) + "\n").encode())
    for path in (results / "evidence").glob("*.json"):  # of a question that is asked no more, or again without runs
        if path.stem not in found:
            remove(path)

    def wanted(claim: str) -> bool:
        return only in {"", asked[claim].experiment}

    return [file for claim, file in files.items() if wanted(claim)], [claim for claim in absent if wanted(claim)]


def _adjusted(found: dict[str, Evidence]) -> dict[str, Evidence]:
    """The evidence with p-values that are adjusted for the number of questions in each family."""
    made = dict(found)
    for name in {one.family for one in found.values()}:
        group = [claim for claim, one in found.items() if one.family == name]
        adjusted = stats.false_discovery_control([found[claim].t_p_value for claim in group])
        made |= {c: dataclasses.replace(found[c], adjusted=_digits(p)) for c, p in zip(group, adjusted, strict=True)}
    return made


def _awaited(absent: list[str], asked: dict[str, Question]) -> list[dict[str, str]]:
    """The questions without runs; those at the paper's own scale are claims of the ledger already."""
    return [
        {"claim": claim, "statement": asked[claim].statement, "tier": asked[claim].tier,
         "needs": f"python -m experiments run {asked[claim].experiment}"}
        for claim in absent
        if asked[claim].tier != "paper"
    ]  # fmt: skip


def read(path: Path) -> Evidence:
    """Read what `write` wrote.

    Args:
        path: The file.

    Returns:
        The evidence.

    Raises:
        DataError: there is no such file, or it is no evidence.
    """
    try:
        with stored_files.own(path):
            return build(Evidence, stored_files.read(path))
    except FileNotFoundError:
        raise DataError(f"{path} does not exist; evidence writes it") from None


def _found(claim: str, question: Question, results: Path) -> Evidence | None:
    """The evidence, or None where no benchmark is kept for it, or no summary of runs that have all ended."""
    if question.race is not None:
        stored = benchmarks.read(results / "bench")
        return answer_race(claim, question, stored) if stored else None
    kept = results / "experiments" / f"{question.experiment}-{question.tier}.json"
    summary = read_summary(kept) if kept.exists() else None
    # A stop rule says "at the end": seeds that happen to be there first must not answer.
    return answer(claim, question, summary) if summary is not None and summary.report.complete else None


def _evidence(
    claim: str, question: Question, intervals: list[Interval], *, versions: Iterable[dict[str, str]], **rest: Any
) -> Evidence:
    """The smallest of the intervals, end by end, with the question's bounds."""
    return Evidence(
        claim=claim,
        statement=question.statement,
        quantity=question.quantity,
        estimate=_short(min(interval.mean for interval in intervals)),
        low=_short(min(interval.low for interval in intervals if interval.low is not None)),
        high=_short(min(interval.high for interval in intervals if interval.high is not None)),
        at_least=question.at_least,
        at_most=question.at_most,
        tier=question.tier,
        commits=tuple(dict.fromkeys(each.get("commit", "unknown") for each in versions)),
        **rest,
    )


def _p_value(pairs: list[float], question: Question, error: float = 0.0) -> float:
    bounds = [bound for bound in (question.at_least, question.at_most) if bound is not None]
    return max(sign_flip_p_value([pair - bound for pair in pairs], error) for bound in bounds)


def _t_p_value(columns: list[list[float]], question: Question) -> float:
    bounds = [bound for bound in (question.at_least, question.at_most) if bound is not None]
    each = [max(t_p_value(column, bound) for bound in bounds) for column in columns]
    if len(each) == 1:
        return _digits(each[0])
    assert question.at_least is not None  # the smallest of several leads has a lower bound
    behind = [p for p, column in zip(each, columns, strict=True) if fmean(column) <= question.at_least]
    return _digits(min(1.0, len(each) * min(behind)) if behind else max(each))


def _at_edge(kept: Summary, leads: list[tuple[Term, ...]]) -> tuple[str, ...]:
    """The competitors of a comparison whose chosen learning rate is at an end of a grid."""
    cells = dict.fromkeys((term.setting, term.label) for lead in leads for term in lead)
    return tuple(
        f"{cell.label} ({cell.setting})"
        for cell in kept.report.summaries
        if cell.at_edge and (cell.setting, cell.label) in cells and len(kept.experiment.grid(cell.setting).values()) > 1
    )


def _digits(value: float) -> float:
    """Four significant digits, the same on every machine."""
    return float(f"{value:.4g}")


def _leads(question: Question, kept: Summary) -> list[tuple[Term, ...]]:
    """The comparisons, the smallest of which is the answer. Only rivals make more than one."""
    if question.rivals is not None:
        setting, label = question.rivals.setting, question.rivals.label
        others = [other for other in kept.experiment.optimizers if other != label]
        return [(Term(1, setting, label), Term(-1, setting, other)) for other in others]
    return [question.terms]


def _signed(term: Term, sign: int) -> Term:
    return dataclasses.replace(term, weight=sign * term.weight)


def _short(value: float) -> float:
    """Four decimals, to which the summaries keep a percentage; + 0.0 turns -0.0 into 0.0."""
    return round(value, 4) + 0.0
