"""Code from outside: how it is loaded by name, and how its errors are shown as its own."""

import ast
import importlib
import importlib.util
import json
import sys
import traceback
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

PACKAGE = str(Path(__file__).resolve().parents[1])


class UserCodeError(Exception):
    """An objective, optimizer or schedule from outside raised; the cause is its own exception."""


@contextmanager
def of(what: str) -> Iterator[None]:
    """Turn what is raised inside into a :class:`UserCodeError` that names ``what``."""
    try:
        yield
    except UserCodeError:
        raise
    except (Exception, SystemExit) as error:
        raise UserCodeError(f"{what} raised {type(error).__name__}: {error}") from error


def their_traceback(error: UserCodeError) -> str:
    """The traceback of the cause, from its first frame outside this package; "" if there is none."""
    cause = error.__cause__
    if cause is None:
        return ""
    frame = cause.__traceback__
    ours = (PACKAGE, "<frozen importlib")
    while frame and frame.tb_next and frame.tb_frame.f_code.co_filename.startswith(ours):
        frame = frame.tb_next
    if frame and frame.tb_frame.f_code.co_filename.startswith(ours):  # a call that Python itself refused
        return ""
    return "".join(traceback.format_exception(type(cause), cause, frame, chain=False))


def load(target: str, argument: str) -> Any:
    """What ``FILE.py:NAME`` or ``module:NAME`` names.

    Args:
        target: the name.
        argument: what messages call it, such as ``--objective``.

    Returns:
        The object.

    Raises:
        ValueError: it is not of this form, or there is no such file, module or name.
        UserCodeError: the file raised while it was read.
    """
    source, _, name = target.rpartition(":")
    if not source or not name:
        raise ValueError(f"{argument} = {target!r} must have the form FILE.py:NAME or module:NAME")
    module = _file(Path(source), argument) if source.endswith(".py") else _module(source, argument)
    if not hasattr(module, name):
        public = {key: value for key, value in vars(module).items() if not key.startswith("_")}
        own = [key for key, value in public.items() if getattr(value, "__module__", "") == module.__name__]
        known = own or list(public)  # a package's classes come from its modules
        raise ValueError(
            f"{argument} = {target!r}: {source} has no {name!r}; it has {', '.join(known[:30]) or 'nothing'}"
        )
    return getattr(module, name)


def neighbour(f: Any, name: str) -> Any:
    """The attribute ``name`` of a function, or else the variable of this name in the file that defines it, or None."""
    return getattr(f, name, getattr(f, "__globals__", {}).get(name))


def _file(path: Path, argument: str) -> Any:
    if not path.is_file():
        raise ValueError(f"{argument}: there is no file {path}")
    given, path = path, path.resolve()
    taken = getattr(sys.modules.get(path.stem), "__file__", path.stem if path.stem in sys.modules else None)
    name = path.stem if taken in {None, str(path)} else f"{path.stem}_{zlib.crc32(bytes(path)):x}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ValueError(f"{argument}: {path} is no Python file")
    module = sys.modules[name] = importlib.util.module_from_spec(spec)  # pickle and dataclasses look it up there
    sys.path.insert(0, str(path.parent))  # so that it finds its neighbours
    try:
        with of(str(given)):
            spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    finally:
        sys.path.pop(0)
    return module


def _module(name: str, argument: str) -> Any:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        raise ValueError(f"{argument}: there is no module {name!r} ({error})") from error


def keywords(words: Sequence[str]) -> dict[str, Any]:
    """Arguments from ``KEY=VALUE`` words, the values as Python or JSON writes them, or from JSON objects.

    Raises:
        ValueError: a word is neither, or a key is given twice.
    """
    found: dict[str, Any] = {}
    for word in words:
        if word.lstrip().startswith("{"):
            try:
                more = json.loads(word)
            except json.JSONDecodeError as error:
                raise ValueError(f"--kwargs {word!r} is not JSON ({error}); names are in double quotes") from error
        else:
            key, equals, text = word.partition("=")
            if not equals or not key.isidentifier():
                raise ValueError(f"--kwargs {word!r} must have the form KEY=VALUE, such as lr=.1 or betas=(.9,.99)")
            more = {key: _value(text)}
        if twice := found.keys() & more.keys():
            raise ValueError(f"--kwargs has {', '.join(sorted(twice))} twice: leave one out")
        found |= more
    return found


def _value(text: str) -> Any:
    for read in (ast.literal_eval, json.loads, float):  # the last for nan and inf
        try:
            return read(text)
        except (ValueError, SyntaxError):
            continue
    return text
