"""Train real networks: ``python -m experiments COMMAND``.

list the experiments; plan how many seeds a lead needs; run or sweep one, or repeat some of its final runs at kept
learning rates; carry finished rows to another machine; do a campaign of commands within a time limit; fetch data;
report on what is finished, and draw its figures again; compute the evidence and the answers from what is kept; bench
one step of each optimizer.
"""

import dataclasses
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import tyro

from experiments.cli import console
from experiments.cli.available import Fetch, List
from experiments.cli.bench import Bench
from experiments.cli.campaign import Campaign
from experiments.cli.plan import Plan
from experiments.cli.report import Answers, Evidence, Figures, Report
from experiments.cli.run import Repeat, Rows, Run, Sweep
from experiments.io.errors import BusyError, CheckpointError, ConfigError, DataError, TeamError

T = TypeVar("T")
_WHOLE = "every file that was written is whole"


def main() -> int:
    """Parse the command line and act on it.

    Returns:
        The exit status: 0, 1 where runs are missing, 2 for a mistake that the user can mend, 130 after Ctrl-C.
    """
    commands: dict[str, Callable] = {
        "list": List,
        "plan": Plan,
        "run": Run,
        "repeat": Repeat,
        "sweep": Sweep,
        "rows": Rows,
        "campaign": Campaign,
        "fetch": Fetch,
        "report": Report,
        "figures": Figures,
        "evidence": Evidence,
        "answers": Answers,
        "bench": Bench,
    }
    command = tyro.extras.subcommand_cli_from_dict(commands, prog="python -m experiments", description=__doc__)
    try:
        command = with_home(command)
        return command.act()
    except (ConfigError, DataError, CheckpointError, BusyError, TeamError) as error:
        console.show_error(error)
        return 2
    except BrokenPipeError:  # the reader of a pipe, such as head, has what it wanted
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except OSError as error:
        console.show_error(ConfigError(unusable(error), "mend it, or name another place"))
        return 2
    except KeyboardInterrupt:
        console.show_interrupted(command.kept() if hasattr(command, "kept") else _WHOLE)
        return 130


def with_home(command: T) -> T:
    """A command whose paths have the home folder in place of ``~``, which a shell leaves as it is in ``--out=~/runs``.

    Raises:
        ConfigError: there is no such user.
    """
    found = {}
    for field in dataclasses.fields(command):  # type: ignore[arg-type]
        value = getattr(command, field.name)
        if isinstance(value, Path):
            try:
                found[field.name] = value.expanduser()
            except RuntimeError as error:
                raise ConfigError(f"{value}", f"{error} Write the folder in full") from None
        elif dataclasses.is_dataclass(value):
            found[field.name] = with_home(value)
    return dataclasses.replace(command, **found)  # type: ignore[type-var]


def unusable(error: OSError) -> str:
    """Which file cannot be read or written, and why, in the system's words."""
    place = error.filename2 or error.filename
    return f"{place} cannot be used ({error.strerror})" if place else f"{error}"


if __name__ == "__main__":
    sys.exit(main())
