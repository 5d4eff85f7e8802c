"""Duals of performance estimation problems in files: read, rounded to rationals, checked exactly, stated in Rocq.

Any method with fixed steps, in units L = 1. The format is described in docs/extensions/kernel_page.py.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from theory.rocq.certificates import HEAD, multipliers, number, squares
from theory.worst_case import certificate, nonconvex
from theory.worst_case.certificate import STAR, Matrix, Pair, balance, positive_semidefinite

CLASSES = ("smooth", "convex", "strongly convex")
PERFORMANCES = ("final value", "final gradient", "smallest gradient")
INITIALS = ("distance", "value", "fall")
DENOMINATOR = 10**13
SLIGHT = Fraction(1, 10**6)
"""How far below 0 a multiplier may lie, and by how much of itself a bound may grow, for a solver's accuracy."""


@dataclass(frozen=True)
class Dual:
    """A claimed bound: performance <= tau * initial, for every 1-smooth function of a class.

    Args:
        kind: one of :data:`CLASSES`.
        mu: strong convexity, in [0, 1).
        steps: row k has the weights of g_0 ... g_k in x_0 - x_{k+1}; N rows.
        performance: one of :data:`PERFORMANCES`: f(x_N) - f*, |g_N|^2, min_k |g_k|^2.
        initial: one of :data:`INITIALS`: |x_0 - x*|^2, f(x_0) - f*, f(x_0) - f(x_N).
        tau: the bound.
        multipliers: of the inequalities between two points, by (i, j); -1 is the minimiser.
        shares: of the |g_k|^2, for the smallest gradient; they sum to 1. A file may leave them out.
    """

    kind: str
    mu: Fraction
    steps: Sequence[Sequence[Fraction]]
    performance: str
    initial: str
    tau: Fraction
    multipliers: Mapping[Pair, Fraction]
    shares: Sequence[Fraction] = ()

    @property
    def N(self) -> int:
        """The number of steps."""
        return len(self.steps)

    @property
    def flat(self) -> bool:
        """Whether nothing bounds x_0 - x*: then no multiplier may bring it in."""
        return self.mu == 0 and self.initial != "distance"

    def pairs(self) -> list[Pair]:
        """The pairs of points whose multiplier may differ from 0."""
        if self.kind == "smooth":
            return nonconvex.pairs(self.N)
        left = sum(self.due(point) for point in range(self.N + 1))  # what flows to the minimiser
        return [(i, j) for i, j in certificate.pairs(self.N) if not self.flat or (i != STAR and (j != STAR or left))]

    def due(self, point: int) -> Fraction:
        """What the multipliers must leave of f at an iterate: performance - tau * initial."""
        last, first = point == self.N, point == 0
        rest = Fraction(self.performance == "final value" and last)
        if self.initial != "distance":
            rest -= self.tau * (first - (last and self.initial == "fall"))
        return rest

    def slack(self) -> Matrix:
        """What must be positive semidefinite, as a form of (x_0 - x*, g_0, ..., g_N)."""
        N, size = self.N, self.N + 2
        zero = Fraction(0)
        rows = [[zero] * N, *([*row, *[zero] * (N - len(row))] for row in self.steps)]
        method: Any = SimpleNamespace(N=N, eta=Fraction(1), displacement=lambda: rows)
        total = [[zero] * size for _ in range(size)]
        total[0][0] += self.tau * (self.initial == "distance")
        shares = self.shares if self.performance == "smallest gradient" else [zero] * N + [Fraction(1)]
        if self.performance != "final value":
            for k, share in enumerate(shares):
                total[1 + k][1 + k] -= share
        for pair, weight in self.multipliers.items():
            if weight:
                smooth = self.kind == "smooth"
                form = nonconvex.inequality(method, pair) if smooth else certificate.inequality(method, self.mu, pair)
                for r, row in enumerate(form):
                    for s, value in enumerate(row):
                        total[r + smooth][s + smooth] += weight * value
        return total

    def reject(self) -> str | None:
        """Why exact arithmetic refuses it; None if it proves the bound."""
        for pair, weight in self.multipliers.items():
            if weight < 0:
                return f"the multiplier of {pair} is negative: {float(weight):.3g}"
        if self.performance == "smallest gradient" and (sum(self.shares) != 1 or min(self.shares) < 0):
            return "the shares are negative or do not sum to 1"
        for point in range(self.N + 1):
            if (flow := balance(self.multipliers, point)) != self.due(point):
                return f"the values do not cancel at x_{point}: {float(flow - self.due(point)):.3g} is left"
        return None if positive_semidefinite(self.slack()) else "the slack matrix is not positive semidefinite"

    def rounded(self) -> "Dual":
        """The same in short rationals, whose values cancel exactly: what is missing flows to or from one point."""
        allowed = self.pairs()
        root = STAR if (STAR, 0) in allowed else 0
        exact = {pair: max(_short(weight), Fraction(0)) for pair, weight in self.multipliers.items() if pair in allowed}
        for point in range(self.N + 1):
            if point != root and (missing := self.due(point) - balance(exact, point)):
                pair = (root, point) if missing > 0 else (point, root)
                exact[pair] = exact.get(pair, Fraction(0)) + abs(missing)
        if (0, STAR) in allowed and root == 0:
            exact[0, STAR] = exact.get((0, STAR), Fraction(0)) - self.due(0) + balance(exact, 0)
        shares = [max(_short(share), Fraction(0)) for share in self.shares]
        if shares:
            largest = max(range(len(shares)), key=shares.__getitem__)
            shares[largest] += 1 - sum(shares)
        return replace(self, multipliers=exact, shares=shares)

    def centred(self) -> "Dual":
        """Other multipliers at this tau, as far from the boundary as a solver finds them, rounded.

        Raises:
            ArithmeticError: there are none.
        """
        import cvxpy as cp
        import numpy as np

        pairs, shared = self.pairs(), self.performance == "smallest gradient"
        weights, shares, margin = cp.Variable(len(pairs)), cp.Variable(self.N + 1), cp.Variable()
        bare = replace(self, multipliers={}, shares=[Fraction(0)] * (self.N + 1))

        def plain(matrix: Matrix) -> np.ndarray:
            return np.array([[float(value) for value in row] for row in matrix])

        slack = cp.Constant(plain(bare.slack()))
        for k, pair in enumerate(pairs):
            one = replace(bare, multipliers={pair: Fraction(1)})
            slack = slack + weights[k] * (plain(one.slack()) - plain(bare.slack()))
        used = slice(1, None) if self.flat else slice(None)
        flow = np.array([[(j == p) - (i == p) for i, j in pairs] for p in range(self.N + 1)], dtype=float)
        rules: list[cp.Constraint] = [weights >= margin]
        rules.append(cp.Zero(flow @ weights - np.array([float(self.due(p)) for p in range(self.N + 1)])))
        if shared:
            slack = slack - cp.diag(cp.hstack([0, shares]))
            rules += [shares >= margin, cp.Zero(cp.sum(shares) - 1)]
        slack = slack[used, used]
        rules.append((slack + slack.T) / 2 >> margin * np.eye(slack.shape[0]))
        cp.Problem(cp.Maximize(margin), rules).solve(solver=cp.CLARABEL)
        if weights.value is None or margin.value is None or margin.value <= 0:
            raise ArithmeticError(f"no multipliers prove tau = {float(self.tau):.9g}")
        found = dict(zip(pairs, map(Fraction, weights.value.tolist()), strict=True))
        means = shares.value if shared else None
        return replace(
            self, multipliers=found, shares=() if means is None else list(map(Fraction, means.tolist()))
        ).rounded()


