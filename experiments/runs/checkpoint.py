"""Checkpoints that are checked before they are read.

A file is: 8 bytes of magic, 16 bytes of the run's digest, 32 bytes SHA-256 of the payload, the payload. The payload is
``torch.save``'s format, but it reaches ``torch.load(weights_only=True)`` only when its hash is right: a truncated,
damaged or foreign file is refused before any of its content is interpreted, and nothing in it can run code.
"""

import hashlib
import io
import pickle
from pathlib import Path
from typing import Any

import torch

from experiments.io.errors import CheckpointError
from experiments.io.files import write_atomic

_MAGIC = b"ALTOCKP1"
_HEADER = len(_MAGIC) + 16 + 32


def save(path: Path, run_digest: str, state: dict[str, Any]) -> None:
    """Write a checkpoint, atomically.

    Args:
        path: Where.
        run_digest: `experiments.runs.plan.Run.digest`, 16 hexadecimal digits.
        state: Tensors, numbers, strings, and lists and dictionaries of these.
    """
    buffer = io.BytesIO()
    torch.save(state, buffer)
    payload = buffer.getvalue()
    write_atomic(path, _MAGIC + run_digest.encode() + hashlib.sha256(payload).digest() + payload)


def load(path: Path, run_digest: str, device: torch.device) -> dict[str, Any]:
    """Read a checkpoint that `save` wrote for the same run.

    Args:
        path: Where.
        run_digest: The digest of the run that goes on.
        device: Where the tensors go.

    Returns:
        The state.

    Raises:
        CheckpointError: the file is no checkpoint, is damaged, or belongs to another run.
    """
    remedy = f"Delete {path} to start this run anew"
    if not path.is_file():
        raise CheckpointError(f"{path} is no regular file. {remedy}")
    with path.open("rb") as file:
        header = file.read(_HEADER)
        if header[: len(_MAGIC)] != _MAGIC:
            raise CheckpointError(f"{path} is not a checkpoint of this program (wrong first bytes). {remedy}")
        if len(header) < _HEADER:
            raise CheckpointError(f"{path} is truncated: {len(header)} bytes, its header alone has {_HEADER}. {remedy}")
        owner = header[len(_MAGIC) : len(_MAGIC) + 16].decode("ascii", "replace")
        if owner != run_digest:
            raise CheckpointError(f"{path} belongs to run {owner}, not to run {run_digest}. {remedy}")
        if hashlib.file_digest(file, "sha256").digest() != header[-32:]:
            raise CheckpointError(f"{path} is truncated or damaged (its hash does not match its content). {remedy}")
        file.seek(_HEADER)
        payload = io.BytesIO(file.read())  # torch takes places in a file to be counted from its beginning
    try:
        return torch.load(payload, map_location=device, weights_only=True)
    except (RuntimeError, ValueError, LookupError, pickle.UnpicklingError) as error:
        raise CheckpointError(f"{path} holds what no checkpoint of this program holds. {remedy}") from error
