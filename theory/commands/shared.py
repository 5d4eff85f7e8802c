"""What the commands share: the console for errors, and the evidence computed behind a progress bar."""

from collections.abc import Sequence

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from theory.ledger.claim import Claim, Entry, entries
from theory.ledger.evidence import Effort

errors = Console(stderr=True)


def compute(chosen: Sequence[Claim], effort: Effort) -> list[Entry]:
    """Run the evidence of these claims; a spinner on stderr names the one that runs."""
    with Progress(
        SpinnerColumn(), TextColumn("{task.completed}/{task.total} {task.description}"), TimeElapsedColumn(),
        console=errors, transient=True,
    ) as progress:  # fmt: skip
        task = progress.add_task("", total=len(chosen))
        ledger = []
        for entry in entries(chosen, effort, starting=lambda claim: progress.update(task, description=claim.id)):
            ledger.append(entry)
            progress.advance(task)
        return ledger