def _short(value: Fraction) -> Fraction:
    return value if value.denominator <= DENOMINATOR else Fraction(round(value * DENOMINATOR), DENOMINATOR)


def certify(dual: Dual) -> Dual:
    """A dual that exact arithmetic accepts, with the same tau or one that is larger by :data:`SLIGHT` of itself.

    Raises:
        ArithmeticError: there is none.
    """
    if dual.reject() is None:
        return dual
    found = dual.rounded()
    if found.reject() is None:
        return found
    reason = found.reject()
    try:
        found = replace(dual, tau=_short(dual.tau * (1 + SLIGHT))).centred()
    except ArithmeticError as error:
        raise ArithmeticError(f"{reason}, and {error}") from None
    if again := found.reject():
        raise ArithmeticError(f"{reason}; with other multipliers at tau = {float(found.tau):.9g}: {again}")
    return found


def read(path: Path) -> Dual:
    """The dual in a file.

    Raises:
        ValueError: the file is no dual; the message names the key, its value and what is allowed.
    """
    try:
        stored = json.loads(path.read_text(encoding="utf-8"), parse_float=str)
    except (OSError, ValueError) as error:
        raise ValueError(f"{path}: {error}") from None
    try:
        return _parsed(stored)
    except KeyError as error:
        raise ValueError(f"{path}: {error} is missing") from None
    except (TypeError, AttributeError, ValueError, ZeroDivisionError) as error:
        raise ValueError(f"{path}: {error}") from None


