"""Matplotlib without its user's own settings."""

import contextlib
from collections.abc import Iterator
from typing import Any

import matplotlib as mpl


@contextlib.contextmanager
def plain_style(style: Any) -> Iterator[None]:
    """Matplotlib's defaults with these settings: a figure must not depend on its reader's matplotlibrc.

    Args:
        style: Settings by matplotlib's names.

    Yields:
        Nothing; inside the ``with`` block the settings hold.
    """
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(style)
        yield
