"""Docstrings of ``theory`` and ``experiments`` are written for a terminal: their bars are norms, not RST."""

import re
from typing import Any

from sphinx.application import Sphinx

# A literal in double backticks, or a bar outside of one.
_BAR = re.compile(r"(``.*?``)|\|")


def escape(_app: Sphinx, _kind: str, name: str, _thing: object, _options: object, lines: list[str]) -> None:
    """Escape the bars of a docstring outside of literals, in place."""
    if name.startswith(("theory", "experiments")):
        lines[:] = [_BAR.sub(lambda match: match[1] or r"\|", line) for line in lines]


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect to Sphinx, before napoleon reads the docstrings."""
    app.connect("autodoc-process-docstring", escape, priority=100)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
