"""The commands about what is kept: figures, evidence for the ledger, and the page that answers the questions."""

from dataclasses import dataclass
from pathlib import Path

from tyro.conf import Positional

from experiments.config.schema import Tier


@dataclass(frozen=True)
class Figures:
    """Draw the figures of kept summaries; nothing is trained and no run is needed.

    Attributes:
        name: The experiment.
        tier: Its tier.
        results: Folder of the kept summaries.
        out: Folder of the figures.
    """

    name: Positional[str]
    tier: Tier = "laptop"
    results: Path = Path("results")
    out: Path = Path("runs/figures")

    def act(self) -> int:
        """Read and draw."""
        from experiments.analysis import kept
        from experiments.cli import console
        from experiments.report import outputs
        from experiments.report.figures import draw

        made = kept.read(outputs.kept_file(self.results, self.name, self.tier))
        console.show_files(draw.draw(made, self.out / f"{self.name}-{self.tier}"))
        return 0


@dataclass(frozen=True)
class Evidence:
    """Compute the evidence of kept summaries; nothing is trained and no run is needed.

    Attributes:
        name: An experiment; empty means all that have a kept summary.
        results: Folder of the kept summaries; the evidence is written to its evidence/.
    """

    name: Positional[str] = ""
    results: Path = Path("results")

    def act(self) -> int:
        """Compute and write; a question without a kept summary is named."""
        from experiments.analysis import evidence
        from experiments.cli import console

        files, absent = evidence.write(self.results, self.name)
        console.show_files(files)
        console.show_absent(absent)
        return 0


@dataclass(frozen=True)
class Answers:
    """Write README.md of the results: the questions and their answers, every number from the kept evidence.

    Attributes:
        results: Folder of the evidence.
    """

    results: Path = Path("results")

    def act(self) -> int:
        """Fill the template and write."""
        from experiments.cli import console
        from experiments.report import answers

        console.show_files([answers.write(self.results)])
        return 0
