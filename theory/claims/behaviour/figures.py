"""The paper's figures 1 and 8 against controls, from stored studies (``python -m theory figures --fresh``).

The controls give the base optimizer what E changes as well: the slow average's decay rate, and the effective step.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from theory.ledger.claim import Claim
from theory.ledger.evidence import Effort, Finding, Outcome, measured
from theory.ledger.intervals import decided_by
from theory.studies import store
from theory.studies.intervals import t_interval

READS = ("theory/cardioid.json", "theory/rosenbrock.json", "theory/figure-8.json")
NEGATIVE = ("(-5)", "(-20)", "(-50)", "(-80)", "(-90)")


def _outcome(supports: bool) -> Outcome:
    return Outcome.SUPPORTS if supports else Outcome.CONTRADICTS


def _row(rows: Sequence[dict[str, Any]], label: str) -> dict[str, Any]:
    return next(row for row in rows if row["label"] == label)


def flatter(family: dict[str, Any], name: str) -> Finding:
    """Whether every negative alpha ends flatter than its base on the cardioid: each 95 % interval lies below 0."""
    rows = [_row(family["rows"], name + alpha) for alpha in NEGATIVE]
    detail = ", ".join(f"{row['alpha']:g}: {row['difference']:.2f} +- {row['difference_half']:.2f}" for row in rows)
    walked = ", ".join(f"{row['walked']:.3g}" for row in (family["rows"][0], *rows))
    return Finding(
        decided_by(
            (-row["difference"] - row["difference_half"], -row["difference"] + row["difference_half"]) for row in rows
        ),
        f"sharpness at the end minus the base's, {family['starts']} starts, paired, 95 % each: {detail}; "
        f"median angle walked in the valley, base first: {walked}",
    )


figure_1 = Claim(
    id="figure-1",
    source="paper, Figure 1 (its step sizes and alpha are not known to us)",
    statement=(
        r"E with $\alpha < 0$ moves along the valley of the squared cardioid to flatter points than its base does, "
        r"ESGD as well as EAdam."
    ),
    plain="With negative alpha E moves along the valley of the squared cardioid to flatter points than its base.",
    found=(
        "Undecided: EAdam does at each alpha tried; for ESGD it is shown at alpha = -90 alone, and four intervals "
        "contain 0."
    ),
    assumptions=(
        r"$\beta_1 = .99$, $\beta_2 = .9$, $\alpha$ from $-5$ to $-90$",
        r"equal $\eta$: .01 for EAdam, .001 for ESGD",
    ),
    evidence=(
        measured("EAdam, 100 starts", lambda _: flatter(store.load("cardioid")["adam"], "EAdam")),
        measured("ESGD, 100 starts", lambda _: flatter(store.load("cardioid")["sgd"], "ESGD")),
    ),
)


MARGIN = 6.4
"""What counts as flatter on the cardioid: 5 % of 128, the sharpness at the valley's far end (0 at the cusp); ours."""


def no_flatter(family: dict[str, Any], name: str, control: str) -> Finding:
    """Whether no negative alpha ends flatter than a control without E by more than ``MARGIN``.

    The 95 % intervals of the paired differences plus ``MARGIN`` decide. Starts from which a run diverges are left out.
    """
    ends = {row["label"]: np.array(row["values"], dtype=float) for row in family["rows"]}
    margins, parts = [], []
    for alpha in NEGATIVE:
        difference = ends[name + alpha] - ends[control]
        kept = np.isfinite(difference)
        mean, half = t_interval(difference[kept])
        margins.append((MARGIN + mean - half, MARGIN + mean + half))
        parts.append(f"{alpha.strip('()')}: {mean:.2f} +- {half:.2f} ({kept.sum()} starts)")
    said = f"sharpness minus that of {control}, paired, 95 % each, margin {MARGIN}: {', '.join(parts)}"
    return Finding(decided_by(margins), said)


figure_1_controls = Claim(
    id="ours-figure-1-controls",
    source="ours, on the paper's Figure 1",
    statement=(
        r"What E does on the cardioid a base optimizer without E does as well: no negative $\alpha$ ends flatter, by "
        r"more than 5 % of the valley's range of sharpness, than Adam with decay rate .99 and ten times the step, nor "
        r"than heavy ball with decay rate .99 and a tenth of it."
    ),
    plain="On the cardioid a base optimizer without E, at another step and decay rate, ends as flat as E.",
    assumptions=("the settings of figure-1", "the control's step was chosen on these starts"),
    evidence=(
        measured(
            "EAdam against Adam(.99), 10 eta",
            lambda _: no_flatter(store.load("cardioid")["adam"], "EAdam", "Adam(.99), 10 eta"),
        ),
        measured(
            "ESGD against heavy ball(.99), eta/10",
            lambda _: no_flatter(store.load("cardioid")["sgd"], "ESGD", "heavy ball(.99), eta/10"),
        ),
    ),
)


