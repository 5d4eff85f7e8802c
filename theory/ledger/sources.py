"""Files of claims: modules of a package, or a file from anywhere, each with a tuple ``CLAIMS``.

A file may also have a tuple ``READS`` of patterns below results/: the stored results that its evidence reads. The
fingerprint of a file of claims covers them, and the code of exactly the modules that it imports.
"""

import ast
import importlib
import importlib.util
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType

from theory.ledger import provenance
from theory.ledger.claim import Claim
from theory.ledger.evidence import told

RESULTS = provenance.RESULTS


class ClaimsError(Exception):
    """A file of claims that cannot be used; the message says why and what is expected."""


@dataclass(frozen=True)
class Source:
    """A file of claims.

    Args:
        name: a dotted module name, or the path of a file that ends in ``.py``.
    """

    name: str

    @property
    def outside(self) -> bool:
        """Whether it is a file by its path, not a module."""
        return self.name.endswith(".py")

    def claims(self) -> tuple[Claim, ...]:
        """Import the file and return its claims.

        Raises:
            ClaimsError: there is no such file, it raises, or its ``CLAIMS`` is no sequence of claims with own ids.
        """
        module = _from_path(Path(self.name)) if self.outside else importlib.import_module(self.name)
        found = getattr(module, "CLAIMS", None)
        if not isinstance(found, Sequence) or not all(isinstance(claim, Claim) for claim in found):
            raise ClaimsError(f"{self.name} needs CLAIMS, a tuple of theory.ledger.Claim; it has {found!r}")
        ids = [claim.id for claim in found]
        twice = sorted({name for name in ids if ids.count(name) > 1})
        if twice:
            raise ClaimsError(f"{self.name} has two claims with the id {twice[0]!r}; each needs an id of its own")
        return tuple(found)

    def fingerprint(self) -> str:
        """SHA-256 of what the evidence depends on: the code that the module imports, and the results that it reads."""
        if self.outside:
            raise ValueError(f"{self.name} is outside the package: its outcomes are not stored")
        return provenance.digest(self.name, data=self._data())

    def _data(self) -> list[Path]:
        """The stored results that the module names in ``READS``, without importing it."""
        tree = ast.parse(provenance.closure(self.name)[0].read_text(encoding="utf-8"))
        patterns = [
            ast.literal_eval(node.value)
            for node in tree.body
            if isinstance(node, ast.Assign) and [ast.unparse(target) for target in node.targets] == ["READS"]
        ]
        return sorted(path for group in patterns for pattern in group for path in RESULTS.glob(pattern))


@cache
def _from_path(path: Path) -> ModuleType:
    if not path.is_file():
        raise ClaimsError(f"{path} does not exist; --claims takes a Python file with a tuple CLAIMS")
    spec = importlib.util.spec_from_file_location(f"claims_{path.stem}", path)
    assert spec is not None  # the name ends in .py
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses and hypothesis look their module up
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:  # whatever the user's file raises, told as theirs
        del sys.modules[spec.name]
        raise ClaimsError(f"{path} raises {told(error)}") from error
    return module
