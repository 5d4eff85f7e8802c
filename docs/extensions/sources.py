"""The sources as pages of the site, with a link to each line, so that ``[source]`` and the ledger work offline."""

import ast
import functools
import importlib
import inspect
from html import escape
from pathlib import Path
from typing import Any

from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer
from sphinx.application import Sphinx

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("alto", "theory", "experiments", "tests")
TREE = "source"
# The theme's choice of light or dark is kept by the browser; its colours of code are in pygments.css.
PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{name}</title><link rel="stylesheet" href="{up}_static/pygments.css"><style>
:root {{ color-scheme: light dark; font-family: sans-serif }}
body[data-theme="light"] {{ color-scheme: light }} body[data-theme="dark"] {{ color-scheme: dark }}
.highlight pre {{ overflow-x: auto; padding: 1em }} .highlight a {{ color: inherit; text-decoration: none }}
</style></head><body data-theme="auto"><script>document.body.dataset.theme = localStorage.getItem("theme") || "auto"
</script><p><a href="{up}index.html">alto-optim</a> · {name}</p>
{code}</body></html>
"""


def page_name(path: str) -> str:
    """The site's page (without suffix) for a file, by its path from the root."""
    return f"{TREE}/{path.removesuffix('.py')}"


def href(from_page: str, path: str, line: int) -> str:
    """A link from one of the site's pages to a line of a file."""
    return f"{'../' * from_page.count('/')}{page_name(path)}.html#L-{line}"


def linkcode_resolve(domain: str, info: dict[str, str]) -> str | None:
    """The ``[source]`` link of a documented object; all of those lie in ``api/``."""
    if domain != "py" or not info["module"]:
        return None
    thing: Any = importlib.import_module(info["module"])
    for name in info["fullname"].split("."):
        thing = getattr(thing, name, None)
    try:
        file = inspect.getsourcefile(inspect.unwrap(thing))
        _, line = inspect.getsourcelines(inspect.unwrap(thing))
    except TypeError:  # a constant, a property, an attribute: the class beside it has the link
        return None
    path = Path(file or "").resolve()
    return href("api/x", str(path.relative_to(ROOT)), line) if path.is_relative_to(ROOT) else None


@functools.cache
def mentions(folder: str) -> dict[str, list[tuple[str, int, str]]]:
    """Where each string constant stands in a folder: (path, line, the top-level name that holds it)."""
    found: dict[str, list[tuple[str, int, str]]] = {}
    for path in sorted((ROOT / folder).rglob("*.py")):
        for statement in ast.parse(path.read_text()).body:
            for node in ast.walk(statement):
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    place = str(path.relative_to(ROOT)), node.lineno, getattr(statement, "name", "")
                    found.setdefault(node.value, []).append(place)
    return found


def write(app: Sphinx, failure: Exception | None) -> None:
    """One page per file, without the theme: with it they would take longer than all of the site's own pages."""
    if failure is not None or app.builder.format != "html":
        return
    formatter = HtmlFormatter(linenos="inline", lineanchors="L", anchorlinenos=True, wrapcode=True)
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            name = str(path.relative_to(ROOT))
            page = Path(app.outdir) / f"{page_name(name)}.html"
            page.parent.mkdir(parents=True, exist_ok=True)
            code = highlight(path.read_text(), PythonLexer(), formatter)
            page.write_text(PAGE.format(name=escape(name), up="../" * (page_name(name).count("/")), code=code))


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect to Sphinx, before the links are checked."""
    app.connect("build-finished", write)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
