"""The numbers that the paper prints, read from results/published.json, and the arithmetic on them.

``python -m experiments evidence`` writes the file from ``experiments/analysis/published.toml``.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from statistics import mean, median

from theory.ledger.stored import read

FILE = Path(__file__).resolve().parents[3] / "results" / "published.json"
LARGE = 1000
"""The batch size from which the paper takes its setting for large batches."""
HEADLINE = 2.5
"""What the abstract says that ALTO gains, in percent."""


@dataclass(frozen=True)
class Row:
    """One row of a table.

    Attributes:
        source: the table.
        what: network, data and batch.
        setting: a short name of it.
        batch: batch size; 0 where none is given.
        n: number of test examples; 0 where the number is no accuracy.
        unit: of the numbers.
        values: a number per optimizer.
    """

    source: str
    what: str
    setting: str
    batch: int
    n: int
    unit: str
    values: dict[str, float]

    def lead(self, rival: str = "", of: str = "ALTO") -> float:
        """Points by which one optimizer is above a rival; without a name, above the best of all others."""
        others = [value for label, value in self.values.items() if label != of]
        return self.values[of] - (self.values[rival] if rival else max(others))

    def error(self, label: str) -> float:
        """Standard error of an accuracy, in points, from the number of test examples: sqrt(p (1 - p) / n).

        Averaging several runs does not shrink it: they are tested on the same examples.

        Raises:
            ValueError: the number is no accuracy.
        """
        if not self.n:
            raise ValueError(f"{self.what} in {self.unit} is no accuracy on n examples: it has no such error")
        share = self.values[label] / 100
        return 100 * math.sqrt(share * (1 - share) / self.n)

    def lead_error(self, rival: str, of: str = "ALTO") -> float:
        """Standard error of a lead as if the two were tested on different examples: at most that of shared ones."""
        return math.hypot(self.error(of), self.error(rival))

    def best_rival(self) -> str:
        """The best optimizer but ALTO."""
        return max((label for label in self.values if label != "ALTO"), key=self.values.__getitem__)


@cache
def rows() -> tuple[Row, ...]:
    """All rows of the file."""
    return tuple(Row(**row) for row in read(FILE))


def one(source: str, batch: int, text: str = "") -> Row:
    """The row of a table at a batch size whose description contains a text.

    Raises:
        ValueError: there is not exactly one.
    """
    found = [row for row in rows() if row.source == source and row.batch == batch and text in row.what]
    if len(found) != 1:
        raise ValueError(f"{FILE.name} has {len(found)} rows of {source} at batch {batch} with {text!r}; one is needed")
    return found[0]


def large_batch() -> list[Row]:
    """The rows in percent at large batch that compare ALTO with LAMB.

    Table 7 is left out: it is an ablation of one of these rows.
    """
    return [
        row
        for row in rows()
        if row.unit == "%" and row.batch >= LARGE and {"ALTO", "LAMB"} <= set(row.values) and row.source != "Table 7"
    ]


@dataclass(frozen=True)
class Average:
    """ALTO's lead over a rival, averaged over rows: in points, and in percent of the rival's number."""

    points: float
    median_points: float
    percent: float
    median_percent: float

    def named(self) -> dict[str, float]:
        """The four numbers by name."""
        return {
            "mean points": self.points,
            "median points": self.median_points,
            "mean %": self.percent,
            "median %": self.median_percent,
        }

    def words(self) -> str:
        """The four numbers in words."""
        return (
            f"mean {self.points:.2f} points or {self.percent:.2f} %, "
            f"median {self.median_points:.2f} points or {self.median_percent:.2f} %"
        )


def average(some: Sequence[Row], rival: str = "") -> Average:
    """The averages over some rows; without a name, over each row's best rival."""
    points = [row.lead(rival) for row in some]
    percent = [100 * row.lead(rival) / (row.values["ALTO"] - row.lead(rival)) for row in some]
    return Average(mean(points), median(points), mean(percent), median(percent))


def list_of(numbers: Iterable[float], sign: str = "") -> str:
    """Numbers with two decimals, in a row."""
    return ", ".join(f"{number:{sign}.2f}" for number in numbers)
