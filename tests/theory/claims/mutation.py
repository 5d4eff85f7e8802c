"""Fresh copies of the theory package with one line of one module changed."""

import importlib
import importlib.abc
import importlib.util
import sys
from contextlib import contextmanager
from pathlib import Path

import theory
from theory.ledger.effort import Effort

ROOT = Path(theory.__file__).parent


class _Mutator(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds one module and loads it with its source changed."""

    def __init__(self, module, old, new):
        self.module, self.old, self.new = module, old, new
        self.path = ROOT.joinpath(*module.split(".")[1:]).with_suffix(".py")

    def find_spec(self, fullname, path, target=None):
        if fullname != self.module:
            return None
        return importlib.util.spec_from_file_location(fullname, self.path, loader=self)

    def exec_module(self, module):
        source = self.path.read_text()
        assert source.count(self.old) == 1, f"{self.old!r} occurs {source.count(self.old)} times in {self.path.name}"
        exec(compile(source.replace(self.old, self.new), str(self.path), "exec"), module.__dict__)


@contextmanager
def mutated(module, old, new):
    """Import theory's modules anew while one of them is changed; the untouched ones come back afterwards."""
    saved = {name: kept for name, kept in sys.modules.items() if name == "theory" or name.startswith("theory.")}
    finder = _Mutator(module, old, new)
    for name in saved:
        del sys.modules[name]
    sys.meta_path.insert(0, finder)
    try:
        importlib.import_module("theory.ledger.evidence")._draw.__kwdefaults__["shrink"] = False  # any failure will do
        yield importlib.import_module
    finally:
        sys.meta_path.remove(finder)
        for name in [name for name in sys.modules if name == "theory" or name.startswith("theory.")]:
            del sys.modules[name]
        sys.modules.update(saved)


def of_properties(load, module):
    """The outcomes of the properties of a file's one claim, in more cases than usual: a mutant may fail in few.

    Args:
        load: what ``mutated`` gives.
        module: the file's module.
    """
    effort = Effort("own", examples=240, thorough=False)
    (claim,) = load(module).CLAIMS
    evidence = load("theory.ledger.evidence")
    return {str(evidence.run(one, effort).outcome) for one in claim.evidence if one.kind == "property"}
