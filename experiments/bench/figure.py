"""Figures of stored benchmarks: bars of time against fused AdamW, bars of memory, lines over the size."""

import itertools
import textwrap
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from tueplots import axes as axes_style
from tueplots import fontsizes

Report = dict[str, Any]

_OURS = "#D55E00"  # Okabe and Ito's vermilion and blue, which all kinds of colour vision tell apart
_THEIRS = "#0072B2"
_PLAIN = "#999999"
_ALTO_BYTES = 48
_FLOOR = "floor: the method's bytes at the measured bandwidth"


def draw(report: Report) -> Figure:
    """Draw a report of any kind.

    Args:
        report: As stored; nothing else is read.

    Returns:
        The figure.
    """
    style: Any = {**fontsizes.neurips2024(default_smaller=0), **axes_style.lines(), **axes_style.grid()}
    with mpl.rc_context(style):
        figure = _lines(report) if report["bench"] == "scaling" else _bars(report)
        lines = textwrap.fill(_footnote(report), width=int(22 * figure.get_figwidth()))
        figure.supxlabel(lines, fontsize=6)
    return figure


def _bars(report: Report) -> Figure:
    """One panel a case, one bar a contestant."""
    timed = report["bench"] == "step"
    cases = report["cases"]
    most = max((len(case["contestants"]) for case in cases), default=1)
    size = (2.6 * len(cases) + 1.6, 0.24 * most + 1.3)
    figure = Figure(figsize=size, layout="constrained", dpi=160)
    panels = figure.subplots(1, len(cases), squeeze=False, sharey=True)[0]
    for panel, case in zip(panels, cases, strict=True):
        rows = case["contestants"]
        (_time_bars if timed else _memory_bars)(panel, rows)
        panel.set_yticks(range(len(rows)), [row["title"] for row in rows])
        panel.set_title(f"{case['title']}, {case['parameters'] / 1e6:.3g} M")
    panels[0].invert_yaxis()
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=min(len(labels), len(cases)), frameon=False)
    return figure


def _time_bars(panel: Axes, rows: list[dict[str, Any]]) -> None:
    """Multiples of fused AdamW with quartiles; of milliseconds where fused AdamW did not run. The floor is a line."""
    relative = all(row["times_adamw_fused"] for row in rows)
    marks = []
    for place, row in enumerate(rows):
        spread = row["times_adamw_fused"] if relative else row["milliseconds"]
        reach = [[spread["median"] - spread["low"]], [spread["high"] - spread["median"]]]
        panel.barh(place, spread["median"], xerr=reach, height=0.7, color=_colour(row["name"]), error_kw={"lw": 0.8})
        panel.annotate(
            f"{spread['median']:.2g}", (spread["high"], place), (3, 0), textcoords="offset points", va="center", size=6
        )
        if row["times_floor"]:
            marks.append((spread["median"] / row["times_floor"]["median"], place))
    if marks:
        panel.plot(*zip(*marks, strict=True), "|", color="black", markersize=9, markeredgewidth=1.6, label=_FLOOR)
    panel.set_xscale("log")
    low, high = panel.get_xlim()
    panel.set_xlim(low, 1.6 * high)  # room for the numbers
    if relative:
        panel.axvline(1.0, color="black", linewidth=0.6, linestyle=":")
    panel.set_xlabel("time as a multiple of fused AdamW" if relative else "milliseconds")


def _memory_bars(panel: Axes, rows: list[dict[str, Any]]) -> None:
    """What is kept, in a checkpoint or not, and beside it what a step takes in addition."""
    places = range(len(rows))
    held, saved, transient = (
        [row[f"{kind}_bytes_a_parameter"] for row in rows] for kind in ("held", "saved", "transient")
    )
    rest = [max(a - b, 0.0) for a, b in zip(held, saved, strict=True)]
    panel.barh(places, saved, height=0.7, color=_THEIRS, label="kept, and in a checkpoint")
    panel.barh(places, rest, left=saved, height=0.7, color=_OURS, label="kept, and in none")
    panel.barh(places, transient, left=held, height=0.7, color=_PLAIN, label="more at the peak of a step")
    panel.set_xlabel("bytes a parameter")


def _lines(report: Report) -> Figure:
    """Nanoseconds a parameter against the number of parameters, and the floor of ALTO's bytes below them."""
    figure = Figure(figsize=(6.4, 4.2), layout="constrained", dpi=160)
    panel = figure.subplots()
    curves: dict[str, list[tuple[float, float]]] = {}
    titles: dict[str, str] = {}
    floor: dict[float, float] = {}
    for case in report["cases"]:
        for row in case["contestants"]:
            nanoseconds = 1e6 * row["milliseconds"]["median"] / case["parameters"]
            titles[row["name"]] = row["title"]
            curves.setdefault(row["name"], []).append((case["parameters"], nanoseconds))
            if row["bytes_a_parameter"] == _ALTO_BYTES and row["times_floor"]:  # one floor for all implementations
                floor[case["parameters"]] = nanoseconds / row["times_floor"]["median"]
    shades = _shades(list(curves))
    for marker, (name, points) in zip(itertools.cycle("osD^v<>PX*hdp"), curves.items(), strict=False):
        panel.plot(
            *zip(*points, strict=True), color=shades[name], marker=marker, label=titles[name], linewidth=1, markersize=4
        )
    if floor:
        panel.plot(list(floor), list(floor.values()), "--", color="black", label=f"floor of ALTO: {_ALTO_BYTES} bytes")
    panel.set_xscale("log")
    panel.set_yscale("log")
    panel.set_xlabel("parameters of one tensor")
    panel.set_ylabel("nanoseconds a parameter")
    figure.legend(loc="outside right upper", frameon=False)
    return figure


def _shades(names: list[str]) -> dict[str, Any]:
    """Light to dark within a family: oranges are ours, blues the peers, greys the plain operations."""
    shades: dict[str, Any] = {}
    for colour, ramp in ((_OURS, "Oranges"), (_THEIRS, "Blues"), (_PLAIN, "Greys")):
        family = [name for name in names if _colour(name) == colour]
        for place, name in enumerate(family):
            shades[name] = mpl.colormaps[ramp](0.4 + 0.6 * (place + 1) / len(family))
    return shades


def _colour(name: str) -> str:
    if name in {"copy", "in-place"}:
        return _PLAIN
    return _OURS if name.startswith(("alto-", "lamb-", "e-adamw-")) else _THEIRS


def _footnote(report: Report) -> str:
    """Where it was measured, and who is missing."""
    machine = report["hardware"]
    words = [f"{machine['name']}, {report['threads']} threads, torch {report['versions']['torch']}, float32"]
    if report["rounds"]:
        words.append(f"median and quartiles of {report['rounds']} rounds")
    if report["skipped"]:
        words.append("not available here: " + ", ".join(skipped["title"] for skipped in report["skipped"]))
    return "; ".join(words)
