"""Which experiment a command is about."""

import shlex
from dataclasses import dataclass
from pathlib import Path

from tyro.conf import Positional, UseAppendAction

from experiments.config import catalog
from experiments.config.schema import Experiment, Tier
from experiments.io import stored
from experiments.io.files import write_json

_SOURCE = "source.json"


@dataclass(frozen=True)
class Which:
    """Which experiment, and where its outputs lie.

    Attributes:
        name: The experiment; `list` shows them all.
        tier: Sizes: laptop (minutes), gpu (one GPU), or paper (the paper's own data, networks and epochs).
        set: A change as key=value, for example --set training.epochs=3; may be repeated. It becomes part of the name,
            NAME+training.epochs=3: a changed experiment has its own folders.
        out: Folder of the outputs; the experiment writes to OUT/NAME/TIER.
        data_dir: Folder of the data sets; the environment's ALTO_DATA_DIR otherwise. The digits need none.
    """

    name: Positional[str]
    tier: Tier = "laptop"
    set: UseAppendAction[tuple[str, ...]] = ()
    out: Path = Path("runs")
    data_dir: Path | None = None

    def load(self) -> Experiment:
        """The experiment, checked."""
        return catalog.load(self.name, self.tier, self.set)

    def folder(self, experiment: Experiment) -> Path:
        """Where this experiment's outputs lie."""
        return self.out / experiment.name / experiment.tier

    def claim(self, folder: Path) -> None:
        """Note in a folder of outputs which file they are of, unless it says so already.

        Raises:
            ConfigError: they are of another file of the same name.
        """
        if not self.check(folder) and (source := catalog.source(self.name)):
            write_json(folder / _SOURCE, {"file": source})

    def check(self, folder: Path) -> bool:
        """Whether a folder of outputs says which file it is of, and that one exists.

        Raises:
            ConfigError: it is another file of the same name.
        """
        try:
            with stored.own(folder / _SOURCE):
                there = str(stored.read(folder / _SOURCE)["file"])
        except FileNotFoundError:
            return False
        catalog.check_source(there, self.name, folder)
        return Path(there).is_file()

    def words(self) -> str:
        """The same choice on a command line."""
        tier = [] if self.tier == "laptop" else ["--tier", self.tier]
        changes = [word for change in self.set for word in ("--set", change)]
        out = [] if self.out == Path("runs") else ["--out", str(self.out)]
        return shlex.join([self.name, *tier, *changes, *out])
