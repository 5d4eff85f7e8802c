"""The sources as pages of the site, with a link to each line, so that ``[source]`` and the ledger work offline."""

import ast
import functools
import importlib
import inspect
from collections.abc import Iterator
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


def collect(_: Sphinx) -> Iterator[tuple[str, dict[str, Any], str]]:
    """One page per file."""
    formatter = HtmlFormatter(linenos="inline", lineanchors="L", anchorlinenos=True, wrapcode=True)
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            name = str(path.relative_to(ROOT))
            body = f"<h1>{escape(name)}</h1>\n{highlight(path.read_text(), PythonLexer(), formatter)}"
            yield page_name(name), {"title": name, "body": body}, "page.html"


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect to Sphinx."""
    app.connect("html-collect-pages", collect)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
