"""Every code block of a page is run while the page is read, and what it prints is put below it.

The language says what happens to a block:

    python     run, in the page's order, in one scope per page; with a caption, written to a file of that name instead
    console    its ``$`` lines are run in the page's folder, where those files lie
    sh         what takes minutes or changes the machine: not run, but read by the command line that it is meant for
    toml       parsed; with a caption, written to a file of that name
    text       shown, not run

A block of another language, or of none, is an error, and so is one that fails: nothing escapes by its label.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util import logging

ROOT = Path(__file__).resolve().parents[2]
LANGUAGES = ("python", "console", "sh", "toml", "text")
SECONDS = 600
# What other programs run: docstrings (pytest --doctest-modules), gallery scripts (sphinx-gallery), notebooks (myst-nb).
ELSEWHERE = ("api/", "pictures/", "notebooks/")

logger = logging.getLogger(__name__)


def run_blocks(app: Sphinx, doctree: nodes.document) -> None:
    """Run the blocks of a page that was just read, and add what they printed to the page."""
    if app.env.docname.startswith(ELSEWHERE):
        return
    blocks = [node for node in doctree.findall(nodes.literal_block) if "output" not in node["classes"]]
    for node in blocks:
        if node.get("language") not in LANGUAGES:
            logger.warning("a code block needs a language: %s", ", ".join(LANGUAGES), location=node)
            return
    if not any(node["language"] != "text" for node in blocks):
        return
    logger.info("running the blocks of %s", app.env.docname)
    for node, outcome in zip(blocks, _outcomes(blocks), strict=True):
        if outcome["error"]:
            logger.warning("this block fails:\n%s", outcome["error"], location=node)
            return
        if outcome["output"].strip():
            _show(node, outcome["output"].rstrip())


def _outcomes(blocks: list[nodes.literal_block]) -> list[dict[str, str]]:
    """What each block printed and how it failed, from one fresh process for the page."""
    work = [{"language": n["language"], "code": n.astext(), "file": _caption(n)} for n in blocks]
    with tempfile.TemporaryDirectory() as folder:
        finished = Path(folder) / "outcomes.json"
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
        environment = os.environ | {
            "COLUMNS": "110", "NO_COLOR": "1", "OMP_NUM_THREADS": "1", "PATH": path, "PYTHONHASHSEED": "0",
            "PYTHONPATH": str(ROOT), "MPLBACKEND": "agg", "HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false",
        }  # fmt: skip
        page = Path(folder) / "page"
        page.mkdir()
        done = subprocess.run(
            [sys.executable, "-m", "docs.extensions.run_blocks", str(finished)], input=json.dumps(work), cwd=page,
            env=environment, capture_output=True, text=True, timeout=SECONDS, check=False,
        )  # fmt: skip
        if not finished.exists():
            crash = {"output": "", "error": f"the page's process ended with {done.returncode}: {done.stderr[-2000:]}"}
            return [crash] * len(blocks)
        return json.loads(finished.read_text())


def _caption(block: nodes.literal_block) -> str:
    parent = block.parent
    if isinstance(parent, nodes.container) and isinstance(parent[0], nodes.caption):
        return parent[0].astext()
    return ""


def _show(block: nodes.literal_block, text: str) -> None:
    """Put what a block printed below it."""
    output = nodes.literal_block(text, text, language="text", classes=["output"])
    outer = block.parent if _caption(block) else block
    parent = outer.parent
    parent.insert(parent.index(outer) + 1, output)


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect to Sphinx."""
    app.connect("doctree-read", run_blocks)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
