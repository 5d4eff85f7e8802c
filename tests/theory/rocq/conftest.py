"""The library, compiled once."""

import pytest

from theory.ledger.formal import _compile
from theory.rocq import LIBRARY


@pytest.fixture(scope="session")
def compiled(tmp_path_factory):
    """A folder with the compiled library, without what Python prints."""
    folder = tmp_path_factory.mktemp("compiled")
    for name in LIBRARY.modules:
        _compile(folder, name, LIBRARY.sources()[name])
    return folder
