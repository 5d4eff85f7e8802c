"""Two processes that share runs, and what becomes of both when one of them fails. Started by ``torchrun``.

Each writes what it has met into a file of its own, and saves the weights that the two have trained.
"""

import dataclasses
import json
import sys
from pathlib import Path

import torch
import torch.distributed as dist

from experiments.config import catalog
from experiments.config.schema import Experiment
from experiments.distributed import teams
from experiments.distributed.sharding import whole
from experiments.distributed.teams import Team
from experiments.io.environment import Environment
from experiments.io.errors import DataError
from experiments.io.files import locked
from experiments.runs import plan, rows
from experiments.sweep import pool
from experiments.sweep.pool import Workers
from experiments.training.supervised import SupervisedLoop
from experiments.training.train import train


class Odd(Exception):
    """It cannot be sent."""

    def __reduce__(self):
        raise TypeError


def weights(experiment: Experiment, place: Environment, team: Team, steps: int = 12) -> torch.Tensor:
    """Train with augmentation, micro-batches of uneven number and clipping, without dropout and with frozen norms."""
    run = plan.final_runs(experiment, plan.Cell("small", "ALTO"), 0.05, 160)[0]
    run = dataclasses.replace(
        run,
        data=dataclasses.replace(run.data, augment=True),
        model=dataclasses.replace(run.model, options={"widths": [4, 8]}),
        training=dataclasses.replace(run.training, batch_size=37, microbatch=9, clip=0.5),
    )
    session = SupervisedLoop(run, place, place.out, team)
    for module in session.model.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.eval()
    for _ in range(steps):
        session.advance()
    return torch.cat([whole(p.detach()).flatten() for p in session.model.parameters()])


def words(action) -> str:
    try:
        action()
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return "nothing"


def main(folder: Path) -> None:
    available = torch.cuda.is_available
    torch.cuda.is_available = lambda: True  # there is a GPU, and nobody asks for it
    place = Environment(folder / "out", device="cpu")
    team = teams.team(place.resolve_device())
    torch.cuda.is_available = available
    rank = team.rank
    said: dict[str, object] = {"backend": dist.get_backend()}

    def fail_on_the_leader() -> None:
        raise DataError("the leader has none" if rank == 0 else "it ran elsewhere")

    def fail_elsewhere() -> None:
        if rank == 1:
            raise Odd("process 1")

    def hold() -> None:
        with team.holding(folder / "held"):
            pass

    said["share"] = words(lambda: team.share(fail_on_the_leader))
    said["agree"] = words(lambda: team.agree(fail_elsewhere))
    with locked(folder / "held") if rank == 0 else locked(folder / "other"):
        said["holding"] = words(hold)

    experiment = catalog.load(str(folder / "tiny.toml"))
    for kind in ("ddp", "fsdp2"):
        trained = weights(experiment, dataclasses.replace(place, parallel=kind), team)
        if rank == 0:
            torch.save(trained, folder / f"{kind}.pt")

    runs = plan.tuning_runs(experiment, plan.Cell("small", "LAMB"), 160)
    if rank == 0:
        file = rows.folder(place.out, runs[0]) / "checkpoint.bin"
        file.parent.mkdir(parents=True)
        file.write_text("nonsense")
    dist.barrier()
    outcome = pool.execute(runs, place, Workers(1), lambda _: None)
    said["damaged"] = {"runs": [run.id for run in runs], "rows": list(outcome.rows), "failures": outcome.failures}
    (folder / f"{rank}.json").write_text(json.dumps(said))

    def unlucky(done: int, _total: int) -> None:
        if rank == 1 and done == 2:
            raise RuntimeError("no luck")

    (last,) = plan.final_runs(experiment, plan.Cell("small", "LAMB"), 0.05, 160)[:1]
    pool.train = lambda run, where, _notify: train(run, where, unlucky)
    pool.execute([last], place, Workers(1), lambda _: None)
    (folder / "passed").touch()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
