"""The commands that read results: reports, figures, evidence for the ledger, and the page of the answers."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg

from experiments.cli import console
from experiments.cli.which import Which
from experiments.config import catalog
from experiments.config.schema import Tier
from experiments.io.errors import DataError
from experiments.io.files import accept, check, inside, together


@dataclass(frozen=True)
class Report:
    """Print means with 95 % t-intervals, paired differences and time to accuracy, and write tables and figures.

    Attributes:
        which: The experiment, with the same changes that it was run with.
        results: Write the summary to this folder too, as experiments/NAME-TIER.json; tables and figures go to NAME/.
    """

    which: Annotated[Which, arg(name="")]
    results: Path | None = None

    def writes(self) -> list[Path]:
        """Its files, by those that are always there."""
        from experiments.report.outputs import kept_file, shown

        experiment = self.which.load()
        files = [self._folder() / "report.md"]
        if self.results is not None:
            files.append(kept_file(self.results, experiment.name, experiment.tier))
            files.append(shown(self.results, experiment) / "report.md")
        return files

    def act(self) -> int:
        """Report on what is finished."""
        from experiments.analysis import kept
        from experiments.io.environment import Environment
        from experiments.report import outputs
        from experiments.sweep import runner

        experiment = self.which.load()
        place = Environment(self.which.folder(experiment), self.which.data_dir)
        self.which.check(place.out)
        results = runner.collect(experiment, place)
        console.show_failures(results.failures)
        if not any(results.rows.values()):
            raise DataError(f"{place.out} has no finished runs of this configuration; first: run {self.which.words()}")
        made = kept.summarise(results, catalog.source(self.which.name))
        with together():
            files = outputs.write(made, self._folder())
            if self.results is not None:
                there = outputs.kept_file(self.results, experiment.name, experiment.tier)
                if there.exists():
                    catalog.check_source(kept.read(there).source, self.which.name, there)
                files += outputs.keep(made, self.results)
        console.show_report(made, files)
        return 0

    def _folder(self) -> Path:
        return self.which.folder(self.which.load()) / "report"


@dataclass(frozen=True)
class Figures:
    """Draw the figures of kept summaries; nothing is trained and no run is needed.

    Attributes:
        name: An experiment; empty means all that are kept, and the stored benchmarks.
        tier: Its tier.
        results: Folder of the kept summaries.
        out: Folder of the figures.
        keep: Write figures and tables into ``results`` instead, in place of the committed ones.
    """

    name: Positional[str] = ""
    tier: Tier = "laptop"
    results: Path = Path("results")
    out: Path = Path("runs/figures")
    keep: bool = False

    def writes(self) -> list[Path]:
        """One file of each folder that it writes to."""
        return [inside(self.results if self.keep else self.out, self.name or "bench") / "curves.png"]

    def act(self) -> int:
        """Read and draw."""
        from experiments.analysis import kept
        from experiments.cli import console
        from experiments.report import outputs
        from experiments.report.figures import draw

        _there(self.results)
        one = outputs.kept_file(self.results, self.name, self.tier)
        paths = [one] if self.name else sorted(one.parent.glob(f"[!.]*-{self.tier}.json"))
        for path in paths:
            made = kept.read(path)
            with together():
                files = outputs.show(made, self.results) if self.keep else draw.draw(made, self.out / path.stem)
            console.show_files(files)
        if not self.name:
            console.show_files(_benchmarks(self.results, (self.results if self.keep else self.out) / "bench"))
        return 0


def _there(results: Path) -> None:
    """Refuse a folder of results that is none, rather than find nothing in it."""
    if not (results / "experiments").is_dir():
        raise DataError(f"{results} has no folder experiments with kept summaries: name the folder of the results")


def _benchmarks(results: Path, folder: Path) -> list[Path]:
    """Draw the stored benchmarks that have a figure."""
    from experiments.analysis import benchmarks
    from experiments.bench import figure
    from experiments.report.figures import draw

    stored = {kind: report for kind, report in benchmarks.read(results / "bench").items() if kind in figure.KINDS}
    return [
        path for kind, report in stored.items() for path in draw.write(figure.draw(report), folder, f"bench-{kind}")
    ]


@dataclass(frozen=True)
class Evidence:
    """Compute the evidence of kept summaries and copy the paper's numbers; nothing is trained and no run is needed.

    Attributes:
        name: An experiment; empty means all that have a kept summary.
        results: Folder of the kept summaries; the evidence is written to its evidence/.
    """

    name: Positional[str] = ""
    results: Path = Path("results")

    def writes(self) -> list[Path]:
        """One file of the folder."""
        return [self.results / "evidence" / "x.json"]

    def act(self) -> int:
        """Compute and write; a question without a kept summary is named."""
        from experiments.analysis import evidence, published

        _there(self.results)
        with together():
            files, absent = evidence.write(self.results, self.name)
            files = [*files, published.write(self.results)]
        console.show_files(files)
        console.show_absent(absent)
        return 0


@dataclass(frozen=True)
class CheckResults:
    """Compare the files of results with the digests in SHA256SUMS, which the commands that write results keep.

    A file that was changed by hand, or is absent or new, is named, and the exit code is 1. Files of rows (.jsonl) are
    left out: each row has its own digest. ``sha256sum -c`` in the folder compares, too.

    Attributes:
        results: The folder.
        accept: Make the digests those of the files as they are now.
    """

    results: Path = Path("results")
    accept: bool = False

    def act(self) -> int:
        """Compare or accept."""
        if self.accept:
            accept(self.results)
        found = check(self.results)
        console.show_differing(found, self.results)
        return int(bool(found))


@dataclass(frozen=True)
class Answers:
    """Write README.md of the results and its pictures: every number comes from the kept evidence.

    Attributes:
        results: Folder of the evidence.
    """

    results: Path = Path("results")

    def writes(self) -> list[Path]:
        """The page."""
        return [self.results / "README.md"]

    def act(self) -> int:
        """Fill the template and write."""
        from experiments.report import answers
        from experiments.report.figures import draw, lead, waterfall

        if not (rows := lead.rows(self.results)):
            raise DataError(f"{self.results} has no summary that compares ALTO with LAMB: name the kept ones' folder")
        with together():
            files = [answers.write(self.results), *draw.write(lead.draw(rows), self.results, lead.NAME)]
            if (parts := waterfall.parts(self.results)) is not None:
                files += draw.write(waterfall.draw(parts), self.results, waterfall.NAME)
        console.show_files(files)
        return 0
