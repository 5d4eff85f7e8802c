"""A list of commands in the order of their value, done within a time limit; what is finished is not done again."""

import contextlib
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal

from experiments.config.parse import build, plain, read_toml
from experiments.io import stored
from experiments.io.environment import Environment
from experiments.io.errors import ConfigError, require
from experiments.io.files import locked, write_json

FOLDER = Path(__file__).parents[1] / "campaigns"
_FOREVER = 6e8  # seconds, about 19 years; a system's wait takes no more
_GRACE = 30.0  # seconds that an interrupted command has to write what it has


@dataclass(frozen=True)
class Step:
    """One command.

    Attributes:
        name: Unique in its campaign.
        about: What it shows.
        module: The Python module that is run.
        arguments: Its arguments.
        quick: It takes seconds and shows what other steps have so far, so every call does it, also after its time.
    """

    name: str
    about: str
    module: str
    arguments: tuple[str, ...] = ()
    quick: bool = False


@dataclass(frozen=True)
class Campaign:
    """The steps, in order.

    Attributes:
        step: Each a command.
        device: The device that they need: ``"cuda"``, or ``"cpu"`` where any machine will do.
    """

    step: tuple[Step, ...]
    device: Literal["cpu", "cuda"] = "cpu"

    def __post_init__(self):
        names = [step.name for step in self.step]
        for name in names:  # a log's file
            fits = Path(name).name == name and name.isprintable() and len(name) <= 100
            require(fits, "step.name", name, "printable, without folders, of at most 100 letters")
        require(bool(names) and len(set(names)) == len(names), "step.name", names, "one or more, without repetition")


@dataclass(frozen=True)
class Outcome:
    """What became of a step.

    Attributes:
        name: The step's.
        state: ``finished`` (exit status 0), ``failed`` (another status), or ``stopped`` by the time limit.
        seconds: Wall time, over all calls.
        arguments: As in the step: an outcome of other arguments does not count.
    """

    name: str
    state: Literal["finished", "failed", "stopped"]
    seconds: float
    arguments: tuple[str, ...]


@dataclass(frozen=True)
class _Record:
    outcomes: tuple[Outcome, ...] = field(default_factory=tuple)


def names() -> list[str]:
    """The campaigns that exist."""
    return sorted(path.stem for path in FOLDER.glob("[!.]*.toml"))


def load(name: str) -> Campaign:
    """Read a campaign.

    Args:
        name: The stem of a file in ``campaigns/``, or the path of a TOML file.

    Returns:
        The campaign.

    Raises:
        ConfigError: no such campaign, a file that is not TOML, or a key that is refused.
    """
    path = Path(name) if name.endswith(".toml") else FOLDER / f"{name}.toml"
    if not path.is_file():
        raise ConfigError(name, f"no such campaign; there are: {', '.join(names())}")
    table = read_toml(path)
    plain(table)
    return build(Campaign, table)


def run(campaign: Campaign, out: Path, seconds: float, notify: Callable[[Step, Outcome | None], None]) -> list[Outcome]:
    """Do what is not finished, until the time is over.

    Every step is a process of its own, in the current folder; its output goes to ``OUT/NAME.log``. At the limit it is
    terminated, and a training keeps its last checkpoint. A step that failed is tried again by the next
    call, and does not keep later steps from being done.

    Args:
        campaign: The steps.
        out: Folder of the logs and of ``campaign.json``, the outcomes.
        seconds: Time limit of this call.
        notify: Called before a step without an outcome, and after it with its own.

    Returns:
        The outcomes so far, in the campaign's order.

    Raises:
        ConfigError: the campaign needs a device that is absent, or the time is out of range.
        BusyError: another process works in the same folder.
        DataError: ``campaign.json`` is damaged.
    """
    require(0 < seconds < _FOREVER, "minutes", seconds / 60, f"in (0, {_FOREVER / 60:g})")
    Environment(out, device=campaign.device)  # refuses what is absent: tests that skip would count as finished
    limit = time.monotonic() + seconds
    out.mkdir(parents=True, exist_ok=True)
    with locked(out):
        before = {outcome.name: outcome for outcome in _read(out) if _current(outcome, campaign)}
        for step in campaign.step:
            past = before.get(step.name)
            left = limit - time.monotonic()
            if past is not None and past.state == "finished" and not step.quick:
                notify(step, past)
                continue
            if left <= 0 and not step.quick:
                continue
            notify(step, None)
            spent = past.seconds if past is not None else 0.0
            before[step.name] = _done(step, out, max(left, _GRACE) if step.quick else left, spent)
            write_json(out / "campaign.json", asdict(_Record(tuple(before.values()))))
            notify(step, before[step.name])
    return [before[step.name] for step in campaign.step if step.name in before]


def _done(step: Step, out: Path, left: float, spent: float) -> Outcome:
    """The outcome of one command, which may take no longer than the time left."""
    begin = time.monotonic()
    command = [sys.executable, "-m", step.module, *step.arguments]
    with (out / f"{step.name}.log").open("a", encoding="utf-8") as log:
        process = subprocess.Popen(
            command, stdout=log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, start_new_session=True
        )
        try:
            state: Literal["finished", "failed", "stopped"] = (
                "finished" if process.wait(timeout=left) == 0 else "failed"
            )
        except subprocess.TimeoutExpired:
            state = "stopped"
        finally:
            _end(process)
    return Outcome(step.name, state, round(spent + time.monotonic() - begin, 1), step.arguments)


def _end(process: subprocess.Popen) -> None:
    """End a command that still works, and kill it if it does not end."""
    if process.poll() is None:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=_GRACE)
    if process.poll() is None:
        process.kill()
        process.wait()


def _current(outcome: Outcome, campaign: Campaign) -> bool:
    return any((step.name, step.arguments) == (outcome.name, outcome.arguments) for step in campaign.step)


def _read(out: Path) -> tuple[Outcome, ...]:
    file = out / "campaign.json"
    try:
        with stored.own(file):
            return build(_Record, stored.read(file)).outcomes
    except FileNotFoundError:
        return ()
