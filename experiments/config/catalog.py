"""The config files: which there are, and one of them at one tier with the user's changes, as an `Experiment`."""

import contextlib
import hashlib
import json
import re
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path

from experiments.config.parse import DEEP, LARGEST, build, plain, read_toml
from experiments.config.schema import TIERS, Experiment, Tier
from experiments.io import own
from experiments.io.errors import ConfigError, require
from experiments.io.files import content

FOLDER = Path(__file__).parents[1] / "configs"
_ROOMS = frozenset({
    "bench", "contract", "evidence", "experiments", "figures", "learning-rates", "rates", "rows", "theory",
    "worst-case",
})  # fmt: skip
_LONGEST = 120  # letters of a name, which is a folder's

# A tier changes sizes, never the protocol: these are the keys that count as sizes. Augmentation goes with the data set,
# and the number of competitors is a size, because all get the same budget.
_SIZES = frozenset({
    "competitors", "data.name", "data.augment", "data.limit", "data.test_limit", "data.context", "data.size",
    "data.shrink", "data.pieces", "model.name", "model.options", "final.seeds", "tuning.seeds",
    "tuning.learning_rates.count", "training.epochs", "training.steps", "training.warmup", "training.batch_size",
    "training.microbatch", "training.precision", "training.evaluations", "training.channels_last", "training.compile",
    "training.curvature",
})  # fmt: skip


def names() -> list[str]:
    """The experiments that exist."""
    # Hidden files are an editor's locks and a Mac's copies on foreign disks.
    return sorted(path.stem for path in FOLDER.glob("*.toml") if not path.name.startswith("."))


def file_of(name: str) -> Path:
    """The config file of an experiment; whether it exists is seen when it is loaded."""
    return Path(name) if name.endswith(".toml") else FOLDER / f"{name}.toml"


def source(name: str) -> str:
    """The full path of a user's own config file; empty for an experiment of this package.

    Args:
        name: As in `load`.

    Returns:
        What `check_source` compares.
    """
    path = file_of(name).resolve()
    return "" if path.parent == FOLDER.resolve() else str(path)


def check_source(stored: str, name: str, place: Path) -> None:
    """Refuse to put an experiment where one of another file of the same name is.

    Args:
        stored: The `source` of what is there; empty where it is not known.
        name: As in `load`.
        place: Where it is.

    Raises:
        ConfigError: both files exist, and differ. One that was moved or copied is the same experiment.
    """
    path = file_of(name)
    if stored in {"", source(name)} or not Path(stored).is_file():
        return
    if content(Path(stored), LARGEST) != content(path, LARGEST):
        raise ConfigError(path.name, f"{place} holds the experiment of another file, {stored}: rename one of the two")


def load(name: str, tier: Tier = "laptop", changes: Sequence[str] = ()) -> Experiment:
    """Read an experiment.

    Args:
        name: The stem of a file in ``configs/``, or the path of a TOML file.
        tier: Which tier's sizes to take.
        changes: ``"key=value"`` with a dotted key and a TOML value, as in ``"training.epochs=3"``; they override the
            file. They become part of the experiment's name, ``NAME+training.epochs=3``, and so of its folders.

    Returns:
        The experiment, complete and checked.

    Raises:
        ConfigError: no such experiment, file or tier, a file that is not TOML, or a key or value that is refused.
    """
    path = file_of(name)
    if not path.is_file():
        if not name.endswith(".toml"):
            raise ConfigError(name, f"no such experiment; there are: {', '.join(names())}")
        here = path.absolute().parent
        raise ConfigError(name, "this is no file" if path.exists() else f"there is no such file in {here}")
    _own_place(path, tier)
    table = read_toml(path)
    plain(table)
    tiers = _table("tiers", table.pop("tiers", {}))
    for key, sizes in tiers.items():
        require(key in TIERS, f"tiers.{key}", key, f"one of {', '.join(TIERS)}")
        _only_sizes(_table(f"tiers.{key}", sizes), f"tiers.{key}")
    if tier not in tiers:
        raise ConfigError("tier", f"{name} has no tier {tier!r}; it has: {', '.join(tiers) or 'none'}")
    table = _merged(table, _table(f"tiers.{tier}", tiers[tier]))
    keys: list[str] = []
    for change in changes:
        parsed = _parsed(change)
        for key in _leaves(parsed):
            met = [old for old in keys if f"{old}.".startswith(f"{key}.") or f"{key}.".startswith(f"{old}.")]
            if met:  # the last would count, under a name that is the same for either order
                raise ConfigError("--set", f"{key} is set twice (also by {met[0]}): leave one out")
            keys.append(key)
        table = _merged(table, parsed)
    table = _pinned(_selected(table))
    for key in ("name", "tier"):
        require(key not in table, key, table.get(key), "left out (the file name and --tier say it)")
    return build(Experiment, {**table, "name": _named(path.stem, changes), "tier": tier})


