"""Where each measured row goes while the training runs: any function of one dict, and three ready ones."""

import csv
from pathlib import Path
from types import TracebackType
from typing import Any

COLUMNS = ("step", "gradient", "G", "D", "variance", "L", "curvature", "x", "threshold")


class CSV:
    """A line per measured row, written at once, so that a killed run keeps its rows.

    Args:
        path: the file; it must not exist yet, so that no other run's rows are lost.
    """

    def __init__(self, path: str | Path) -> None:
        self._file = Path(path).open("x", newline="", encoding="utf-8", buffering=1)  # noqa: SIM115 - closed in close
        self._writer: csv.DictWriter[str] = csv.DictWriter(self._file, COLUMNS)
        self._writer.writeheader()

    def __call__(self, row: dict[str, float]) -> None:
        """Write a row; what was not measured stays empty."""
        self._writer.writerow(row)

    def close(self) -> None:
        """Close the file."""
        self._file.close()


class TensorBoard:
    """Scalars ``watch/NAME`` per measured row.

    Args:
        writer: torch's SummaryWriter, or anything with ``add_scalar(tag, value, step)``.
    """

    def __init__(self, writer: Any) -> None:
        self._writer = writer

    def __call__(self, row: dict[str, float]) -> None:
        """Write a row."""
        for name, value in row.items():
            if name != "step":
                self._writer.add_scalar(f"watch/{name}", value, int(row["step"]))


class Live:
    """A table in the terminal that shows the last row; needs rich. Use it in a ``with`` block or call ``close``."""

    def __init__(self, console: Any = None) -> None:
        from rich.live import Live as Shown

        self._shown = Shown(console=console, auto_refresh=False)
        self._shown.start()

    def __call__(self, row: dict[str, float]) -> None:
        """Show a row."""
        from rich.table import Table

        table = Table(*row)
        table.add_row(*(f"{value:.4g}" for value in row.values()))
        self._shown.update(table, refresh=True)

    def close(self) -> None:
        """Leave the last table as it is."""
        self._shown.stop()

    def __enter__(self) -> "Live":
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()
