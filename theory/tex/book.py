"""Collects generated values and files, and writes them, each file whole or not at all."""

from pathlib import Path

from theory.ledger.files import write


class Book:
    """Values by key, and the other files, of one generation."""

    def __init__(self) -> None:
        self.values: dict[str, str] = {}
        self.files: dict[str, str] = {}

    def value(self, key: str, latex: str) -> None:
        r"""Define ``\val{key}``.

        Args:
            key: letters, digits and ``/-.+=, ()``; LaTeX sees it as a name.
            latex: what it prints.

        Raises:
            ValueError: the key is taken, or LaTeX could not read it.
        """
        if key in self.values:
            raise ValueError(f"the key {key!r} is defined twice")
        if set(key) & set("\\{}#%&$_^~"):
            raise ValueError(f"the key {key!r} holds a character that LaTeX reads as a command")
        self.values[key] = latex

    def file(self, name: str, latex: str) -> None:
        r"""A file for ``\input``: ``name.tex``."""
        if name in self.files:
            raise ValueError(f"the file {name!r} is written twice")
        self.files[name] = latex

    def write(self, folder: Path) -> None:
        """Write ``values.tex`` and the files into ``folder``; ``.tex`` files there of an earlier run are removed."""
        lines = "".join(f"\\generated{{{key}}}{{{latex}}}\n" for key, latex in self.values.items())
        contents = {"values": lines, **self.files}
        for name, latex in contents.items():
            write(folder / f"{name}.tex", "% Written by python -m theory ledger --tex\n" + latex)
        for path in folder.glob("*.tex"):
            if path.stem not in contents:
                path.unlink()
