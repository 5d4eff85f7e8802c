"""The page of worst cases: where the closed forms hold, as a map; the best steps; the certificates, checked again."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from docs.extensions.markdown import cell, dropdown, figure, save
from theory.ledger.stored import read
from theory.plotting import style
from theory.worst_case import settled, solved

COMMAND = "python -m theory worst-case --full --out results/worst-case"


def write(folder: Path) -> str:
    """The page's text; its picture goes to ``folder``."""
    forms = read(solved.COMMITTED / "summary.json")
    tuned = read(solved.COMMITTED / "rows.json")["tuned"]
    names = [setting.name for setting in settled.every()]
    save(lambda: _map(forms["closed_forms"]), folder / "worst-case-map.png")
    tuned.sort(key=lambda row: (row["N"], row["worst_case"]))
    return f"""# Worst cases

The largest error that is possible after $N$ steps, over all functions of a class. Semidefinite programs estimate it;
such a number is no proof. For small cases the solution is rounded to fractions and checked in exact arithmetic, which
is a proof for that setting: there are {len(names)} such certificates.

{figure("Worst cases of E over those of gradient descent", "worst-case")}

## Where the closed forms hold

Step $1/L$, no momentum, $c = -\\alpha(1-\\beta_1)$. A cell is blue where the closed form equals the optimum to
$10^{{-4}}$. Elsewhere the closed form is below the optimum, by the percentage in the cell. White cells were not
computed.

![Map of the settings where the closed forms hold](worst-case-map.png)

{_counted(forms["closed_forms"])}
{dropdown("How well the programs were solved", forms["residuals"] + ".")}
## The best step

Smooth convex functions, the step tuned for each setting; numerical.

| N | c | β₁ | step × L | worst case |
|--:|--:|--:|--:|--:|
{"".join(_best(row) for row in tuned)}
## Certificates

These claims check all {len(names)} in exact arithmetic: {{claim}}`ours-worst-case-certified`,
{{claim}}`ours-worst-case-bounds`, {{claim}}`ours-worst-case-gradients`. The files are in `results/worst-case`.

{dropdown("Their names", "".join(f"- {cell(name)}" + chr(10) for name in names))}
"""


def _best(row: dict[str, Any]) -> str:
    return f"| {row['N']} | {row['c']:g} | {row['beta1']:g} | {row['eta']:.4g} | {row['worst_case']:.5g} |\n"


def _counted(forms: Sequence[dict[str, Any]]) -> str:
    """One line per class: in how many settings its closed form holds, and the largest departure."""
    lines = ""
    for problem in dict.fromkeys(form["problem"] for form in forms):
        members = [form for form in forms if form["problem"] == problem]
        fails = [value for form in members for value in form["fails"].values()]
        holds = sum(len(form["holds"]) for form in members)
        count = f"{holds} of {holds + len(fails)} settings"
        lines += (
            f"- {problem}: the closed form holds in {count}; the largest departure is {min(fails, default=0):.0%}.\n"
        )
    return lines


def _map(forms: Sequence[dict[str, Any]]) -> Any:
    """A panel per class: N and beta1 down, c across."""
    problems = list(dict.fromkeys(form["problem"] for form in forms))
    rows = {p: [form for form in forms if form["problem"] == p] for p in problems}
    drawn = style.figure(style.PAGE, 0.7 + 0.17 * sum(len(members) for members in rows.values()))
    panels = drawn.subplots(len(problems), height_ratios=[len(members) for members in rows.values()], squeeze=False)
    for axes, (problem, members) in zip(panels[:, 0], rows.items(), strict=True):
        columns = sorted({c for form in members for c in (*form["holds"], *map(float, form["fails"]))})
        values = np.full((len(members), len(columns)), np.nan)
        for y, form in enumerate(members):
            for c in form["holds"]:
                values[y, columns.index(c)] = 0
            for c, relative in form["fails"].items():
                x = columns.index(float(c))
                values[y, x] = -relative
                share = f"{-relative:.1%}" if relative < -5e-4 else "<0.1%"
                axes.text(x + 0.5, y + 0.5, share, ha="center", va="center", fontsize=5.5)
        axes.pcolormesh(np.where(values == 0, 1, np.nan), cmap="Blues", vmin=0, vmax=2.2, edgecolors="white", lw=0.5)
        logarithm = np.where(values > 0, np.log10(np.where(values > 0, values, 1)), np.nan)
        axes.pcolormesh(logarithm, cmap="Oranges", vmin=-4, vmax=1, edgecolors="white", lw=0.5)
        axes.set_xticks(np.arange(len(columns)) + 0.5, [style.number(c) for c in columns])
        axes.set_yticks(np.arange(len(members)) + 0.5, [f"{f['N']}, {f['beta1']:g}" for f in members], fontsize=5.5)
        axes.set(xlabel="$c$", ylabel=r"$N,\ \beta_1$", title=problem)
        axes.invert_yaxis()
        axes.grid(visible=False)
    return drawn
