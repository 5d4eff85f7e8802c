"""From plain tables (TOML, JSON) to frozen dataclasses; what does not fit is refused with the name of its key.

pydantic and msgspec were weighed: their errors name the type that failed, not the keys and values that are allowed, so
the code that rewrites them would be as long as this.
"""

import dataclasses
import math
import re
import tomllib
import types
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from experiments.io.errors import ConfigError, require
from experiments.io.files import content

T = TypeVar("T")

_BEYOND = 2**63  # generators and stored tables take no larger integer


DEEPEST = 20
DEEP = f"tables or lists are nested too deeply; {DEEPEST} levels are allowed"
LARGEST = 2**22  # bytes of a TOML file


def read_toml(path: Path) -> dict[str, Any]:
    """The tables of a file that a user wrote.

    Args:
        path: The file.

    Returns:
        Its tables, whatever they hold.

    Raises:
        ConfigError: the file cannot be read, or is not TOML.
    """
    try:
        return tomllib.loads(content(path, LARGEST).decode("utf-8-sig"))  # Windows' editors write a byte order mark
    except UnicodeDecodeError as error:
        raise ConfigError(path.name, f"not UTF-8 text: {error.reason} at byte {error.start}") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(path.name, f"not a TOML file: {error}") from None
    except RecursionError:
        raise ConfigError(path.name, DEEP) from None
    except OSError as error:
        raise ConfigError(path.name, f"cannot be read: {error.strerror}") from None


def plain(table: Mapping[str, object]) -> None:
    """Refuse what no key takes, and what a stored row could not hold; this counts for free options too.

    Args:
        table: From TOML.

    Raises:
        ConfigError: tables nested too deeply, a date, a number that is not finite or does not fit into 64 bits, or text
            that cannot be printed on one line.
    """
    level: list[tuple[str, object]] = list(table.items())
    for _ in range(DEEPEST):
        for key, value in level:
            _plain(key, value)
        level = [inner for key, value in level for inner in _inside(key, value)]
    if level:
        raise ConfigError(re.split(r"[.\[]", level[0][0])[0], DEEP)


def _inside(key: str, value: object) -> list[tuple[str, object]]:
    if isinstance(value, Mapping):
        return [(f"{key}.{name}", inner) for name, inner in value.items()]
    return [(f"{key}[{i}]", inner) for i, inner in enumerate(value)] if isinstance(value, list) else []


def _plain(key: str, value: object) -> None:
    if not key.isprintable():
        raise ConfigError(repr(key), "a key must be printable text on one line")
    if isinstance(value, str):
        require(value.isprintable(), key, value, "printable text on one line")
    elif isinstance(value, float):
        require(math.isfinite(value), key, value, "finite")
    elif isinstance(value, int):
        require(-_BEYOND <= value < _BEYOND, key, value, "an integer that fits into 64 bits, in [-2^63, 2^63)")
    elif not isinstance(value, Mapping | list):
        raise ConfigError(key, f"{value} is a {type(value).__name__}; no key takes one")


def build(cls: type[T], table: Mapping[str, object]) -> T:
    """Build the dataclass ``cls`` from ``table``, recursively.

    Types are taken literally: a bool is no int, a string is no number; an int is accepted for a float.

    Args:
        cls: A dataclass whose field types are built from bool, int, float, str, Literal, unions, ``tuple[X, ...]``,
            ``dict[str, X]``, ``object`` and other such dataclasses.
        table: The values by field name.

    Returns:
        The dataclass.

    Raises:
        ConfigError: an unknown key, a missing key, a wrong type, or a value that the dataclass itself refuses; the
            error's key is the dotted path.
    """
    hints = get_type_hints(cls)
    fields = {field.name: field for field in dataclasses.fields(cls)}  # type: ignore[arg-type]
    for key in table:
        if key not in fields:
            raise ConfigError(key, f"unknown key; allowed here: {', '.join(sorted(fields))}")
    values = {}
    for name, field in fields.items():
        if name in table:
            values[name] = _convert(name, table[name], hints[name])
        elif field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
            raise ConfigError(name, "missing; it has no default")
    return cls(**values)


def _convert(key: str, value: Any, kind: Any) -> Any:
    """One value as ``kind``, or a ConfigError that names ``key``."""
    origin, arguments = get_origin(kind), get_args(kind)
    if kind is object:
        return value
    if dataclasses.is_dataclass(kind):
        if not isinstance(value, Mapping):
            raise ConfigError(key, f"expected a table, got {value!r}")
        try:
            return build(kind, value)  # type: ignore[arg-type]
        except ConfigError as error:
            raise error.under(key) from None
    if origin is Literal:
        require(any(value is a or (type(value) is type(a) and value == a) for a in arguments), key, value, _words(kind))
        return value
    if origin in {Union, types.UnionType}:
        for option in arguments:
            try:
                return _convert(key, value, option)
            except ConfigError:
                continue
        raise ConfigError(key, f"{value!r} is not allowed; it must be {_words(kind)}")
    if origin is tuple:
        if not isinstance(value, list | tuple):
            raise ConfigError(key, f"expected a list, got {value!r}")
        return tuple(_convert(f"{key}[{i}]", item, arguments[0]) for i, item in enumerate(value))
    if origin is dict:
        if not isinstance(value, Mapping):
            raise ConfigError(key, f"expected a table, got {value!r}")
        return {name: _convert(f"{key}.{name}", item, arguments[1]) for name, item in value.items()}
    if type(value) is int and kind in {int, float} and not -_BEYOND <= value < _BEYOND:
        raise ConfigError(key, f"{value!r} is not allowed; it must fit into 64 bits, in [-2^63, 2^63)")
    if kind is float and type(value) is int:
        return float(value)
    if type(value) is not kind:
        raise ConfigError(key, f"{value!r} is not allowed; it must be {_words(kind)}")
    return value


def _words(kind: Any) -> str:
    """The type in a reader's words."""
    if get_origin(kind) is Literal:
        return " or ".join(repr(a) for a in get_args(kind))
    if get_origin(kind) in {Union, types.UnionType}:
        return " or ".join(_words(a) for a in get_args(kind))
    return {int: "an integer", float: "a number", str: "a string", bool: "true or false"}.get(kind, str(kind))
