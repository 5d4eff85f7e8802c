"""Pages made from ``results/`` before the build starts: figures, rates, worst cases, experiments. No number is typed.

They are written to ``docs/generated/``, whose Markdown files are read like any other page.
"""

import re
import shutil
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx
from sphinx.util import logging

from docs.extensions import kernel_page, rates_page, worst_case_page
from docs.extensions.markdown import figure
from docs.extensions.sources import page_name
from theory.ledger.provenance import ROOT

RESULTS = ROOT / "results"
# The stored results of each page, and the command that makes them.
_NEEDS = {
    "rates/rows.parquet": rates_page.COMMAND,
    "worst-case/summary.json": worst_case_page.COMMAND,
    "digits/report.md": "python -m experiments report digits --results results",
    "README.md": "python -m experiments answers",
}

logger = logging.getLogger(__name__)


def write_pages(app: Sphinx) -> None:
    """Write all generated pages afresh.

    Raises:
        FileNotFoundError: stored results are missing; the message names the command that makes them.
    """
    for name, command in _NEEDS.items():
        if not (RESULTS / name).is_file():
            raise FileNotFoundError(f"results/{name} is missing: run `{command}`")
    folder = Path(app.srcdir) / "generated"
    shutil.rmtree(folder, ignore_errors=True)
    _experiments(folder)
    for name, write in (
        ("figures/index", _figures), ("rates", rates_page.write), ("worst-case", worst_case_page.write),
        ("kernel", kernel_page.write),
    ):  # fmt: skip
        text = write(folder)
        (folder / f"{name}.md").write_text(text)


def _figures(folder: Path) -> str:
    """The gallery of the theory's figures, with the files that it shows."""
    from theory import figures
    from theory.figures import gallery

    source = RESULTS / "figures"
    shutil.copytree(source, folder / "figures", ignore=shutil.ignore_patterns("*.md"))
    for name in gallery.stale(source, RESULTS):
        logger.warning(
            "results/figures/%s was drawn from other data: run `python -m theory figures %s`", name, name, type="stale"
        )
    page = """# Figures of the theory

Each is drawn from stored studies, by the command below it. Lines are theory, dots are data, and bands or bars are 95 %
intervals over the seeds unless the figure says otherwise. [Your own parameters, width and style](../../use/figures.md).
"""
    for name in figures.ALL:
        drawing = gallery.about(name)
        reads = ", ".join(map(_link, drawing.STUDIES))
        page += f"""
({name})=
## {drawing.TITLE}

{drawing.SEE}

{figure(drawing.TITLE, name, folder="")}

```sh
python -m theory figures {name}
```

```python
from theory import figures

figures.{name.replace("-", "_")}().savefig("{name}.pdf")
```

[PDF]({name}.pdf). Reads {reads}.
"""
    return page


def _link(study: str) -> str:
    """A link to where a study is shown: its page, or else the source that computes it."""
    if study.startswith("rates/"):
        return f"[{study}](../rates.md#rates-{study.removeprefix('rates/')})"
    if study.startswith("worst-case/"):
        return f"[{study}](../worst-case.md)"
    # Source pages are no documents of Sphinx, so the link is HTML; docs.extensions.links checks it.
    page = page_name(f"theory/studies/{study.replace('-', '_')}.py")
    return f'<a href="../../{page}.html">{study}</a>'


def _experiments(folder: Path) -> None:
    """The committed report of each experiment with its pictures, and the answers drawn from all of them."""
    for report in sorted(RESULTS.glob("*/report.md")):
        place = folder / "experiments" / report.parent.name
        place.mkdir(parents=True)
        pictures = sorted(report.parent.glob("*.png"))
        for picture in pictures:
            shutil.copy(picture, place)
        text = report.read_text()
        shown = [f"![{picture.stem}]({picture.name})" for picture in pictures if f"]({picture.name})" not in text]
        (place / "report.md").write_text("\n\n".join([text, *(["## Figures", *shown] if shown else []), ""]))
    answers = (RESULTS / "README.md").read_text().replace("# Results", "# Answers", 1)
    for picture in re.findall(r"\]\(([^):]+\.png)\)", answers):
        target = folder / "experiments" / picture
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(RESULTS / picture, target)
    (folder / "experiments" / "answers.md").write_text(answers)


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect to Sphinx."""
    app.connect("builder-inited", write_pages)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
