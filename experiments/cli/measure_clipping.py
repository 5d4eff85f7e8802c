"""How often a clip acts: train the final runs of kept results again, and record the norm of every step's gradient.

``python -m experiments.cli.measure_clipping NAME`` trains them and writes the shares beside the report. A run that does
not end in the same network as the kept run, bit for bit, is refused: the counted runs are the reported ones.
"""

import dataclasses
import itertools
import json
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
import tyro
from tyro.conf import Positional

from experiments.analysis import kept as summaries
from experiments.analysis.clipping_share import FILE, Share, Shares
from experiments.cli import console, door
from experiments.io import stored
from experiments.io.environment import Environment, versions
from experiments.io.errors import DataError
from experiments.io.files import write_atomic
from experiments.report import outputs
from experiments.runs.plan import Run
from experiments.sweep.repeat import final_runs
from experiments.training.supervised import SupervisedLoop


def measure(run: Run, place: Environment) -> tuple[Share, str]:
    """Train one run and record the norm of every gradient.

    Args:
        run: The run; not of a simulated task.
        place: Where the data are.

    Returns:
        Its share, and the digest of its final network.
    """
    clip = 1.0 if run.training.clip == "none" else float(run.training.clip)
    with tempfile.TemporaryDirectory() as folder:
        session = SupervisedLoop(run, dataclasses.replace(place, checkpoint_seconds=1e9), Path(folder))
        row = session.finish(lambda *_: None)
        lengths = torch.stack(session.norms)
    clipped = float((lengths > clip).double().mean())
    return Share(run.setting, run.label, run.seed, row.steps, clipped, float(lengths.median())), row.weights


def shares(kept: summaries.Summary, place: Environment) -> Shares:
    """Count the clipped steps of every final run of an experiment.

    Args:
        kept: The experiment.
        place: Where the data are.

    Returns:
        The shares.

    Raises:
        DataError: a run ends in another network than the kept one, so it is not the same run.
    """
    found = []
    weights = {(run.setting, run.label, run.seed): run.weights for run in kept.runs}
    for run in itertools.chain.from_iterable(final_runs(kept, kept.experiment, place.data_dir).values()):
        share, digest = measure(run, place)
        if digest != weights[run.setting, run.label, run.seed]:
            raise DataError(f"{run.id} ends in another network than the kept run: report it again, from these versions")
        found.append(share)
    return Shares(tuple(found), versions())


@dataclass(frozen=True)
class Count:
    """Train the kept final runs of an experiment again, and write how many of their steps a clip changed.

    Attributes:
        name: The experiment.
        results: Folder of the kept summaries; the shares go to NAME/clipped.json.
        data_dir: Folder of the data sets; the environment's ALTO_DATA_DIR otherwise.
    """

    name: Positional[str]
    results: Path = Path("results")
    data_dir: Path | None = None

    def writes(self) -> list[Path]:
        """The file of the shares."""
        return [self.results / self.name / FILE]

    def act(self) -> int:
        """Train, count and write."""
        kept = summaries.read(outputs.kept_file(self.results, self.name, "laptop"))
        (path,) = self.writes()
        with tempfile.TemporaryDirectory() as folder:
            found = shares(kept, Environment(Path(folder), self.data_dir, device="cpu"))
        table = stored.sealed(dataclasses.asdict(found))
        lines = ",\n  ".join(map(json.dumps, table.pop("shares")))
        write_atomic(path, f'{json.dumps(table)[:-1]},\n "shares": [\n  {lines}\n]}}\n'.encode())
        console.show_files([path])
        return 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Parse the command line and act on it.

    Args:
        arguments: Of the command line; None takes the process's.

    Returns:
        The exit status.
    """
    return door.act(lambda: tyro.cli(Count, args=arguments, prog="python -m experiments.cli.measure_clipping"))


if __name__ == "__main__":
    sys.exit(main())
