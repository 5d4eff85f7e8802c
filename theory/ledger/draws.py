"""Draws of Hypothesis that depend on their seed alone."""

from collections.abc import Iterator
from contextlib import contextmanager
from unittest import mock


@contextmanager
def of_their_seed() -> Iterator[None]:
    """Inside, nothing is drawn from the modules that are loaded.

    Hypothesis collects the numbers and words in the source of all local modules, and draws some of them: so a check's
    cases, and with them a verdict, would change with an edit anywhere else. It has no setting for that; versions that
    do not collect have nothing to switch off.
    """
    from hypothesis.internal.conjecture import providers

    if not hasattr(providers, "_get_local_constants"):
        yield
        return
    none = providers.Constants(**{kind: type(getattr(providers.GLOBAL_CONSTANTS, kind))() for kind in _KINDS})
    cache = type(providers.CONSTANTS_CACHE)(1024)
    with mock.patch.multiple(providers, _get_local_constants=lambda: none, CONSTANTS_CACHE=cache):
        yield


_KINDS = ("integers", "floats", "bytes", "strings")
