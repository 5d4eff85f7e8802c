"""K16 ... K20, K24: runs on small landscapes."""

from collections.abc import Iterator

from theory import objectives
from theory.claims.method.valley import table_1_agreement
from theory.regressions.check import Check, Quantity
from theory.simulate.batch import Method, simulate
from theory.simulate.crossing import sign_agreement
from theory.simulate.dips import first_failure
from theory.simulate.drift import drift
from theory.simulate.rule import Rule


def _table_1() -> Iterator[Quantity]:
    for name, share in table_1_agreement(0.01).items():
        yield f"share of steps with Table 1's sign of {name}", share, 1


def _signs() -> list[Quantity]:
    return [
        ("sign of a_k like g_k - g_{k-1}, 20 steps a crossing", sign_agreement(20)[0], 0.525),
        ("the same, 2000 steps a crossing", sign_agreement(2000)[0], 0.967),
    ]


def _ripples() -> list[Quantity]:
    f = objectives.make("ripples")
    methods = [
        Method("Adam(.95)", "adam", 0.0, 0.99, 0.95, 0.1),
        Method("EAdam(-80)", "adam", -80.0, 0.99, 0.95, 0.1),
        Method("Adam(.99)", "adam", 0.0, 0.99, 0.99, 0.1),
        Method("Adam(.99), 5 eta", "adam", 0.0, 0.99, 0.99, 0.5),
    ]
    ends = simulate(methods, f.gradient, f.start[None], steps=4000, keep=2000)[:, :, 0, 0]
    found = [*ends[1, :3], ends[2, 3]]
    references = (5.5905, 16.508, 10.244, 18.080)
    return [
        (f"end of {method.label} on f1", end, reference)
        for method, end, reference in zip(methods, found, references, strict=True)
    ]


def _dips() -> Iterator[Quantity]:
    for alpha, reference in ((0.0, 0.09614), (-5.0, 0.1014), (-50.0, 0.2134)):
        yield f"first dip that holds ESGD, alpha={alpha:g}", first_failure(Rule(alpha, 0.99, 0.9), eta=5e-4), reference


def _drift() -> list[Quantity]:
    ends = drift([Rule(0.0), Rule(-50.0), Rule(-80.0)], eta=0.8, points=1)[:, :, -1].mean(1)
    return [
        ("y(20000) at alpha=0", ends[0], -5.41),
        ("y(20000) at alpha=-80", ends[2], -1.594),
        ("order monotone in alpha", float(ends[0] < ends[1] < ends[2]), 1),
    ]


def _rosenbrock() -> Iterator[Quantity]:
    f = objectives.make("rosenbrock")
    methods = [
        Method("ESGD(0)", "sgd", 0.0, 0.99, 0.9, 1e-3),
        Method("ESGD(-90)", "sgd", -90.0, 0.99, 0.9, 1e-3),
        Method("heavy ball(.99), eta/10", "sgd", 0.0, 0.99, 0.99, 1e-4),
    ]
    run = simulate(methods, f.gradient, f.start[None], steps=2000)[:, :, 0]
    hits = (f.value(run) < 1e-6).argmax(0)
    for method, hit, reference in zip(methods, hits, (1484, 1219, 1219), strict=True):
        yield f"first step of {method.label} with f < 1e-6", float(hit), reference


CHECKS = (
    Check("K16", "signs of Table 1, steps of .01", lambda: list(_table_1()), 0.0),
    Check("K17", "sign of a_k", _signs, 5e-2, absolute=True),
    Check("K18", "end points on the paper's first function", _ripples, 1e-2, absolute=True),
    Check("K19", "crossing a dip", lambda: list(_dips()), 1e-2),
    Check("K20", "drift along a valley, means over 48 seeds", _drift, 0.1, absolute=True),
    Check("K24", "Rosenbrock's valley", lambda: list(_rosenbrock()), 0.0),
)
