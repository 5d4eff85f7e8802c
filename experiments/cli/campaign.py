"""The command that does a list of commands within a time limit."""

from dataclasses import dataclass
from pathlib import Path

from tyro.conf import Positional

from experiments.cli import console


@dataclass(frozen=True)
class Campaign:
    """Do a list of commands in the order of their value within a time limit; the next call goes on.

    Attributes:
        name: The campaign: gpu, headline (the experiments on the abstract's 2.5 %), or a TOML file with its steps.
        minutes: Time limit of this call.
        out: Folder of the logs and outcomes, OUT/campaign-NAME. Each step's own arguments say where its results go.
    """

    name: Positional[str] = "gpu"
    minutes: float = 25.0
    out: Path = Path("runs")

    def writes(self) -> list[Path]:
        """The file of the outcomes."""
        return [self._folder() / "campaign.json"]

    def act(self) -> int:
        """Do them; the exit status is 1 while a step is not finished."""
        from experiments.sweep import campaign

        steps = campaign.load(self.name)
        outcomes = campaign.run(steps, self._folder(), 60 * self.minutes, console.show_step)
        finished = [outcome for outcome in outcomes if outcome.state == "finished"]
        console.show_campaign(len(finished), len(steps.step), self._folder())
        return 0 if len(finished) == len(steps.step) else 1

    def _folder(self) -> Path:
        return self.out / f"campaign-{Path(self.name).stem}"

    def kept(self) -> str:
        """What an interruption leaves."""
        return f"outcomes and logs are in {self._folder()}; the same command goes on"
