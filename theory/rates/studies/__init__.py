"""The seven studies, one per file; :class:`theory.rates.cells.RateStudy` is what each has."""

from theory.rates.cells import RateStudy
from theory.rates.studies import batch, convex, floor, linear, nonconvex, pl, regret

_STUDIES: tuple[RateStudy, ...] = (convex, linear, floor, regret, nonconvex, batch, pl)
ALL = {study.NAME: study for study in _STUDIES}