def _parsed(stored: Mapping[str, Any]) -> Dual:
    if not isinstance(stored, dict):
        raise ValueError("a dual is an object")
    kind = _one_of(stored, "class", CLASSES)
    performance, initial = _one_of(stored, "performance", PERFORMANCES), _one_of(stored, "initial", INITIALS)
    if kind == "smooth" and (performance == "final value" or initial != "fall"):
        raise ValueError("class smooth has no minimiser: initial must be 'fall', performance a gradient")
    steps = [[_number("steps", w) for w in row] for row in stored["steps"]]
    if not steps or any(len(row) != k + 1 for k, row in enumerate(steps)):
        raise ValueError("steps must have rows of 1, 2, ..., N weights, N >= 1")
    mu = _number("mu", stored["mu"]) if kind == "strongly convex" else Fraction(0)
    if not 0 <= mu < 1:
        raise ValueError(f"mu = {mu}: allowed is 0 <= mu < 1, in units of L")
    points = range(0 if kind == "smooth" else STAR, len(steps) + 1)
    found = {}
    for name, weight in stored["multipliers"].items():
        i, _, j = name.partition(",")
        pair = int(i), int(j)
        if pair[0] == pair[1] or any(p not in points for p in pair):
            raise ValueError(f"multipliers: {name!r} is no pair of different points of {points[0]} ... {points[-1]}")
        if pair in found:
            raise ValueError(f"multipliers: the pair {name!r} is there twice")
        found[pair] = _number(f"multipliers, {name}", weight)
        if found[pair] < -SLIGHT:
            raise ValueError(f"multipliers, {name} = {float(found[pair]):.3g}: allowed is >= 0")
    equal = [f"1/{len(steps) + 1}"] * (len(steps) + 1)
    shares = [_number("shares", share) for share in stored.get("shares", equal)] * (performance == "smallest gradient")
    if shares and len(shares) != len(steps) + 1:
        raise ValueError(f"shares must be {len(steps) + 1}, one per gradient g_0 ... g_N; there are {len(shares)}")
    return Dual(kind, mu, steps, performance, initial, _number("tau", stored["tau"]), found, shares)


def _one_of(stored: Mapping[str, Any], key: str, allowed: Sequence[str]) -> str:
    if stored[key] not in allowed:
        raise ValueError(f"{key} = {stored[key]!r}: allowed is {', '.join(map(repr, allowed))}")
    return stored[key]


def _number(key: str, value: Any) -> Fraction:
    """A decimal or a rational."""
    try:
        if isinstance(value, bool):
            raise TypeError(value)
        return Fraction(value)
    except (TypeError, ValueError, ZeroDivisionError, OverflowError):
        raise ValueError(f"{key} = {value!r} is no number: write 0.25 or '1/4'") from None


