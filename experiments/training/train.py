"""One training run: read if it is finished, resumed if it has a checkpoint, begun otherwise."""

from experiments import data
from experiments.distributed import teams
from experiments.io.environment import Environment
from experiments.io.files import sweep_temporaries
from experiments.runs import rows
from experiments.runs.plan import Run
from experiments.runs.rows import Row
from experiments.training.loop import Notify
from experiments.training.reinforcement import ReinforcementLoop
from experiments.training.supervised import SupervisedLoop


def train(run: Run, place: Environment, notify: Notify = lambda *_: None) -> Row:
    """Train one network, or go on from the checkpoint of a stopped run, or return the finished row.

    On a CPU, the result is bitwise the same however often the run was killed.

    Args:
        run: What to run.
        place: Where.
        notify: Called with the number of steps done, and of all steps, after each step.

    Returns:
        The finished row, which is on disk.

    Raises:
        BusyError: another process works on the same run.
        CheckpointError: the run's checkpoint is damaged, or of other data.
        ConfigError: the network or the optimizer refuses its options.
        DataError: the data are absent or damaged, or the row is, or it is of other data.
        TeamError: this process failed, and the others that share the run cannot know.
    """
    folder = rows.folder(place.out, run)
    team = teams.team(place.resolve_device())
    with teams.together(), team.holding(folder, wait=10):
        fingerprint = team.agree(lambda: data.fingerprint(run.data, place.data_dir))
        row = team.share(lambda: rows.read(folder, run, fingerprint))
        if row is None:
            if team.leads:
                sweep_temporaries(folder)
            loop = (ReinforcementLoop if run.data.name in data.SIMULATED else SupervisedLoop)(run, place, folder, team)
            loop.resume()
            row = loop.finish(notify)
            if team.leads:
                rows.write(folder, row)
        if team.leads:  # the row is on disk: the checkpoint is not needed any more
            (folder / "checkpoint.bin").unlink(missing_ok=True)
        # The others wait here, so that the row is there when they look for it.
        return team.share(lambda: row)
