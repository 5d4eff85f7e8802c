"""Measured convergence rates beside what the theorems predict: ``python -m theory rates``.

:func:`measure` runs any optimizer on any objective and returns :class:`Rates`; the rest of this page is about the
stored studies.

Seven studies run ESGD, EAdam, vanilla ALTO and ALTO, each also at alpha = 0. They compare an exponent, a linear rate or
a floor with its prediction, and a whole curve with the bound of a theorem.

Windows, tolerances and predictions are in the code, fixed before a run. Not all of them were before the first trial:
what trials with other seeds changed is the quick window of the convex study, the window and the largest T of
batch = T, the prediction of the PL floors (proportional to eta only for small eta), of the floor in skewed noise (the
iterate's variance is part of it) and of the Huber exponent (the exact formula's own slope where N is near |alpha|), how
many rounds it takes until the late growth of a regret is compared and that EAdam's has a linear part, and on Reddi's
stream with n = 50 what is compared (the window began before the computed onset).
The stored full run has seeds that neither a trial nor an earlier full run used; where a row has no seeds, agreement
confirms a formula, no guess.

A folder of results holds one file per study, ``<study>.json``, and the same content flat in ``rows.parquet`` (one line
per row) and ``curves.parquet`` (one line per point), ``throughput.json``, and ``run-full.json`` or ``run-quick.json``:
the seconds that the last run of all studies took (``wall_s``), that the studies took, with what was resumed
(``cells_s``), and of all cores together (``cpu_s``). The file of a study is one JSON object:

    study, title    its name (convex, linear, floor, regret, nonconvex, batch, pl) and one sentence
    mode            "quick" or "full"
    config          for each part of the study what was fixed before it ran: settings, sizes, step sizes, fit windows,
                    tolerances; with its own number of seeds, wall_s and commit
    seeds           the list of seeds ([] where nothing is random)
    provenance      of the part that ran last: source (the digest of the code that the study runs), commit, computed
                    (UTC), versions: {package: version}, processor, cores, platform, load
    wall_s          seconds that the study took
    rows            list of comparisons of one number with its prediction
    curves          list of whole curves, thinned to at most some 50 points, evenly spaced in log x

A row:

    id              unique in the file; study, objective, method ("ESGD", "EAdam", "ALTO vanilla", "ALTO")
    alpha, beta1, beta2, beta3 (null for ESGD), variant (what else tells it apart from its siblings, or "")
    quantity        what the number is, such as "exponent in T of the mean squared gradient"
    theorem         where the prediction comes from
    predicted, relation     "=" measured should equal it; "<=" should not exceed it; "~" a heuristic that should be near
    measured, low, high     the estimate and its 95 % bootstrap interval over seeds (low = high = measured if no seeds)
    tolerance       allowed besides the interval, fixed in advance
    window          [from, to] of the fit, and window_of: the quantity on that axis
    bound_over_measured     smallest bound / measured along the whole curve, null where no bound was evaluated
    bound_over_measured_late    the same within the fit window: how loose the bound is once the start is forgotten
    proved          whether the bound's theorem is proved and its hypotheses were met, so that the ratio must be >= 1
    n_seeds
    derived         whether the number follows from a sibling row's (such as an exponent in 1/eps from one in T): it is
                    no comparison of its own and is left out of every count
    verdict         "agrees", "differs", "undecided" or "bound violated"

A curve:

    id, row (the row's id), objective, method, alpha, beta1, beta2, beta3, variant
    x_name, x       such as "T", "step", "batch", "eta lambda"
    y_name, measured, low, high     mean over seeds and its 95 % interval (null where nothing is random)
    bound           the theorem's bound at each x, or null
    predicted       the exact or asymptotic prediction at each x, or null
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from theory.rates.measured import Rates
    from theory.rates.measuring import measure
    from theory.rates.user_code import UserCodeError

_NAMES = {"Rates": "measured", "UserCodeError": "user_code", "measure": "measuring"}

__all__ = ["Rates", "UserCodeError", "measure"]


def __getattr__(name: str) -> Any:
    """A public name, imported at its first use."""
    if name not in _NAMES:
        raise AttributeError(f"module 'theory.rates' has no attribute {name!r}; it has {', '.join(__all__)}")
    return getattr(import_module(f"theory.rates.{_NAMES[name]}"), name)
