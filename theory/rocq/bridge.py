"""What this package's Python computes, as statements for the kernel: its constants and its first steps, on symbols.

The functions themselves are run, nothing is typed again. A changed constant or algorithm is then another statement,
which the kernel refuses, because its own definitions have stayed.
"""

from functools import cache
from types import SimpleNamespace
from typing import Any
from unittest import mock

import numpy as np

STEPS = 4
_HEAD = """(** Printed by theory/rocq/bridge.py from the package's own functions. *)
From Coq Require Import Reals Lra.
From Proofs Require Import Sums Vectors Methods TheoremN Adaptor Online.
Local Open Scope R_scope.
Ltac side := repeat split; match goal with H : ?x <> 0 |- ?y <> 0 => solve [intro K; apply H; lra] | _ => idtac end.
"""


@cache
def printed() -> dict[str, str]:
    """The module ``Bridge``."""
    return {"Bridge": "\n".join([_HEAD, *_constants(), *_regret(), *_steps()]) + "\n"}


def _constants() -> list[str]:
    """Theorem N's constants, and its right-hand side from them, as `theory.theorems.bounds` has them."""
    import sympy as sp

    from theory.theorems import bounds, virtual_iterate_bounds

    alpha, beta1, beta2 = sp.symbols("alpha beta1 beta2")
    numbers = SimpleNamespace(alpha=alpha, beta1=beta1, beta2=beta2, c=-alpha * (1 - beta1), b=beta2 / (1 - beta2))
    found: Any = bounds.tracking_by_recursion(numbers)  # type: ignore[arg-type]
    lines = [
        f"Lemma python_{name} alpha beta1 beta2 : 1 - beta1 <> 0 -> 1 - beta2 <> 0 ->\n"
        f"  {name} beta1 beta2 (- alpha * (1 - beta1)) = {_coq(value)}.\n"
        f"Proof. intros; unfold {name}; field; side. Qed."
        for name, value in (("C_delta", found.drift), ("C_zero", found.initial), ("C_noise", found.noise))
    ]
    names = "eta q_min q_max T gap first variance noise initial"
    eta, smallest, largest, T, gap, first, variance, noise, initial = sp.symbols(names)
    bound = bounds.mean_square_gradient(
        SimpleNamespace(noise=noise, initial=initial),  # type: ignore[arg-type]
        SimpleNamespace(smallest=smallest, largest=largest, chi=largest / smallest),  # type: ignore[arg-type]
        eta=eta, T=T, gap=gap, first=first, variance=variance,
    )  # fmt: skip
    lines.append(
        f"Lemma python_bound {names} : eta <> 0 -> q_min <> 0 -> T <> 0 ->\n"
        "  2 * gap / (eta * q_min * T) + q_max / q_min * (noise * variance + initial * first / T)\n"
        f"  = {_coq(bound)}.\nProof. intros; field; side. Qed."
    )
    # the two bounds at the virtual iterate
    tau2, L, mu, n = sp.symbols("tau2 L mu n")
    shared: Any = SimpleNamespace(tau2=tau2)
    small = bounds.mean_square_gradient_small_batch(shared, L=L, eta=eta, T=T, gap=gap, variance=variance)
    lines.append(
        "Lemma python_small_batch L eta T gap variance tau2 : eta <> 0 -> T <> 0 ->\n"
        "  4 * gap / (eta * T) + 2 * L * eta * variance * (1 + 2 * L * eta * tau2)\n"
        f"  = {_coq(small)}.\nProof. intros; field; side. Qed."
    )
    pl = virtual_iterate_bounds.pl_gap(shared, eta=eta, L=L, mu=mu, n=n, gap=gap, variance=variance)  # type: ignore[arg-type]
    power = sp.Symbol("power")
    lines.append(
        "Lemma python_pl L eta mu power gap variance tau2 : mu <> 0 ->\n"
        "  power * gap + L * eta * variance / (2 * mu) * (1 + 2 * L * eta * tau2)\n"
        f"  = {_coq(sp.sympify(pl).subs((1 - eta * mu) ** n, power))}.\nProof. intros; field; side. Qed."
    )
    return lines


