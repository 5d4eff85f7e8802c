"""What the commands share: the console for errors, and the progress of a run of evidence, both on stderr.

Progress is a bar on a terminal, and elsewhere a line at most every ten seconds.
"""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from theory.ledger.running import State

errors = Console(stderr=True, soft_wrap=True, markup=False, highlight=False)  # a message is one line, as it is
EVERY = 10.0
"""Seconds between two lines of a log."""


@contextmanager
def shown() -> Iterator[Callable[[State], None]]:
    """Yields a function that shows how far a run is."""
    if not sys.stderr.isatty():
        yield _Lines().show
        return
    with Progress(
        TextColumn("checking"), BarColumn(), TextColumn("{task.fields[count]}"), TimeElapsedColumn(),
        TextColumn("about"), TimeRemainingColumn(), TextColumn("left: {task.description}"),
        console=errors, transient=True,
    ) as progress:  # fmt: skip
        task = progress.add_task("starting", total=1.0, count="")

        def show(state: State) -> None:
            doing, count = ", ".join(state.running), f"{state.done} of {state.total} claims"
            progress.update(task, completed=state.share, description=doing, count=count)

        yield show


class _Lines:
    """Lines of a log, ten seconds apart."""

    def __init__(self) -> None:
        self.begin = self.last = time.monotonic()

    def show(self, state: State) -> None:
        """One line, if the last one is long enough ago."""
        now = time.monotonic()
        if now - self.last < EVERY:
            return
        self.last = now
        passed = now - self.begin
        left = f", about {passed * (1 / state.share - 1):.0f} s left" if state.share else ""
        doing = ", ".join(state.running)
        sys.stderr.write(f"checked {state.done} of {state.total} claims in {passed:.0f} s{left}; now {doing}\n")
