"""Figures of stored benchmarks: dots of time relative to fused AdamW, bars of memory, lines over the size."""

import textwrap
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, StrMethodFormatter
from tueplots import axes as axes_style
from tueplots import fontsizes

from experiments.io.plain_style import plain_style

Report = dict[str, Any]

_OURS = "#D55E00"  # Okabe and Ito's vermilion and blue, which all kinds of colour vision tell apart
_THEIRS = "#0072B2"
_PLAIN = "#999999"
_ALTO_BYTES = 48
_PLAIN_NAMES = ("copy", "in-place")
_PAGE = 6.75  # inches: a page's text
_METHODS = {"alto": _OURS, "e-adamw": "#009E73", "adamw": "#000000", "lamb": _THEIRS, "adan": "#CC79A7"}
_MAKERS = {
    "official": (":", "v"),
    "po-": ("-.", "D"),
    "single": (":", "s"),
    "foreach": ("--", "^"),
    "copy": ("--", "x"),
}
_MARKERS = "osD^vP"
_SHADES = ("#CC79A7", "#009E73", "#56B4E9", "#000000", "#E69F00", "#7F7F7F")


def draw(report: Report) -> Figure:
    """Draw a report.

    Args:
        report: As stored, of one of ``KINDS``; nothing else is read.

    Returns:
        The figure.
    """
    style: Any = {**fontsizes.neurips2024(default_smaller=0), **axes_style.lines(), **axes_style.grid()}
    with plain_style(style):
        figure = KINDS[report["bench"]](report)
        lines = textwrap.fill(_footnote(report), width=int(17 * figure.get_figwidth()))
        figure.supxlabel(lines, fontsize="small")
    return figure


def _dots(report: Report) -> Figure:
    """A row per contestant and a dot per network: the time of a step, on a logarithmic axis; quartiles as bars.

    Times are multiples of fused AdamW's, or milliseconds where that did not run. The number is the largest network's,
    and so is the mark of the floor: the bytes that the method must move, at the bandwidth that was measured.
    """
    cases = sorted(report["cases"], key=lambda case: case["parameters"])
    rows = [row for row in cases[-1]["contestants"] if row["name"] not in _PLAIN_NAMES]
    relative = all(row["times_adamw_fused"] for case in cases for row in case["contestants"])
    spread_of = "times_adamw_fused" if relative else "milliseconds"
    rows.sort(key=lambda row: row[spread_of]["median"])
    bandwidth = next((row for row in cases[-1]["contestants"] if row["name"] == cases[-1]["floor"]), None)
    figure = Figure(figsize=(_PAGE, 0.27 * len(rows) + 1.7), layout="constrained", dpi=160)
    panel = figure.subplots()
    for marker, shade, case in zip(_MARKERS, _SHADES, cases, strict=False):
        found = {row["name"]: row[spread_of] for row in case["contestants"]}
        spreads = [found[row["name"]] for row in rows]
        medians = [spread["median"] for spread in spreads]
        reach = [[s["median"] - s["low"] for s in spreads], [s["high"] - s["median"] for s in spreads]]
        panel.errorbar(medians, range(len(rows)), xerr=reach, fmt=marker, color=shade, markersize=5, elinewidth=0.8,
                       label=f"{case['title']}, {case['parameters'] / 1e6:.3g} M parameters")  # fmt: skip
    for place, row in enumerate(rows):
        panel.annotate(f"{row[spread_of]['median']:.2g}", (1.0, place), (4, 0), xycoords=("axes fraction", "data"),
                       textcoords="offset points", va="center", size="small")  # fmt: skip
        if bandwidth:  # one bandwidth for all rows: equal bytes, equal floors
            floor = bandwidth[spread_of]["median"] * row["bytes_a_parameter"] / bandwidth["bytes_a_parameter"]
            panel.plot([floor], [place], "|", color="black", markersize=11, markeredgewidth=1.8,
                       label="" if place else f"floor for {cases[-1]['title']}: memory bandwidth")  # fmt: skip
    panel.set_xscale("log")
    panel.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    panel.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    panel.set_yticks(range(len(rows)), [row["title"] for row in rows])
    for tick, row in zip(panel.get_yticklabels(), rows, strict=True):
        tick.set_color(_colour(row["name"]))
    panel.set_ylim(len(rows) - 0.5, -0.5)
    if relative:
        panel.axvline(1.0, color="black", linewidth=0.6, linestyle=":")
    unit = "as a multiple of fused AdamW's" if relative else "in milliseconds"
    panel.set_xlabel(f"time of a step {unit}\n(number: {cases[-1]['title']}; orange: this package)")
    figure.legend(loc="outside upper center", ncols=2, frameon=False)
    return figure


