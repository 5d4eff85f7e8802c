"""Which claims rest on which: the graph of the ledger as SVG, premises on the left, each claim a link to its entry."""

from collections.abc import Mapping, Sequence
from html import escape
from itertools import pairwise

ROW, LETTER, GAP, MARGIN = 22, 6.7, 64, 12
"""Pixels: between two rows, per letter, between two columns, around all."""
SWEEPS = 12


def svg(rests_on: Mapping[str, Sequence[str]], verdicts: Mapping[str, str]) -> str:
    """The graph of the claims that rest on others or carry some.

    Args:
        rests_on: the premises of each claim; no circles.
        verdicts: the verdict of each claim, which colours it.

    Returns:
        An SVG element; empty if no claim rests on another.
    """
    edges = [(premise, name) for name, premises in rests_on.items() for premise in premises if premise in verdicts]
    if not edges:
        return ""
    columns, chains = _columns(edges)
    tallest = max(map(len, columns))
    at: dict[str, tuple[float, float]] = {}  # where a claim's text begins
    ends: dict[str, float] = {}  # and where it ends; a line that passes through a column crosses it straight
    x = float(MARGIN)
    for column in columns:
        width, step = LETTER * max(len(name) for name in column if name in verdicts), ROW * tallest / len(column)
        for row, name in enumerate(column):
            at[name] = x, MARGIN + step * (row + 0.5)
            ends[name] = x + (len(name) * LETTER if name in verdicts else width)
        x += width + GAP
    height, total = 2 * MARGIN + ROW * tallest, x - GAP + MARGIN
    lines = [_line(chain, at, ends) for chain in chains]
    nodes = [_node(name, verdicts[name], *place) for name, place in at.items() if name in verdicts]
    said = f"{len(nodes)} claims, {len(edges)} times one rests on another"
    return (
        f'<svg class="claim-graph" xmlns="http://www.w3.org/2000/svg" role="img" aria-label="{said}" '
        f'width="{total:.0f}" height="{height:.0f}" viewBox="0 0 {total:.0f} {height:.0f}">'
        f"{''.join(lines)}{''.join(nodes)}</svg>"
    )


def _columns(edges: Sequence[tuple[str, str]]) -> tuple[list[list[str]], list[list[str]]]:
    """The claims by how many steps they rest on, each column in an order with few crossings; and each edge's path.

    A path that passes through a column has a place of its own there. Every place is moved to the mean height of its
    neighbours to the left, then of those to the right, and again.
    """
    premises: dict[str, list[str]] = {}
    for premise, name in edges:
        premises.setdefault(name, []).append(premise)
    depth: dict[str, int] = {}

    def deep(name: str) -> int:
        if name not in depth:
            depth[name] = 1 + max(map(deep, premises.get(name, ())), default=-1)
        return depth[name]

    chains = [
        [premise, *(f"{premise} {name} {level}" for level in range(deep(premise) + 1, deep(name))), name]
        for premise, name in edges
    ]
    columns: list[list[str]] = [[] for _ in range(1 + max(deep(name) for _, name in edges))]
    left: dict[str, list[str]] = {}
    right: dict[str, list[str]] = {}
    for chain in chains:
        for level, place in enumerate(chain, start=deep(chain[0])):
            if place not in columns[level]:
                columns[level].append(place)
        for before, after in pairwise(chain):
            left.setdefault(after, []).append(before)
            right.setdefault(before, []).append(after)
    for sweep in range(SWEEPS):
        near = right if sweep % 2 else left
        height = {name: (row + 0.5) / len(column) for column in columns for row, name in enumerate(column)}
        for column in columns:
            column.sort(key=lambda name: _mean([height[one] for one in near.get(name, ())], height[name]))
    return columns, chains


def _mean(numbers: Sequence[float], otherwise: float) -> float:
    return sum(numbers) / len(numbers) if numbers else otherwise


def _line(chain: Sequence[str], at: Mapping[str, tuple[float, float]], ends: Mapping[str, float]) -> str:
    """From the end of the premise's text to the begin of the claim's, straight through the columns between."""
    begin = f"M{ends[chain[0]] + 4:.1f} {at[chain[0]][1]:.1f}"
    parts = []
    for before, after in pairwise(chain):
        y1, (x2, y2) = at[before][1], at[after]
        bend = x2 - GAP / 2 - 4
        parts.append(f"H{x2 - GAP + 4:.1f}C{bend:.1f} {y1:.1f} {bend:.1f} {y2:.1f} {x2 - 4:.1f} {y2:.1f}")
    return f'<path d="{begin}{"".join(parts)}"><title>{escape(f"{chain[-1]} rests on {chain[0]}")}</title></path>'


def _node(name: str, verdict: str, x: float, y: float) -> str:
    return (
        f'<a href="#{escape(name)}"><text class="verdict-{escape(verdict)}" x="{x:.1f}" y="{y + 4:.1f}">{escape(name)}'
        f"<title>{escape(verdict)}</title></text></a>"
    )
