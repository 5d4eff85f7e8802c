"""Rich tables of the ledger, of a monitored run and of a conformance check, built here and printed by ``__main__``."""

from collections import Counter
from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from theory.assumptions import Report
from theory.conform import Observation
from theory.evidence import Outcome, Result
from theory.ledger import Entry, Verdict

STYLES = {
    Verdict.PROVED: "green",
    Verdict.REPAIRED: "green",
    Verdict.HOLDS: "cyan",
    Verdict.REPRODUCED: "cyan",
    Verdict.NOT_REPRODUCED: "yellow",
    Verdict.REFUTED: "red",
    Verdict.NOT_RUN: "dim",
}
MARKS = {Outcome.SUPPORTS: "+", Outcome.CONTRADICTS: "-", Outcome.INCONCLUSIVE: "?", Outcome.ERROR: "!"}


def ledger_table(ledger: Sequence[Entry]) -> Table:
    """One row a claim: its verdict, and each piece of evidence with a mark for what it says."""
    table = Table(title="Ledger", title_justify="left", caption=caption(ledger), caption_justify="left")
    table.add_column("claim", no_wrap=True)
    table.add_column("verdict", no_wrap=True)
    table.add_column("evidence")
    table.add_column("s", justify="right")
    for entry in ledger:
        table.add_row(
            entry.claim.id,
            Text(entry.verdict, style=STYLES[entry.verdict]),
            Text("\n".join(map(_line, entry.results)) or f"needs {entry.claim.needs}"),
            f"{sum(result.seconds for result in entry.results):.1f}",
        )
    return table


def caption(ledger: Sequence[Entry]) -> str:
    """How many claims have each verdict."""
    counts = Counter(entry.verdict for entry in ledger)
    kinds = ", ".join(f"{counts[verdict]} {verdict}" for verdict in Verdict if counts[verdict])
    return f"{len(ledger)} claims: {kinds}. + supports, - contradicts, * concerns our correction"


def _line(result: Result) -> str:
    star = "*" if result.about == "correction" else ""
    return f"{MARKS[result.outcome]}{star} {result.kind}: {result.name} ({result.detail})"


def report_table(report: Report, sharpness: float) -> Table:
    """Measured constants, how often the assumption held, and each bound beside what it bounds."""
    table = Table(title="ALTO on a tanh network 8-16-1, full batch", title_justify="left")
    table.add_column("quantity")
    table.add_column("measured", justify="right")
    table.add_column("bound", justify="right")
    for name, value in (
        ("steps x coordinates", f"{report.steps} x {report.coordinates}"),
        ("L: largest secant of the gradient", f"{report.L:.4g}"),
        ("L: largest Hessian eigenvalue at the end", f"{sharpness:.4g}"),
        ("G: sup |g|_inf", f"{report.G:.4g}"),
        ("D: sup |theta|", f"{report.D:.4g}"),
        ("kappa = |1-c| + |c|", f"{report.kappa:.4g}"),
        ("sigma^2 / batch", f"{report.variance:.4g}"),
        ("3.5 held, with eps1 (share of steps and coordinates)", f"{100 * report.monotone:.1f} %"),
        ("3.5 held, as written", f"{100 * report.monotone_as_written:.1f} %"),
        ("total decrease of H over its first value", f"{report.downward:.4g}"),
        ("departure from the literal update", f"{report.departure:.1e}"),
    ):
        table.add_row(name, value, "")
    table.add_row("sum <g, theta - theta_1> (chain S2 ... S5)", f"{report.regret:.4g}", f"{report.regret_bound:.4g}")
    applies = "" if report.step_allowed else " (eta is above its limit: not claimed)"
    bound = "needs losses" if report.gradient_bound is None else f"{report.gradient_bound:.4g}{applies}"
    table.add_row("mean |g|^2 (Theorem N)", f"{report.gradient:.4g}", bound)
    return table


def conformance_table(target: str, observations: Sequence[Observation]) -> Table:
    """One row a check: whether the optimizer does what the paper says, and what it does instead."""
    departures = sum(not observation.agrees for observation in observations)
    table = Table(
        title=f"{target} beside the paper",
        title_justify="left",
        caption=f"{departures} departures",
        caption_justify="left",
    )
    for name in ("check", "claim", "agrees", "seen"):
        table.add_column(name)
    for observation in observations:
        agrees = Text("yes", style="green") if observation.agrees else Text("no", style="red")
        table.add_row(observation.check, observation.claim, agrees, observation.detail)
    return table