def _own_place(path: Path, tier: Tier) -> None:
    """Refuse a file whose results would be put where others are."""
    stem, known = path.stem, names()
    if stem in known and path.samefile(FOLDER / path.name):
        return
    taken = stem if stem in known else f"{stem}-{tier}" if f"{stem}-{tier}" in known else ""
    if taken:
        raise ConfigError(path.name, f"its results would replace those of the experiment {taken}: rename the file")
    allowed = "printable, without +, which marks a change by --set, and must not end in a tier's name"
    apart = stem.isprintable() and "+" not in stem and not stem.endswith(tuple(f"-{other}" for other in TIERS))
    require(apart, "the file's name", path.name, allowed)
    require(stem.lower() not in _ROOMS, "the file's name", path.name, f"none of {', '.join(sorted(_ROOMS))}: "
            "folders of the results have these names")  # fmt: skip


def _leaves(table: Mapping[str, object], path: str = "") -> list[str]:
    """The dotted keys of all values."""
    found: list[str] = []
    for key, value in table.items():
        here = f"{path}.{key}" if path else key
        found += _leaves(value, here) if isinstance(value, Mapping) and value else [here]
    return found


def _named(stem: str, changes: Sequence[str]) -> str:
    """The config's name, and what was changed: a changed experiment must not be confused with the original."""
    words = [re.sub(r"[^A-Za-z0-9.,=_-]+", "_", change) for change in sorted(changes)]
    name = "+".join([stem, *words])
    if words == sorted(changes) and len(name) <= _LONGEST:
        return name
    digest = hashlib.sha256(json.dumps(sorted(changes)).encode()).hexdigest()[:8]  # what was cut or replaced counts
    return f"{name[: _LONGEST - 9]}-{digest}"


def _selected(table: dict[str, object]) -> dict[str, object]:
    """Only the optimizers that ``competitors`` lists, in the file's order; all of them where it is absent."""
    wanted = table.pop("competitors", None)
    if wanted is None:
        return table
    known = _table("optimizers", table.get("optimizers", {}))
    if not isinstance(wanted, list) or not wanted:
        raise ConfigError("competitors", f"expected a list with at least one optimizer's label, got {wanted!r}")
    for label in wanted:
        require(
            isinstance(label, str) and label in known,
            "competitors",
            label,
            f"one of the optimizers: {', '.join(known)}",
        )
    return {**table, "optimizers": {label: known[label] for label in known if label in wanted}}


def _pinned(table: dict[str, object]) -> dict[str, object]:
    """The names of the user's own files with their digests: another file is another experiment."""
    settings = table.get("settings", {})
    conditions = settings.values() if isinstance(settings, Mapping) else ()
    optimizers = table.get("optimizers", {})
    for part in [table, *(one for one in conditions if isinstance(one, Mapping))]:
        for key, field in (("data", "name"), ("model", "name"), ("training", "loss")):
            _pin(part.get(key), field, f"{key}.{field}")
    for label, optimizer in optimizers.items() if isinstance(optimizers, Mapping) else ():
        _pin(optimizer, "name", f"optimizers.{label}.name")
    return table


def _pin(table: object, key: str, where: str) -> None:
    if isinstance(table, dict) and isinstance(table.get(key), str):
        table[key] = own.pinned(table[key], where)


def _table(key: str, value: object) -> Mapping[str, object]:
    if not isinstance(value, Mapping):
        raise ConfigError(key, f"expected a table, got {value!r}")
    return value


def _merged(base: Mapping[str, object], over: Mapping[str, object]) -> dict[str, object]:
    """``base`` with the leaves of ``over`` in place of its own."""
    result = dict(base)
    for key, value in over.items():
        old = result.get(key)
        result[key] = _merged(old, value) if isinstance(old, Mapping) and isinstance(value, Mapping) else value
    return result


def _parsed(change: str) -> dict[str, object]:
    """``"a.b=3"`` as ``{"a": {"b": 3}}``; a value that is not TOML is taken as a string."""
    key, equals, value = change.partition("=")
    for text in (change, f"{key}= {json.dumps(value.strip())}" if equals else ""):
        with contextlib.suppress(tomllib.TOMLDecodeError):
            try:
                if parsed := tomllib.loads(text):
                    plain(parsed)
                    return parsed
            except RecursionError:
                raise ConfigError("--set", f"{key}: {DEEP}") from None
    form = 'key=value (quote a key with blanks: settings."full batch".training.epochs=3)'
    raise ConfigError("--set", f"{change!r} is not of the form {form}")


def _only_sizes(table: Mapping[str, object], where: str, path: tuple[str, ...] = ()) -> None:
    """Refuse a tier that changes the protocol."""
    for key, value in table.items():
        here = (*path, key)
        # settings.LABEL.training.epochs is judged as training.epochs
        judged = here[2:] if here[0] == "settings" else here
        if ".".join(judged) in _SIZES:
            continue
        if isinstance(value, Mapping):
            _only_sizes(value, where, here)
            continue
        raise ConfigError(f"{where}.{'.'.join(here)}", "a tier changes sizes, never the protocol; set it for all tiers")
