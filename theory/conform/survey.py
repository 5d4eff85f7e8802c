"""The contract over the optimizers of several packages: a committed table of who keeps what.

``python -m theory conform --survey --out results/contract`` runs it and writes that folder; without ``--out`` it writes
``runs/theory/contract``. Rows of a package that is not installed stay as they are stored, and the table says so.
"""

import importlib
import importlib.metadata
import inspect
import io
import json
import os
import platform
import signal
import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch

from theory.conform import parts, suite
from theory.ledger import files, provenance, stored
from theory.rates import user_code

PACKAGES = {
    "torch": "torch.optim", "pytorch_optimizer": "pytorch_optimizer", "heavyball": "heavyball",
    "schedulefree": "schedulefree", "timm": "timm.optim", "alto": "alto",
}  # fmt: skip
"""The distributions, and the modules whose optimizers are tested."""

FOLDER = provenance.ROOT / "results" / "contract"
LOCAL = provenance.RUNS / "theory" / "contract"
"""Of the committed table, and of any other."""
STORE, TABLE = "contract.json", "table.md"
BUDGET, SEED, SECONDS = 2, 0, 30
"""Problems per part, the seed of the draws, and the processor time that one optimizer may take."""
RATE = 0.01
DIMS = ((0, 1, 2), (1, 2), (2,))
"""The numbers of dimensions that are tried: some optimizers take matrices alone."""


class _TooLongError(BaseException):
    """Not an Exception: no part of the contract may catch it."""


def write(folder: Path, *, budget: int = BUDGET, packages: Mapping[str, str] = PACKAGES) -> Iterator[str]:
    """Run the contract and write the rows and the table.

    Args:
        folder: where; rows of other packages that lie there stay.
        budget: problems per part.
        packages: by distribution, the module.

    Yields:
        A sentence per package, when its rows are written.
    """
    store = folder / STORE
    files.ready(store)
    known = read(folder)
    for distribution, module in packages.items():
        begin = time.monotonic()
        try:
            version = _version(distribution)
            found = importlib.import_module(module)
        except (ImportError, importlib.metadata.PackageNotFoundError) as error:
            if distribution in known:
                known[distribution]["installed"] = False
            kept = "its stored rows stay" if distribution in known else "it has no rows"
            yield f"{distribution} cannot be imported ({error}; pip install {distribution}): {kept}"
        else:
            rows = [_row(name, cls, budget) for name, cls in _optimizers(found)]
            known[distribution] = {
                "version": version, "module": module, "installed": True, "budget": budget, "seed": SEED,
                "computed": datetime.now(UTC).isoformat(timespec="seconds"), "torch": torch.__version__,
                "python": platform.python_version(), "processor": platform.processor() or platform.machine(),
                "wall_s": round(time.monotonic() - begin, 1), "rows": rows,
            }  # fmt: skip
            yield f"{distribution} {version}: {len(rows)} optimizers in {known[distribution]['wall_s']:.0f} s"
        if known:
            files.write(store, json.dumps(known, indent=1, ensure_ascii=False) + "\n")
            files.write(folder / TABLE, table(known))


def read(folder: Path) -> dict[str, Any]:
    """The stored rows by distribution; none where nothing is stored."""
    store = folder / STORE
    return stored.read(store) if store.exists() else {}


def _version(distribution: str) -> str:
    return importlib.metadata.version({"alto": "alto-optim"}.get(distribution, distribution))


def _optimizers(module: Any) -> list[tuple[str, Any]]:
    """The optimizer classes of a module by their names, each class once."""
    if module.__name__ == "heavyball":  # it compiles its steps, which takes minutes per optimizer on a CPU
        module.utils.compile_mode = None
    found: dict[Any, str] = {}
    for name, value in sorted(vars(module).items()):
        if inspect.isclass(value) and issubclass(value, torch.optim.Optimizer) and value is not torch.optim.Optimizer:
            found.setdefault(value, name)
    return [(name, cls) for cls, name in found.items()]


