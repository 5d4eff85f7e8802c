"""The commands that say what there is to run, and fetch its data."""

from dataclasses import dataclass
from pathlib import Path

from tyro.conf import Positional

from experiments.cli import console
from experiments.config import catalog


@dataclass(frozen=True)
class List:
    """Show the experiments."""

    def act(self) -> int:
        """Print them."""
        console.show_list([(name, catalog.load(name)) for name in catalog.names()])
        return 0


@dataclass(frozen=True)
class Fetch:
    """Download a data set into the data folder, checked against its published checksum.

    Attributes:
        name: The data set: cifar10, cifar100, tinyshakespeare, mrpc or imdb.
        data_dir: The data folder; the environment's ALTO_DATA_DIR otherwise.
    """

    name: Positional[str]
    data_dir: Path | None = None

    def writes(self) -> list[Path]:
        """What it downloads."""
        from experiments.data.fetch import target

        return [path] if not (path := target(self.name, self.data_dir)).exists() else []

    def act(self) -> int:
        """Fetch what is not there."""
        from experiments.data.fetch import fetch

        console.show_files([fetch(self.name, self.data_dir)])
        return 0
