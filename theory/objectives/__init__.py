"""Synthetic problems with known constants, by name.

    >>> from theory import objectives
    >>> f = objectives.make("rosenbrock")
    >>> float(abs(f.gradient(f.minimisers)).max()), f.infimum
    (0.0, 0.0)

Another one is one file here: a function with the decorator ``@objective("name")`` that returns an
:class:`~theory.objectives.base.Objective`. Every module of this package is imported, so that nothing else needs a
change, and the tests try each registered name: derivatives against finite differences, constants against samples.
"""

from importlib import import_module
from pkgutil import iter_modules

from theory.objectives.base import FiniteSum, Objective
from theory.objectives.by_name import make, make_stream, names, stream_names
from theory.objectives.online import Stream

for _module in iter_modules(__path__):
    import_module(f"{__name__}.{_module.name}")

__all__ = ["FiniteSum", "Objective", "Stream", "make", "make_stream", "names", "stream_names"]
