"""Train real networks: ``python -m experiments COMMAND``.

list, run and sweep experiments; fetch data; report on what is finished, and draw figures of it again; compute the
evidence and the answers from what is kept; bench a step of the optimizers.
"""

import sys
from collections.abc import Callable

import tyro

from experiments.cli import console
from experiments.cli.bench import Bench
from experiments.cli.report import Answers, Evidence, Figures
from experiments.cli.run import Fetch, List, Report, Run, Sweep
from experiments.io.errors import BusyError, CheckpointError, ConfigError, DataError, TeamError


def main() -> int:
    """Parse the command line and act on it."""
    commands: dict[str, Callable] = {
        "list": List,
        "run": Run,
        "sweep": Sweep,
        "fetch": Fetch,
        "report": Report,
        "figures": Figures,
        "evidence": Evidence,
        "answers": Answers,
        "bench": Bench,
    }
    command = tyro.extras.subcommand_cli_from_dict(commands, prog="python -m experiments", description=__doc__)
    try:
        return command.act()
    except (ConfigError, DataError, CheckpointError, BusyError, TeamError) as error:
        console.show_error(error)
        return 2


if __name__ == "__main__":
    sys.exit(main())
