"""The seven studies, one per file: ``NAME``, ``TITLE`` and ``cells(full)``."""

from types import ModuleType

from theory.rates.studies import batch, convex, floor, linear, nonconvex, pl, regret

ALL: dict[str, ModuleType] = {study.NAME: study for study in (convex, linear, floor, regret, nonconvex, batch, pl)}
