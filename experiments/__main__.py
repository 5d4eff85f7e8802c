"""Train real networks: ``python -m experiments COMMAND``.

list the experiments; plan how many seeds a lead needs; run or sweep one, or repeat some of its final runs at kept
learning rates; carry finished rows to another machine; do a campaign of commands within a time limit; fetch data;
report on what is finished, and draw its figures again; compute the evidence and the answers from what is kept; check
that no result was changed by hand; bench one step of each optimizer.
"""

import os
import sys
from collections.abc import Callable

import tyro

from experiments.cli import entry
from experiments.cli.available import Fetch, List
from experiments.cli.bench import Bench
from experiments.cli.campaign import Campaign
from experiments.cli.plan import Plan
from experiments.cli.report import Answers, CheckResults, Evidence, Figures, Report
from experiments.cli.run import Repeat, Rows, Run, Sweep


def main() -> int:
    """Parse the command line and act on it.

    Returns:
        The exit status, as `entry.act` has it.
    """
    os.environ["MPLBACKEND"] = "agg"  # files are drawn; a notebook's or a wrong one would fail at the import
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
        "check-results": CheckResults,
        "bench": Bench,
    }
    return entry.act(
        lambda: tyro.extras.subcommand_cli_from_dict(commands, prog="python -m experiments", description=__doc__)
    )


if __name__ == "__main__":
    sys.exit(main())
