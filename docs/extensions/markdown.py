"""What the generated pages have in common: cells of tables, parts that open, pictures."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image

from theory.ledger.provenance import ROOT
from theory.plotting import style

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def cell(text: str) -> str:
    """Plain text as a Markdown table wants it."""
    return re.sub(r"([|*_<\[\]\\^])", r"\\\1", text)


def dropdown(title: str, body: str, classes: str = "") -> str:
    """A closed part with a title."""
    options = f":class-container: {classes}\n" if classes else ""
    return f"::::{{dropdown}} {title}\n{options}\n{body}\n::::\n"


def figure(title: str, name: str, folder: str = "figures/") -> str:
    """A figure of the theory, in proportion to its printed width, so that the letters of all figures have one size."""
    with Image.open(ROOT / "results" / "figures" / f"{name}.png") as image:
        inches = image.width / image.info["dpi"][0]
    return f"![{title}]({folder}{name}.png){{width={7.1 * inches:.1f}em}}"


def save(draw: Callable[[], "Figure"], path: Path) -> None:
    """Draw a picture in the look of all figures and write it as PNG; equal data give equal files."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with style.context():
        draw().savefig(path, metadata={"Software": None})
