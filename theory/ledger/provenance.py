"""What a stored result was computed by: the code that it depends on, the commit, the tools, the machine.

A digest covers exactly the files of this checkout that a module imports, each by its code alone: comments, docstrings
and blank lines do not count, so that a clearer sentence never makes an hour of computing stale.
"""

import ast
import hashlib
import os
import platform
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("alto", "theory")
"""The packages whose files a digest follows; what comes from elsewhere is named by its version."""


def commit(files: Sequence[Path | str] = PACKAGES) -> str:
    """The commit of this checkout, with ``+`` if one of the files differs from it; ``unknown`` where there is none.

    Args:
        files: files or folders, from the root of the checkout.

    Returns:
        Twelve digits of the hash; ``unknown`` without git, or if the folder belongs to another repository.
    """
    try:
        if Path(_git("rev-parse", "--show-toplevel")).resolve() != ROOT:
            return "unknown"
        changed = _git("status", "--porcelain", "--", *(str(file) for file in files))
        return _git("rev-parse", "--short=12", "HEAD") + ("+" if changed else "")
    except (OSError, subprocess.SubprocessError):
        return "unknown"


def _git(*arguments: str) -> str:
    command = ["git", "-C", str(ROOT), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=30).stdout.strip()


def machine() -> dict[str, Any]:
    """The processor's name, how many cores this process may use, the platform, and the load of one minute."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    load = round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None
    return {"processor": _processor(), "cores": cores, "platform": platform.platform(), "load": load}


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def versions(tools: Iterable[str]) -> dict[str, str]:
    """The versions of Python and of these packages."""
    return {"python": platform.python_version()} | {tool: version(tool) for tool in tools}


def record(source: str, tools: Iterable[str], files: Sequence[Path | str] = PACKAGES) -> dict[str, Any]:
    """The provenance of a result that is finished now: what every stored result carries.

    Args:
        source: the digest of the code that computed it.
        tools: the packages that it was computed with.
        files: those that the commit has to hold unchanged.

    Returns:
        ``source``, ``commit``, ``computed`` (in UTC), ``versions``, and the keys of :func:`machine`.
    """
    now = datetime.now(UTC).isoformat(timespec="seconds")
    return {"source": source, "commit": commit(files), "computed": now, "versions": versions(tools), **machine()}


def digest(*modules: str, data: Sequence[Path] = ()) -> str:
    """SHA-256 of the code that these modules run, and of data files.

    Args:
        modules: dotted names, such as ``theory.claims.method.filters``.
        data: files that the result depends on besides; they count byte by byte.

    Returns:
        64 hexadecimal digits. Equal code gives equal digits, whatever its comments, docstrings and layout.
    """
    total = hashlib.sha256()
    for path in sorted(closure(*modules)):
        total.update(f"{path.relative_to(ROOT)}\0{_read(path).code}\0".encode())
    for path in data:
        name = path.relative_to(ROOT) if path.is_relative_to(ROOT) else path
        total.update(f"{name}\0{hashlib.sha256(path.read_bytes()).hexdigest()}\0".encode())
    return total.hexdigest()


def closure(*modules: str) -> tuple[Path, ...]:
    """The files of this checkout that these modules import, with all that those import, too.

    Imports inside functions count, those for type checkers alone do not. Where a package's ``__init__`` only hands a
    name on, the file that defines the name counts in its place. One that imports all its modules by ``iter_modules``
    counts with all of them. Names must be imported from a module: what ``import theory; theory.x`` reads is not seen.

    Args:
        modules: dotted names.

    Returns:
        The files; those of ``modules`` first, in their order.

    Raises:
        ModuleNotFoundError: a name is no module of this checkout.
    """
    found: dict[Path, None] = {}
    for module in modules:
        path = _file(module)
        if path is None:
            raise ModuleNotFoundError(f"{module!r} is no module of {', '.join(PACKAGES)} below {ROOT}")
        found[path] = None
    waiting = list(found)
    while waiting:
        for module, name in _read(waiting.pop()).imports:
            path = _home(module, name)
            if path and path not in found:
                found[path] = None
                waiting.append(path)
    return tuple(found)


def _file(module: str) -> Path | None:
    """The file of a module of this checkout; None if it comes from elsewhere."""
    if module.partition(".")[0] not in PACKAGES:
        return None
    path = ROOT.joinpath(*module.split("."))
    return next((file for file in (path.with_suffix(".py"), path / "__init__.py") if file.is_file()), None)


def _home(module: str, name: str | None) -> Path | None:
    """The file that ``from module import name`` reads."""
    if name and (inner := _file(f"{module}.{name}")):
        return inner
    path = _file(module)
    if path and name and path.name == "__init__.py" and (source := _read(path).hands_on.get(name)):
        return _home(*source)
    return path


@dataclass(frozen=True)
class _Read:
    """A file: its code as text, what it imports, and the names that it has from elsewhere."""

    code: str
    imports: tuple[tuple[str, str | None], ...]
    hands_on: dict[str, tuple[str, str]]


def _read(path: Path) -> _Read:
    status = path.stat()
    return _parse(path, status.st_mtime_ns, status.st_size)


@cache
def _parse(path: Path, *_stamp: int) -> _Read:
    """Read a file, once for each of its versions."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    imports, hands_on = [], {}
    for node, run in _nodes(tree):
        if isinstance(node, ast.Import) and run:
            imports += [(alias.name, None) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            if node.level:
                raise ValueError(f"{path}:{node.lineno}: a relative import cannot be followed; write it in full")
            hands_on |= {alias.asname or alias.name: (node.module, alias.name) for alias in node.names}
            imports += [(node.module, alias.name) for alias in node.names if run]
        elif isinstance(node, ast.Name) and node.id == "iter_modules" and path.name == "__init__.py":
            package = ".".join(path.parent.relative_to(ROOT).parts)
            imports += [(f"{package}.{file.stem}", None) for file in sorted(path.parent.glob("*.py"))]
    return _Read(_text(tree), tuple(imports), hands_on)


def _nodes(node: ast.AST, run: bool = True) -> Iterator[tuple[ast.AST, bool]]:
    """All nodes below, each with whether it runs: what stands under ``if TYPE_CHECKING`` does not."""
    for child in ast.iter_child_nodes(node):
        checked = isinstance(child, ast.If) and isinstance(child.test, ast.Name) and child.test.id == "TYPE_CHECKING"
        yield child, run
        yield from _nodes(child, run and not checked)


def _text(value: Any) -> str:
    """A syntax tree as text, the same for every Python version, without docstrings and positions."""
    if isinstance(value, list):
        return "[" + ",".join(_text(item) for item in value if not _is_docstring(item)) + "]"
    if not isinstance(value, ast.AST):
        return repr(value)
    fields = (f"{name}={_text(item)}" for name, item in ast.iter_fields(value) if item not in (None, []))
    return f"{type(value).__name__}({','.join(fields)})"


def _is_docstring(node: Any) -> bool:
    """Whether a node is a string that nothing uses."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