def _bars(report: Report) -> Figure:
    """One panel per network, one bar of memory per contestant."""
    cases = report["cases"]
    most = max((len(case["contestants"]) for case in cases), default=1)
    figure = Figure(figsize=(_PAGE, (0.2 * most + 0.5) * -(-len(cases) // 2) + 1.0), layout="constrained", dpi=160)
    grid = figure.subplots(-(-len(cases) // 2), min(2, len(cases)), squeeze=False, sharey=True, sharex=True)
    for spare in grid.ravel()[len(cases) :]:
        spare.remove()
    for panel, case in zip(grid.ravel(), cases, strict=False):
        rows = case["contestants"]
        _memory_bars(panel, rows)
        panel.set_yticks(range(len(rows)), [row["title"] for row in rows], fontsize="small")
        panel.set_title(f"{case['title']}, {case['parameters'] / 1e6:.3g} M parameters")
    grid[0][0].invert_yaxis()
    for panel in grid[-1]:
        panel.set_xlabel("bytes per parameter")
    handles, labels = grid[0][0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=len(labels), frameon=False)
    return figure


def _memory_bars(panel: Axes, rows: list[dict[str, Any]]) -> None:
    """What is kept, in a checkpoint or not, and to the right of it what a step needs in addition."""
    places = range(len(rows))
    held, saved, transient = (
        [row[f"{kind}_bytes_a_parameter"] for row in rows] for kind in ("held", "saved", "transient")
    )
    rest = [max(a - b, 0.0) for a, b in zip(held, saved, strict=True)]
    panel.barh(places, saved, height=0.7, color=_THEIRS, label="kept, in a checkpoint")
    panel.barh(places, rest, left=saved, height=0.7, color=_OURS, label="kept, not in a checkpoint")
    panel.barh(places, transient, left=held, height=0.7, color=_PLAIN, label="in addition during a step")


def _lines(report: Report) -> Figure:
    """Nanoseconds per parameter against the number of parameters, and the floor of ALTO's bytes."""
    figure = Figure(figsize=(_PAGE, 4.2), layout="constrained", dpi=160)
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
    if floor:
        panel.plot(
            list(floor), list(floor.values()), color="0.8", linewidth=5, label=f"floor of ALTO: {_ALTO_BYTES} bytes"
        )
    for name, points in curves.items():
        panel.plot(*zip(*points, strict=True), **_line_look(name), label=titles[name], linewidth=1.2, markersize=4)
    panel.set_xscale("log")
    panel.set_yscale("log")
    panel.set_xlabel("parameters of one tensor")
    panel.set_ylabel("nanoseconds per parameter")
    figure.legend(loc="outside right upper", frameon=False)
    return figure


def _line_look(name: str) -> dict[str, Any]:
    """A colour for the method; a dash and a marker for who implements it and how."""
    method = next((key for key in _METHODS if key in name), "")
    dash, marker = next((look for key, look in _MAKERS.items() if key in name), ("-", "o"))
    return {"color": _METHODS.get(method, _PLAIN), "linestyle": dash, "marker": marker}


def _colour(name: str) -> str:
    if name in _PLAIN_NAMES:
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


KINDS = {"step": _dots, "memory": _bars, "scaling": _lines}
"""The benchmarks that have a figure."""