def _row(name: str, cls: Any, budget: int) -> dict[str, Any]:
    """One optimizer: which parts it keeps, or why it cannot be judged."""
    kwargs = _arguments(cls)
    row: dict[str, Any] = {"optimizer": name, "kwargs": kwargs}

    def make(params: Any) -> Any:
        return cls(params, **kwargs)

    failure: Exception | None = None
    try:
        with _quiet(), _limit(SECONDS):
            for dims in DIMS:
                try:
                    suite.probe(make, dims)
                except (ValueError, user_code.UserCodeError) as error:
                    failure = failure or error
                    continue
                found = suite.check(make, dims=dims, budget=budget, seed=SEED, shrink=False,
                                    invariances=list(parts.INVARIANCES))  # fmt: skip
                return row | {
                    "dims": list(dims),
                    "parts": {one.part: one.state for one in found},
                    "seen": {one.part: one.detail[:200] for one in found if one.fails},
                }
    except _TooLongError:
        return row | {"judged": f"takes longer than {SECONDS} s of processor time"}
    return row | {"judged": str(failure)[:200]}


def _arguments(cls: Any) -> dict[str, float]:
    """A rate that is large enough to be seen in float32, where the default is smaller or missing."""
    rate = inspect.signature(cls).parameters.get("lr")
    larger = rate is not None and isinstance(rate.default, (int, float)) and rate.default > RATE
    return {"lr": RATE} if rate is not None and not larger else {}


@contextmanager
def _quiet() -> Iterator[None]:
    with warnings.catch_warnings(), redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        warnings.simplefilter("ignore")
        yield


@contextmanager
def _limit(seconds: int) -> Iterator[None]:
    def stop(*_: Any) -> None:
        raise _TooLongError

    if os.name == "nt":  # no alarm there
        yield
        return
    before = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, seconds)  # processor time: a busy machine must not change a row
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def table(known: Mapping[str, Any]) -> str:
    """The stored rows as Markdown: a summary per package, and every optimizer."""
    text = [_summary(known)]
    for distribution, one in known.items():
        judged = [row for row in one["rows"] if "parts" in row]
        problems = f"{one['budget']} problem{'s' * (one['budget'] != 1)}"
        installed = "" if one["installed"] else "; not installed at the last run: rows of an earlier one"
        text.append(
            f"\n### {distribution} {one['version']}\n\n{len(judged)} of {len(one['rows'])} optimizers judged, "
            f"{problems} per part, torch {one['torch']}, {one['computed'][:10]}{installed}.\n\n" + _rows(judged)
        )
        if others := [row for row in one["rows"] if "parts" not in row]:
            names = ", ".join(f"`{row['optimizer']}`" for row in others)
            text.append(f"\nCannot be judged, because a plain run of two steps raises or the time is up: {names}.\n")
    return "\n".join(text)


def _summary(known: Mapping[str, Any]) -> str:
    lines = [_line("part", *known), _line(*["---"] * (1 + len(known)))]
    for part in [*parts.CONTRACT, *(f"invariance: {name}" for name in parts.INVARIANCES)]:
        cells = []
        for one in known.values():
            states = [row["parts"][part] for row in one["rows"] if part in row.get("parts", {})]
            offered = [state for state in states if state != suite.State.NOT_OFFERED]
            cells.append(f"{sum(state == suite.State.KEPT for state in offered)} of {len(offered)}")
        lines.append(_line(part, *cells))
    return "\n".join(lines) + "\n"


def _rows(rows: Sequence[Mapping[str, Any]]) -> str:
    """One line per optimizer: how many parts it keeps, which it breaks, and which invariances hold."""
    lines = [_line("optimizer", "kept", "broken", "invariant under"), _line("---", "---", "---", "---")]
    for row in rows:
        own = {part: state for part, state in row["parts"].items() if part in parts.CONTRACT}
        offered = [part for part, state in own.items() if state != suite.State.NOT_OFFERED]
        broken = [f"{part}{' (raises)' * (own[part] == suite.State.RAISED)}" for part in offered
                  if own[part] != suite.State.KEPT]  # fmt: skip
        holds = [name for name in parts.INVARIANCES if row["parts"].get(f"invariance: {name}") == suite.State.KEPT]
        kept = f"{len(offered) - len(broken)} of {len(offered)}"
        lines.append(_line(f"`{row['optimizer']}`", kept, ", ".join(broken) or "–", ", ".join(holds) or "–"))
    return "\n".join(lines) + "\n"


def _line(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"
