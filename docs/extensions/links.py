"""Every link and picture inside the built site must lead somewhere, and nothing may be loaded from outside."""

from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from sphinx.application import Sphinx
from sphinx.util import logging

LOADS = {"script": "src", "img": "src", "source": "src", "iframe": "src", "link": "href"}
# Pages that Sphinx fills in the browser, so that their targets are not in the file.
DYNAMIC = ("search.html",)

logger = logging.getLogger(__name__)


class _Page(HTMLParser):
    """The targets and the links of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.targets: set[str] = set()
        self.links: list[tuple[str, bool]] = []  # (address, whether the page loads it)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {key: value for key, value in attrs if value}
        self.targets |= {found[key] for key in ("id", "name") if key in found}
        if tag == "a" and "href" in found:
            self.links.append((found["href"], False))
        elif (key := LOADS.get(tag)) and key in found and found.get("rel") not in {"canonical", "edit"}:
            self.links.append((found[key], True))


@cache
def _read(path: Path) -> _Page:
    page = _Page()
    page.feed(path.read_text())
    return page


def broken(site: Path) -> list[str]:
    """The links of a built site that lead nowhere, and what its pages would load from elsewhere.

    Args:
        site: the folder of the HTML files.

    Returns:
        One line per fault.
    """
    wrong = []
    for path in sorted(site.rglob("*.html")):
        where = path.relative_to(site)
        for address, loaded in _read(path).links:
            parts = urlsplit(address)
            if parts.scheme == "data":
                continue
            if parts.scheme or parts.netloc:
                if loaded:
                    wrong.append(f"{where}: loads {address}: the site must work offline")
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if target.is_dir():
                target /= "index.html"
            page = target.suffix == ".html" and target.name not in DYNAMIC
            if not target.is_file():
                wrong.append(f"{where}: {address}: no such file")
            elif parts.fragment and page and unquote(parts.fragment) not in _read(target).targets:
                wrong.append(f"{where}: {address}: no such place in that page")
    return wrong


def _check(app: Sphinx, failure: Exception | None) -> None:
    if failure is None and app.builder.format == "html":
        _read.cache_clear()
        for line in broken(Path(app.outdir)):
            logger.warning(line)


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect to Sphinx, after everything else that ends a build."""
    app.connect("build-finished", _check, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
