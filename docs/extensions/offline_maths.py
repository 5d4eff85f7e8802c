"""MathJax from a Python package, one file of it: formulas are drawn as SVG, so no fonts are needed, nor a network."""

import shutil
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

PACKAGE = "sphinx-mathjax-offline"
FILE = "tex-svg.js"


def _copy(app: Sphinx, failure: Exception | None) -> None:
    if failure is None and app.builder.format == "html":
        source = Path(str(distribution(PACKAGE).locate_file(f"{PACKAGE}/static/mathjax/{FILE}")))
        target = Path(app.outdir) / "_static" / "mathjax" / FILE
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect to Sphinx."""
    app.connect("build-finished", _copy)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
