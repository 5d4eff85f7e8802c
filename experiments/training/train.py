"""One training run: finished already, taken up again, or begun."""

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
    """Train one network, or go on where an earlier life of the same run was stopped, or return the finished row.

    On a CPU, the result is bitwise the same however often the run was killed.

    Args:
        run: What to run.
        place: Where.
        notify: Is told the progress after each step.

    Returns:
        The finished row, which is on disk.

    Raises:
        BusyError: another process works on the same run.
        CheckpointError: the run's checkpoint is damaged, or of other data.
        ConfigError: the network or the optimizer refuses its options.
        DataError: the data are absent or damaged, or the row is, or it is of other data.
        TeamError: this process of several failed, and the others do not know.
    """
    folder = rows.folder(place.out, run)
    team = teams.team(place.resolve_device())
    with teams.together(), team.holding(folder, wait=10):
        fingerprint = team.agree(lambda: data.fingerprint(run.data, place.data_dir))
        row = team.share(lambda: rows.read(folder, run, fingerprint))
        if row is None:
            if team.leads:
                sweep_temporaries(folder)
            life = (ReinforcementLoop if run.data.name in data.SIMULATED else SupervisedLoop)(run, place, folder, team)
            life.resume()
            row = life.finish(notify)
            if team.leads:
                rows.write(folder, row)
        if team.leads:  # the row is on disk: what was needed to go on is not needed any more
            (folder / "checkpoint.bin").unlink(missing_ok=True)
        # The others may not go on, and look for the row, before it is there.
        return team.share(lambda: row)