def _list(numbers: Sequence[Fraction]) -> str:
    return f"[{'; '.join(map(number, numbers))}]"


def theorem(dual: Dual) -> str:
    """The module that states the bound and proves it from ``Certificates.v``."""
    N, smooth = dual.N, dual.kind == "smooth"
    measured = f"n f D {'(x 0%nat)' if smooth else 'star'} x"
    performance, lemma, quantity = {
        "final value": (f"f (x {N}%nat) - f star", "final_value_is", f"(final_value {N})"),
        "final gradient": (f"sq n (D (x {N}%nat))", "final_gradient_is", f"(final_gradient {N})"),
        "smallest gradient": ("", "gradients_are", f"(gradients {_list(dual.shares)}%Q)"),
    }[dual.performance]
    initial, from_lemma, start = {
        "distance": ("sq n (fun i => x 0%nat i - star i)", "start_distance_is", "start_distance"),
        "value": ("f (x 0%nat) - f star", "start_value_is", "start_value"),
        "fall": (f"f (x 0%nat) - f (x {N}%nat)", "fall_is", f"(fall {N})"),
    }[dual.initial]
    right = f"Q2R {number(dual.tau)} * ({initial})"
    said = f"exists k, (k <= {N})%nat /\\ sq n (D (x k)) <= {right}" if not performance else f"{performance} <= {right}"
    kind = {"smooth": "", "convex": "convex f -> minimiser f star -> "}.get(
        dual.kind, f"strongly_convex n f (Q2R {number(dual.mu)}) -> minimiser f star -> "
    )
    in_class = {"smooth": "I", "convex": "(conj (convex_is n f C) M)"}.get(dual.kind, "(conj C M)")
    steps = [" ".join(f"- Q2R {number(w)} * D (x {j}%nat) i" for j, w in enumerate(row)) for row in dual.steps]
    moves = "".join(f"  (forall i, x {k}%nat i = x 0%nat i {step}) ->\n" for k, step in enumerate(steps, 1))
    rows = "; ".join(map(_list, ([], *dual.steps)))
    names = " ".join(f"X{k}" for k in range(1, N + 1))
    # the first point, each step, and no other
    pattern = "[|" * (N + 1) + "k" + "]" * (N + 1)
    cases = " | ".join(["cbn [nth ev]; ring", *(f"cbn [nth ev]; rewrite X{k}; ring" for k in range(1, N + 1)),
                        "cbn [length steps] in H; lia"])  # fmt: skip
    end = (
        f"destruct (one_is_small n D x {_list(dual.shares)}%Q _ ltac:(reflexivity) ltac:(reflexivity) K)\n"
        "    as [k [L B]]. exists k. split; [cbn [length] in L; lia|exact B]."
        if not performance
        else "exact K."
    )
    return f"""{HEAD}From Coq Require Import Lia.
Local Open Scope R_scope.
Definition dual_read : dual := Dual {"JustSmooth" if smooth else f"(StronglyConvex {number(dual.mu)}%Q)"}
  ([{rows}]%Q) {quantity} {start} {number(dual.tau)}%Q
  ({multipliers(dual.multipliers)}%Q)
  ({squares(dual.slack())}%Q).
Theorem bound_read n f D{"" if smooth else " star"} (x : nat -> vec) : smooth n f D 1 -> {kind}
{moves}  {said}.
Proof.
  intros Sm {"" if smooth else "C M "}{names}.
  assert (A : check dual_read = true) by (vm_cast_no_check (@eq_refl bool true)).
  assert (F : follows dual_read D x).
  {{ intros k i H. unfold dual_read in *. cbn [steps] in *. destruct k as {pattern};
    [{cases}]. }}
  pose proof (certified dual_read {measured} A (conj Sm {in_class}) F) as K.
  unfold dual_read in K. cbn [performance initial tau] in K. rewrite {lemma}, {from_lemma} in K. {end}
Qed.
"""
