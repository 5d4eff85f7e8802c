"""Rich tables of a monitored run, a conformance check and advice, built here, printed by the commands."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:  # each of them is slow to import, and no command needs all
    from theory.conform.recursion import Observation
    from theory.conform.suite import Outcome
    from theory.conform.switches import Switch
    from theory.monitor.literal import Report
    from theory.stability.advice import Advice


def report_table(report: "Report", sharpness: float) -> Table:
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
    bound = "" if report.gradient_bound is None else f"{report.gradient_bound:.4g}"
    if not report.claimed:
        bound = f"{bound} (not claimed: {report.not_claimed})".strip()
    table.add_row("mean |g|^2 (Theorem N)", f"{report.gradient:.4g}", bound)
    return table


def conformance_table(target: str, observations: "Sequence[Observation]") -> Table:
    """One row per check: whether the optimizer does what the paper says, and what it does instead."""
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
        seen = f"{observation.detail}\nat {observation.case}" if observation.case else observation.detail
        table.add_row(observation.check, observation.claim, agrees, Text(seen))
    return table


def contract_table(target: str, outcomes: "Sequence[Outcome]") -> Table:
    """One row per part of the contract: kept, broken, or not offered, and what was seen."""
    failing = sum(outcome.fails for outcome in outcomes)
    table = Table(
        title=f"{target} as a torch optimizer", title_justify="left", caption_justify="left",
        caption=f"{failing} of {len(outcomes)} parts of the contract are broken",
    )  # fmt: skip
    for name in ("part", "", "seen"):
        table.add_column(name)
    for one in outcomes:
        style = "red" if one.fails else "green" if one.state == "kept" else "dim"
        seen = f"{one.detail}\nat {one.case}" if one.case else one.detail
        table.add_row(one.part, Text(one.state, style=style), Text(seen))
    return table


def switches_table(target: str, switches: "Sequence[Switch]") -> Table:
    """One row per switch in which LAMBs differ: the setting of this one."""
    table = Table(title=f"LAMB's switches in {target}", title_justify="left")
    for name in ("switch", "found", "alto.LAMB"):
        table.add_column(name)
    for one in switches:
        table.add_row(one.switch, Text(one.found, style="" if one.found == one.ours else "yellow"), one.ours)
    return table


NEAREST = "the nearest filter of the gradients in other families"
DISTANCE = (
    "distance: root of the sum of squared differences of the weights\n"
    "on past gradients, over that of E's squared weights. 0: the same\n"
    "filter; 1: no better than not moving. A family whose nearest\n"
    "filter has a negative lr is left out."
)


def advice_tables(advice: "Advice") -> tuple[Table, Table, Table]:
    """The numbers of a setting of E, its other names, and the nearest filters in other families."""
    numbers = Table(box=SIMPLE_HEAD, title_justify="left", title=f"alpha = {advice.alpha:g}, beta1 = {advice.beta1:g}, "
                    f"beta2 = {advice.beta2:g}, lr = {advice.lr:g}")  # fmt: skip
    numbers.add_column("quantity")
    numbers.add_column("value", justify="right")
    verdict = {None: "no sharpness given: see below", True: "stable", False: "unstable"}[advice.stable]
    for name, value in (
        ("c = -alpha (1 - beta1)", advice.c),
        ("largest stable lr x sharpness (ESGD)", advice.largest_stable_lr_times_sharpness),
        ("  a flip, z = -1, at", advice.flip_threshold),
        ("  an oscillation at", advice.oscillation_threshold),
        ("  the first of them", advice.binding),
        ("largest stable sharpness at this lr", advice.largest_stable_sharpness),
        ("largest stable lr x preconditioned sharpness (EAdam)", advice.largest_stable_preconditioned),
        (f"at sharpness {advice.sharpness:g}" if advice.sharpness else "verdict", verdict),
        ("  factor per step there", "" if advice.spectral_radius is None else advice.spectral_radius),
        ("mean age of the gradients in u, steps", advice.mean_age_of_u),
        ("mean age of the gradients in m, steps", advice.mean_age),
        ("noise gain of u", advice.noise_gain),
        ("weight of the slow average in m", "undefined" if advice.slow_weight is None else advice.slow_weight),
        ("alpha*", advice.alpha_star),
        ("inside |alpha| < 1/(1-beta1)", "yes" if advice.inside_paper_region else "no"),
    ):
        numbers.add_row(name, value if isinstance(value, str) else f"{value:.5g}")
    if advice.sharpness is None:
        numbers.caption = "sharpness: a Hessian eigenvalue; theory.sharpness(loss, weights) measures it"
        numbers.caption_justify = "left"
    relatives = Table(box=SIMPLE_HEAD, title=NEAREST, title_justify="left", caption=DISTANCE, caption_justify="left")
    for name in ("family", "lr", "beta", "nu", "mean age", "distance"):
        relatives.add_column(name, justify="left" if name == "family" else "right")
    for one in advice.equivalents:
        nu = "" if one.nu is None else f"{one.nu:.5g}"
        distance = "0 (the same filter)" if one.distance == 0 else f"{one.distance:.3g}"
        relatives.add_row(one.name, f"{one.lr:.5g}", f"{one.beta:.5g}", nu, f"{one.mean_age:.4g}", distance)
    names = Table(box=SIMPLE_HEAD, title="the same method under other names", title_justify="left")
    for name in ("method", "setting", "lr", "remark"):
        names.add_column(name, overflow="fold")
    for one in advice.other_names:
        setting = ", ".join(f"{name} = {value:.5g}" for name, value in one.setting.items())
        names.add_row(one.family, setting, "" if one.lr is None else f"{one.lr:.5g}", one.remark)
    return numbers, names, relatives
