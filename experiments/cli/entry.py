"""The one place where a command begins and ends: where it writes is looked at first, and each error is one line."""

import dataclasses
import io
import os
import shutil
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from experiments.cli import console
from experiments.io.errors import BusyError, CheckpointError, ConfigError, DataError, OwnCodeError, TeamError
from experiments.io.files import ready

T = TypeVar("T")
_PACKAGE = str(Path(__file__).resolve().parents[1])
_NARROWEST = 20  # columns; tyro never ends its help below 8
_WHOLE = "every file that was written is whole"


def act(parse: Callable[[], Any]) -> int:
    """Do a command.

    Args:
        parse: Makes it from the command line. It has ``act()``; and where it applies ``writes()``, the files that it
            will write, and ``kept()``, what an interruption leaves.

    Returns:
        The exit status: 0, 1 where runs are missing, 2 for a mistake that the user can mend, 130 after Ctrl-C, 141
        where nobody reads on.
    """
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # it was closed by the shell, as in >&-
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115 (until the process ends)
        if isinstance(stream := getattr(sys, name), io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # names of files may hold what its encoding has not
    if shutil.get_terminal_size().columns < _NARROWEST:
        os.environ["COLUMNS"] = str(_NARROWEST)  # for help
        console.widen(_NARROWEST)
    command: Any = None
    try:
        command = with_home(parse())
        for path in command.writes() if hasattr(command, "writes") else ():
            ready(path)
        status = command.act()
        sys.stdout.flush()  # here, where a full disk is still answered
        return status
    except OwnCodeError as error:  # where in their code it was
        sys.stderr.write(_their_traceback(error))
        return _refused(error)
    except (ConfigError, DataError, CheckpointError, BusyError, TeamError) as error:
        return _refused(error)
    except BrokenPipeError:  # the reader of a pipe, such as head, has what it wanted
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except SystemExit as end:
        if isinstance(end.__context__, BrokenPipeError):  # rich ends with 1 then
            return 141
        raise
    except MemoryError as error:
        return _refused(ConfigError("there is not enough memory for this", f"{error}; choose smaller sizes"))
    except OSError as error:
        return _refused(ConfigError(_unusable(error), "mend it, or name another place"))
    except KeyboardInterrupt:
        console.show_interrupted(command.kept() if hasattr(command, "kept") else _WHOLE)
        return 130


def _refused(error: Exception) -> int:
    console.show_error(error)
    return 2


def _their_traceback(error: OwnCodeError) -> str:
    """The traceback from the first frame of the user's own file; empty where it never came so far."""
    cause = error.__cause__
    assert cause is not None
    frame = cause.__traceback__
    while frame is not None and _is_library(frame.tb_frame.f_code.co_filename):
        frame = frame.tb_next
    return "" if frame is None else "".join(traceback.format_exception(type(cause), cause, frame, chain=False))


def _is_library(file: str) -> bool:
    return file.startswith((_PACKAGE, "<frozen", sys.base_prefix)) or "site-packages" in file


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


def _unusable(error: OSError) -> str:
    """Which file cannot be read or written, and why, in the system's words."""
    place = error.filename2 or error.filename or "the place of the output"
    return f"{place} cannot be used ({error.strerror or error})"
