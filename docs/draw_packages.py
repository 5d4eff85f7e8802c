"""Draws the picture of the packages, ``docs/_static/packages.svg``: ``python -m docs.draw_packages``.

A subpackage imports subpackages of lower rows of its own package, and ``alto``. A test compares the rows
with the imports.
"""

from collections.abc import Iterator, Sequence

from theory.ledger.provenance import ROOT

FILE = ROOT / "docs" / "_static" / "packages.svg"
ROWS = {
    "theory": (
        ("commands",),
        ("tex",),
        ("claims", "figures", "conform"),
        ("rates", "studies", "monitor", "rocq"),
        ("theorems", "simulate", "worst_case"),
        ("stability",),
        ("ledger", "method", "objectives", "plotting"),
    ),
    "experiments": (
        ("cli",),
        ("report", "sweep", "bench"),
        ("analysis", "training"),
        ("models", "runs"),
        ("data", "optimizers", "distributed"),
        ("config",),
        ("io",),
    ),
}
"""The subpackages of each package; a row imports the rows below it."""

WIDTH, HEIGHT = 1100, 596
BLUE, BROWN, GREY = ("#e8f1f5", "#0b5f80"), ("#fbf3e6", "#8a4b00"), ("#f1f1f1", "#666")


def _box(x: float, y: float, width: float, height: float, name: str, line: str, colours: tuple[str, str]) -> str:
    """A box with a name and a line below the name."""
    fill, stroke = colours
    middle = x + width / 2
    return (
        f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="6" fill="{fill}" stroke="{stroke}"/>'
        f'<text x="{middle:g}" y="{y + 22:g}" font-weight="bold" font-size="16">{name}</text>'
        f'<text x="{middle:g}" y="{y + 40:g}" font-size="12">{line}</text>'
    )


def _rows(x: float, width: float, rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """The subpackages of one package, row by row."""
    gap, top, height = 7, 146, 34
    for i, row in enumerate(rows):
        y = top + i * (height + gap)
        each = (width - 24 - gap * (len(row) - 1)) / len(row)
        for k, name in enumerate(row):
            left = x + 12 + k * (each + gap)
            yield f'<rect x="{left:g}" y="{y}" width="{each:g}" height="{height}" rx="4" fill="#fff" stroke="#9ab"/>'
            yield f'<text x="{left + each / 2:g}" y="{y + 22}" font-size="12.5">{name}</text>'


def _arrow(path: str, *, dashed: bool) -> str:
    return f'<path d="{path}" class="{"file" if dashed else "import"}" marker-end="url(#tip)"/>'


def picture() -> str:
    """The whole drawing as SVG."""
    parts = [
        _box(340, 12, 170, 52, "paper/", "its numbers are generated", GREY),
        _box(590, 12, 170, 52, "docs/", "this site", GREY),
        _box(20, 96, 430, 348, "theory/", "claims, evidence, verdicts", BLUE),
        _box(650, 96, 430, 348, "experiments/", "training real networks", BLUE),
        _box(500, 236, 100, 64, "results/", "small files", BROWN),
        _box(410, 516, 280, 60, "alto/", "the optimizers; the maths is in engines/", BLUE),
        *_rows(20, 430, ROWS["theory"]),
        *_rows(650, 430, ROWS["experiments"]),
        _arrow("M235 446 V546 H406", dashed=False),
        _arrow("M865 446 V546 H694", dashed=False),
        _arrow("M648 268 H605", dashed=True),
        _arrow("M452 254 H495", dashed=True),
        _arrow("M498 282 H455", dashed=True),
        _arrow("M530 234 V150 L440 69", dashed=True),
        _arrow("M570 234 V150 L660 69", dashed=True),
        '<text x="300" y="538" font-size="12">imports</text><text x="800" y="538" font-size="12">imports</text>',
        '<text x="550" y="320" font-size="12">dashed: files</text>',
    ]
    body = "\n".join(parts)
    return f"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img"
 font-family="sans-serif">
<title>alto at the bottom, theory and experiments on it, results between them, paper and docs on top</title>
<defs><marker id="tip" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7" orient="auto">
<path d="M0 0 10 5 0 10z"/></marker></defs>
<style>text {{ text-anchor: middle; fill: #111 }}
path {{ fill: none; stroke: #444; stroke-width: 1.5 }} #tip path {{ fill: #444; stroke: none }}
path.file {{ stroke-dasharray: 5 4 }}</style>
<rect width="{WIDTH}" height="{HEIGHT}" rx="8" fill="#fff"/>
{body}
</svg>
"""


if __name__ == "__main__":
    FILE.write_text(picture())