def _regret() -> list[str]:
    """Theorem C's right-hand side as `theory.theorems.bounds` has it, for three coordinates in layers of 1 and 2."""
    import sympy as sp

    from theory.theorems import bounds

    names = "width kappa G eps1 eps2 eps3 eta rho gamma D comparator age variation"
    width, kappa, G, eps1, eps2, eps3, eta, rho, gamma, D, comparator, age, variation = sp.symbols(names)
    numbers: Any = SimpleNamespace(kappa=kappa, kappa_m=kappa, K=age)
    lines = []
    for layerwise in (True, False):
        online = bounds.Online(
            numbers, 0, eps1, eps2, eps3, eta, gamma, (1, 2), layerwise, G, D, width, comparator, variation
        )  # type: ignore[arg-type]
        with (
            mock.patch.object(bounds, "sqrt", sp.sqrt),
            mock.patch.object(bounds, "ratio_bound", return_value=rho),
        ):
            right: Any = bounds.regret(online, sp.Symbol("T"))  # type: ignore[arg-type]
        lines.append(
            f"Lemma python_regret_{'alto' if layerwise else 'eadam'} {names} T : eta <> 0 -> eps3 <> 0 ->\n"
            f"  regret_A 3 2 (fun i => match i with O => 0%nat | _ => 1%nat end) {str(layerwise).lower()}\n"
            "    eps1 eps2 eps3 eta (fun i => match i with O => comparator | _ => 0 end)\n"
            "    G width D gamma kappa rho age * sqrt T\n"
            f"  + regret_B 3 G width age variation = {_coq(right)}.\n"
            "Proof. intros; unfold regret_A, regret_B, reach, direction, Wmax, inverse_factor, size, within, sq; "
            "replace (INR 3) with 3 by (simpl; ring); replace (INR 2) with 2 by (simpl; ring); simpl; "
            "rewrite ?Rplus_0_l, ?Rplus_0_r, ?sqrt_1; replace (1 + 1) with 2 by ring; field; side. Qed."
        )
    return lines


def _steps() -> list[str]:
    """The first steps of Algorithm 4 as `theory.method.algorithms` takes them: a, u, m and v."""
    import sympy as sp

    from theory.method import algorithms

    alpha, beta1, beta2, beta3 = sp.symbols("alpha beta1 beta2 beta3")
    gradients = sp.symbols(f"g1:{STEPS + 1}")
    lines = []
    with mock.patch.object(algorithms, "_layers", lambda arrays: [np.array(x, dtype=object) for x in arrays]):
        method: Any = algorithms.EAdam(alpha, beta1, beta2=beta2, beta3=beta3, eps1=0)
        method.init([np.zeros((1, 1), dtype=object)])
        for k, gradient in enumerate(gradients, 1):
            method._average(method.explore([np.array([[gradient]], dtype=object)]))
            constant = "(fun _ => alpha)"
            for name, value in (
                (f"a beta1 g {k}", method.a),
                (f"u beta1 g {constant} {k}", method.u),
                (f"m beta1 beta2 g {constant} {k}", method.m),
                (f"v beta1 beta3 g {constant} {k}", method.v),
            ):
                lines.append(
                    f"Lemma python_{name[0]}_{k} (alpha beta1 beta2 beta3 : R) (g : nat -> R) : g 0%nat = 0 ->\n"
                    f"  {name} = {_coq(value[0][0, 0])}.\n"
                    "Proof. intros E; simpl; unfold u; simpl; rewrite ?E; ring. Qed."
                )
    return lines


def _coq(expression: Any) -> str:
    """An expression in exact numbers in Rocq's notation."""
    import sympy as sp

    e = sp.sympify(expression)
    if isinstance(e, sp.Symbol):
        return f"(g {e.name[1:]}%nat)" if e.name[0] == "g" and e.name[1:].isdigit() else e.name
    if isinstance(e, sp.Rational | sp.Float):
        exact: Any = sp.Rational(e)
        return f"({exact.p})" if exact.q == 1 else f"({exact.p} / {exact.q})"
    if isinstance(e, sp.Add | sp.Mul):
        return "(" + (" + " if isinstance(e, sp.Add) else " * ").join(map(_coq, e.args)) + ")"
    if isinstance(e, sp.Pow) and e.exp == sp.Rational(1, 2):
        return f"(sqrt {_coq(e.base)})"
    if isinstance(e, sp.Pow) and isinstance(e.exp, sp.Integer):
        base, power = _coq(e.base), int(e.exp)
        return f"({base} ^ {power})" if power > 0 else f"(/ ({base} ^ {-power}))"
    raise ValueError(f"{e} is not made of rational numbers, + * ^ and square roots")
