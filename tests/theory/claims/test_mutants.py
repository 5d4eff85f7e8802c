"""Change one constant, sign or index of the theory's code, and see the evidence notice. Every mutant must be killed."""

import importlib
from functools import cache

import pytest

from tests.theory.claims.mutants import AFTER, CONVEX, MUTANTS, NONCONVEX, TRACKING
from tests.theory.claims.mutation import mutated


@cache
def usual(group, name):
    """What each piece of a claim's evidence finds without a mutant, as plain data."""
    (entry,) = computed(importlib.import_module, group, name)
    return [result.to_json() for result in entry.results]


def computed(load, group, name):
    (claim,) = [claim for claim in load(f"theory.claims.{group}").CLAIMS if claim.id == name]
    return load("theory.ledger.claim").entries([claim], load("theory.ledger.effort").QUICK)


def noticed(load, group, ids, before):
    """Whether one piece of evidence moves its claim's verdict, or breaks. The quickest is run first."""
    ledger, evidence, effort = (load(f"theory.ledger.{name}") for name in ("claim", "evidence", "effort"))
    claims = {claim.id: claim for claim in load(f"theory.claims.{group}").CLAIMS}
    known = {name: [evidence.Result.from_json(result) for result in before[name]] for name in ids}
    pieces = [(found.seconds, name, place) for name in ids for place, found in enumerate(known[name])]
    for _, name, place in sorted(pieces):
        found = list(known[name])
        found[place] = evidence.run(claims[name].evidence[place], effort.QUICK)
        entry = ledger.Entry(claims[name], found)
        if entry.broken or entry.verdict != ledger.Entry(claims[name], known[name]).verdict:
            return True
    return False


@pytest.mark.parametrize("mutant", MUTANTS.values(), ids=MUTANTS)
def test_mutant_is_killed(mutant):
    module, old, new, (group, *ids) = mutant
    before = {name: usual(group, name) for name in ids}
    with mutated(module, old, new) as load:
        assert noticed(load, group, ids, before)


@pytest.mark.parametrize("claims", [CONVEX, NONCONVEX, TRACKING, AFTER], ids=lambda claims: claims[0])
def test_no_mutant_no_notice(claims):
    group, *ids = claims
    before = {name: usual(group, name) for name in ids}
    with mutated("theory.theorems.bounds", "The right-hand sides", "Right-hand sides") as load:
        assert not noticed(load, group, ids, before)
