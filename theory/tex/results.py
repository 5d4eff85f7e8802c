"""Reads results/: what is missing, unfinished or of other code is refused."""

from pathlib import Path
from typing import Any

from theory.ledger import stored


class StaleError(RuntimeError):
    """Results that the paper needs are missing, unfinished or of other code; the message says how to get them."""


def read(path: Path, remedy: str) -> dict[str, Any]:
    """A JSON file of results.

    Args:
        path: the file.
        remedy: the command that writes it.

    Returns:
        Its content.

    Raises:
        StaleError: it does not exist, or is no JSON object.
    """
    try:
        content = stored.read(path)
    except FileNotFoundError:
        raise StaleError(f"{path} is missing: {remedy}") from None
    except stored.DamagedError as error:
        raise StaleError(f"{error}: {remedy}") from None
    if not isinstance(content, dict):
        raise StaleError(f"{path} holds no object: {remedy}")
    return content
