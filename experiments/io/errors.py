"""The errors that the user of an experiment can meet, each with the cause and the remedy in its text."""


class ConfigError(ValueError):
    """A configuration has an unknown key, a wrong type or an impossible value.

    Args:
        key: Dotted path of the key, as in ``training.batch_size``.
        problem: What is wrong with it and what is allowed.
    """

    def __init__(self, key: str, problem: str):
        super().__init__(key, problem)  # both in args: the error must survive pickling out of a worker process
        self.key = key
        self.problem = problem

    def __str__(self) -> str:
        return f"{self.key}: {self.problem}"

    def under(self, prefix: str) -> "ConfigError":
        """The same error, seen from one table further out."""
        return ConfigError(f"{prefix}.{self.key}", self.problem)


def require(ok: bool, key: str, value: object, allowed: str) -> None:
    """Refuse a value outside its range.

    Args:
        ok: Whether the value is allowed.
        key: The field's name.
        value: The value.
        allowed: The allowed range, in words.

    Raises:
        ConfigError: ``ok`` is false.
    """
    if not ok:
        raise ConfigError(key, f"{value!r} is not allowed; it must be {allowed}")


class DataError(ValueError):
    """A data set is absent, damaged, or not what its layout promises."""


class CheckpointError(RuntimeError):
    """A checkpoint is truncated, damaged, or belongs to another run."""


class OwnCodeError(RuntimeError):
    """Code that the user brought raised; the cause is its own exception."""


class BusyError(RuntimeError):
    """Another process is writing to the same output folder."""


class TeamError(RuntimeError):
    """One of the processes that share a run failed, and the others cannot go on without it, so all must end."""