def _rosenbrock(_: Effort) -> Finding:
    rows = store.load("rosenbrock")["sgd"]
    ours, control = _row(rows, "ESGD(-90)"), _row(rows, "heavy ball(.99), eta/10")
    gap = np.abs(np.log(np.array(ours["loss"]) / np.array(control["loss"])))
    early = gap[: len(gap) * 3 // 4]
    return Finding(
        _outcome(ours["hit"] == control["hit"] and bool(early.max() < 1e-3)),
        f"deterministic; first step below 1e-6: {ours['hit']} and {control['hit']}; largest relative difference of the "
        f"loss over the first three quarters of the kept steps {early.max():.1e}",
    )


same_as_heavy_ball = Claim(
    id="ours-figure-1-heavy-ball",
    source="ours, on the paper's Figure 1",
    statement=r"At $\alpha^* = -90$ ESGD on Rosenbrock is heavy ball with decay rate .99 and a tenth of the step.",
    plain="At alpha = -90 ESGD on Rosenbrock's function is heavy ball with decay rate .99 and a tenth of the step.",
    assumptions=(r"$\beta_1 = .99$, $\beta_2 = .9$, $\eta = .001$; the identity itself is ours-alpha-star",),
    evidence=(measured("both runs beside each other", _rosenbrock),),
)


def ends_as_far(study: dict[str, Any]) -> Finding:
    """Whether Adam with E's decay rate and effective step ends as far on f1 as E does, at most step sizes."""
    ends = dict(zip(study["methods"], np.array(study["ends"], dtype=float), strict=True))
    ours, control = ends["EAdam(-80)"], ends["Adam(.99), 5 eta"]
    # Minima are 1.5 apart. A run that left for infinity (nan) ends nowhere: it is as far as nothing
    as_far = np.isfinite(control) & np.isfinite(ours) & (control > ours - 0.5)
    left = int((~np.isfinite(control) | ~np.isfinite(ours)).sum())
    base = (ours > ends["Adam(.95)"] + 0.5).sum()
    return Finding(
        _outcome(as_far.mean() > 0.5),
        f"deterministic, {len(as_far)} step sizes from {min(study['eta']):g} to {max(study['eta']):g}, 5000 steps, "
        f"{left} with a run that left for infinity: the control ends as far or farther at {as_far.sum()}; EAdam(-80) "
        f"ends farther than Adam(.95) at {base}",
        values={
            "step sizes": float(len(as_far)),
            "as far": float(as_far.sum()),
            "farther than the base": float(base),
        },
    )


figure_8_controls = Claim(
    id="ours-figure-8-controls",
    source="ours, on the paper's Figure 8, first function",
    statement=(
        r"On $f_1$ Adam with the slow average's decay rate .99 and E's effective step $\eta/(1-c)$ ends as far as E "
        r"with $\alpha = -80$ at most step sizes."
    ),
    plain=(
        "On the first function of Figure 8, Adam with E's decay rate and effective step ends as far as E at most "
        "step sizes."
    ),
    assumptions=(r"$\beta_3 = .99$, $\epsilon = 10^{-8}$; the paper's are not known to us",),
    evidence=(measured("end points by step size", lambda _: ends_as_far(store.load("figure-8"))),),
)


def holes(study: dict[str, Any]) -> Finding:
    """Whether E reaches the flat hole of f2 at more step sizes than its base: Adam, LAMB, and LAMB's origin moved."""
    shares = study["holes"]["shares"]
    lines, more = [], False
    for share in shares:
        counts = dict(zip(share["methods"], share["reached"], strict=True))
        base = next(iter(counts.values()))
        more |= any(count > base for method, count in counts.items() if method.startswith("E("))
        lines.append(f"{share['label']}: " + ", ".join(f"{method} {count}" for method, count in counts.items()))
    return Finding(
        _outcome(not more), f"deterministic, of {study['holes']['etas']} step sizes, 5000 steps; " + "; ".join(lines)
    )


figure_8_holes = Claim(
    id="ours-figure-8-second-function",
    source="ours, on the paper's Figure 8, second function",
    statement=(
        r"On $f_2$ E reaches the flat hole at no more step sizes than its base with decay rate .9; LAMB's layer factor "
        r"favours the hole because it lies at the origin."
    ),
    plain="On the second function of Figure 8, E reaches the flat hole at no more step sizes than its base.",
    assumptions=(r"$\beta_3 = .99$, $\epsilon = 10^{-8}$, $\alpha \in \{-5, -50, -90\}$",),
    evidence=(measured("step sizes that reach the flat hole", lambda _: holes(store.load("figure-8"))),),
)

CLAIMS = (figure_1, figure_1_controls, same_as_heavy_ball, figure_8_controls, figure_8_holes)
