"""The page that answers the questions: words from a template, every number in them from the committed results."""

import re
from pathlib import Path

from experiments import evidence, render
from experiments.errors import ConfigError
from experiments.evidence import Evidence
from experiments.files import write_atomic
from experiments.summary import read as read_summary

TEMPLATE = Path(__file__).parent / "answers.md"
_SLOT = re.compile(r"\{\{\s*(\w+)\s+([\w.-]+)\s*\}\}")


def write(results: Path) -> Path:
    """Write ``README.md`` of the results.

    Args:
        results: Folder of the kept summaries and of the evidence.

    Returns:
        The file.

    Raises:
        ConfigError: the template asks for something that does not exist.
        DataError: a file that it needs is absent or damaged.
    """
    path = results / "README.md"
    write_atomic(path, page(results).encode())
    return path


def page(results: Path, template: str | None = None) -> str:
    """The page's text.

    Args:
        results: As in `write`.
        template: Text with slots; None takes the package's. ``{{answer CLAIM}}`` is a number with its interval and
            what follows from it, ``{{differences NAME}}`` the differences of a laptop tier as a table,
            ``{{protocol NAME}}`` how its runs came about.

    Returns:
        Markdown.

    Raises:
        ConfigError: an unknown kind of slot.
        DataError: a file is absent or damaged.
    """
    text = TEMPLATE.read_text(encoding="utf-8") if template is None else template

    def fill(match: re.Match[str]) -> str:
        kind, name = match.groups()
        if kind == "answer":
            return phrase(evidence.read(results / "evidence" / f"{name}.json"))
        kept = read_summary(results / "experiments" / f"{name}-laptop.json")
        if kind == "differences":
            (table,) = [made for made in render.tables(kept) if made.title.startswith("Difference")]
            return render.markdown_table(table)
        if kind == "protocol":
            rows = [evidence.protocol(kept, setting, list(kept.report.seeds)) for setting in kept.experiment.settings]
            return "\n".join(f"- {setting}: {row}" for setting, row in zip(kept.experiment.settings, rows, strict=True))
        raise ConfigError("template", f"unknown slot {kind!r}; there are: answer, differences, protocol")

    return _SLOT.sub(fill, text)


def phrase(found: Evidence) -> str:
    """A number with its interval, seeds and p-value, and whether its claim is shown.

    Args:
        found: The evidence.

    Returns:
        Words such as ``+0.17 [-0.36, +0.69], p = 0.75, 8 seeds: open``.
    """
    low = float("-inf") if found.at_least is None else found.at_least
    high = float("inf") if found.at_most is None else found.at_most
    if low < found.low and found.high < high:
        word = "shown"
    elif found.high < low or found.low > high:
        word = "the opposite is shown"
    else:
        word = "open"
    p = "" if found.p_value is None else f", p = {found.p_value:.3g}"
    seeds = f", {len(found.seeds)} seeds" if found.seeds else ""
    sign = "+" if found.seeds else ""  # without seeds it is a ratio of times, and no difference
    return f"{found.estimate:{sign}.3g} [{found.low:{sign}.3g}, {found.high:{sign}.3g}]{p}{seeds}: **{word}**"
