"""Train real networks: ``python -m experiments COMMAND``.

list the experiments; run or sweep one, or repeat some of its final runs at kept learning rates; fetch data; report on
what is finished, and draw its figures again; compute the evidence and the answers from what is kept; bench one step
of each optimizer.
"""

import sys
from collections.abc import Callable

import tyro

from experiments.cli import console
from experiments.cli.available import Fetch, List
from experiments.cli.bench import Bench
from experiments.cli.report import Answers, Evidence, Figures, Report
from experiments.cli.run import Repeat, Run, Sweep
from experiments.io.errors import BusyError, CheckpointError, ConfigError, DataError, TeamError

_WHOLE = "every file that was written is whole"


def main() -> int:
    """Parse the command line and act on it.

    Returns:
        The exit status: 0, 1 where runs are missing, 2 for a mistake that the user can mend, 130 after Ctrl-C.
    """
    commands: dict[str, Callable] = {
        "list": List,
        "run": Run,
        "repeat": Repeat,
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
    except KeyboardInterrupt:
        console.show_interrupted(command.kept() if hasattr(command, "kept") else _WHOLE)
        return 130


if __name__ == "__main__":
    sys.exit(main())
