"""Whether this process was forked after ``alto`` was imported, perhaps from one whose threads are not here."""

import os

here = False


def _note() -> None:
    globals()["here"] = True


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_note)
