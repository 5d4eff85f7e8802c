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
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parents[2]
INSTALLED = not (ROOT / "pyproject.toml").is_file()
"""From a wheel, not a checkout: the stored results lie inside the package, and what is computed goes to ./runs."""
RESULTS = ROOT / "theory" / "results" if INSTALLED else ROOT / "results"
RUNS = Path("runs").absolute() if INSTALLED else ROOT / "runs"
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


class Code(NamedTuple):
    """The code that computes a result, as it was when it was read."""

    digest: str
    files: tuple[Path, ...]


def code(*modules: str) -> Code:
    """What :func:`digest` and :func:`closure` say of these modules: to be read before they run."""
    return Code(digest(*modules), closure(*modules))


def record(code: Code, tools: Iterable[str]) -> dict[str, Any]:
    """The provenance of a result that is finished now: what every stored result carries.

    Args:
        code: what computed it.
        tools: the packages that it was computed with.

    Returns:
        ``source``, the digest of the code, ``commit``, ``computed`` (in UTC), ``versions``, and the keys of
        :func:`machine`.
    """
    now = datetime.now(UTC).isoformat(timespec="seconds")
    origin = {"source": code.digest, "commit": commit(code.files), "computed": now}
    return {**origin, "versions": versions(tools), **machine()}


def digest(*modules: str, data: Sequence[Path] = ()) -> str:
    """SHA-256 of the code that these modules run, and of data files.

    Args:
        modules: dotted names, such as ``theory.claims.method.filters``; ``theory.studies.dips:compute`` is what this
            function needs of its module, so that what draws its data does not count.
        data: files that the result depends on besides; they count byte by byte.

    Returns:
        64 hexadecimal digits. Equal code gives equal digits, whatever its comments, docstrings and layout.
    """
    texts = {path: _read(path).code for path in closure(*modules)}
    parts = [name.partition(":") for name in modules if ":" in name]
    texts |= {_module(module): _part(_module(module), function).code for module, _, function in parts}
    total = hashlib.sha256()
    for path, text in sorted(texts.items()):
        total.update(f"{path.relative_to(ROOT)}\0{text}\0".encode())
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
        modules: as for :func:`digest`.

    Returns:
        The files; those of ``modules`` first, in their order.

    Raises:
        ModuleNotFoundError: a name is no module of this checkout.
        AttributeError: the module has no such function.
    """
    found: dict[Path, _Code] = {}
    for module, _, function in (name.partition(":") for name in modules):
        path = _module(module)
        found[path] = _part(path, function) if function else _read(path)
    waiting = list(found.values())
    while waiting:
        for module, name in waiting.pop().imports:
            path = _home(module, name)
            if path and path not in found:
                found[path] = _read(path)
                waiting.append(found[path])
    return tuple(found)


def constants(module: str, *names: str) -> dict[str, Any]:
    """The values that a module gives to these names, read without importing it; those that it has, as literals."""
    tree = ast.parse(_module(module).read_text(encoding="utf-8"))
    return {name: ast.literal_eval(node.value) for node in tree.body if isinstance(node, ast.Assign)
            for name in names if name in _bound(node)}  # fmt: skip


def _module(name: str) -> Path:
    path = _file(name)
    if path is None:
        raise ModuleNotFoundError(f"{name!r} is no module of {', '.join(PACKAGES)} below {ROOT}")
    return path


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
class _Code:
    """A file or a part of it: its code as text, what it imports, and the names that it has from elsewhere."""

    code: str
    imports: tuple[tuple[str, str | None], ...]
    hands_on: dict[str, tuple[str, str]]


def _read(path: Path) -> _Code:
    """A whole file."""
    return _part(path, "")


def _part(path: Path, function: str) -> _Code:
    """What a function needs of its file; all of it if the name is empty."""
    status = path.stat()
    return _parse(path, function, status.st_mtime_ns, status.st_size)


@cache
def _parse(path: Path, function: str, *_stamp: int) -> _Code:
    """Read a file, once for each of its versions."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    if function:
        tree.body = _needed(tree.body, function, path)
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
    return _Code(_text(tree), tuple(imports), hands_on)


def _needed(body: list[ast.stmt], function: str, path: Path) -> list[ast.stmt]:
    """The statements of a module that a function of it needs, directly or through others; those that bind no name."""
    body = [statement for statement in body if not _for_types(statement)]
    bound = [_bound(statement) for statement in body]
    names = [{node.id for node in ast.walk(statement) if isinstance(node, ast.Name)} for statement in body]
    if not any(function in one for one in bound):
        raise AttributeError(f"{path} has no {function!r}")
    wanted, before = {function}, set[str]()
    while wanted != before:
        before = set(wanted)
        for own, used in zip(bound, names, strict=True):
            if not own or own & wanted:
                wanted |= used
    # an import may bind more than is needed: it shrinks to what is
    kept = [_only(statement, wanted) for statement, own in zip(body, bound, strict=True) if not own or own & wanted]
    return [statement for statement in kept if not _is_docstring(statement)]


def _bound(statement: ast.stmt) -> set[str]:
    """The names that a statement of a module binds."""
    match statement:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            return {name}
        case ast.Import(names=names) | ast.ImportFrom(names=names):
            return {alias.asname or alias.name.partition(".")[0] for alias in names}
        case ast.Assign(targets=targets):
            return {node.id for target in targets for node in ast.walk(target) if isinstance(node, ast.Name)}
        case ast.AnnAssign(target=ast.Name(id=name)):
            return {name}
    return set()


def _only(statement: ast.stmt, wanted: set[str]) -> ast.stmt:
    """An import without the names that are not wanted; anything else as it is."""
    if isinstance(statement, ast.Import | ast.ImportFrom):
        statement.names = [a for a in statement.names if (a.asname or a.name.partition(".")[0]) in wanted]
    return statement


def _nodes(node: ast.AST, run: bool = True) -> Iterator[tuple[ast.AST, bool]]:
    """All nodes below, each with whether it runs: what stands under ``if TYPE_CHECKING`` does not."""
    for child in ast.iter_child_nodes(node):
        yield child, run
        yield from _nodes(child, run and not _for_types(child))


def _for_types(node: ast.AST) -> bool:
    """Whether it is an ``if TYPE_CHECKING``."""
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


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
