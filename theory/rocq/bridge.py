"""What this package's Python computes, as statements for the kernel: its constants and its first steps, on symbols.

The functions themselves are run, nothing is typed again. A changed constant or algorithm is then another statement,
which the kernel refuses, because its own definitions have stayed.
"""

from functools import cache
from itertools import product
from types import SimpleNamespace
from typing import Any
from unittest import mock

import numpy as np

STEPS = 4
SHAPES = (1,), (1, 2), (5,), (3, 1, 2), (2, 2, 2)
"""Sizes of layers for which Theorem C's right-hand side is printed."""
_HEAD = """(** Printed by theory/rocq/bridge.py from the package's own functions. *)
From Coq Require Import Reals Lra.
From Proofs Require Import Sums Vectors Methods TheoremN Adaptor Online Normalised.
Local Open Scope R_scope.
Ltac side := repeat split; match goal with H : ?x <> 0 |- ?y <> 0 => solve [intro K; apply H; lra] | _ => idtac end.
"""


@cache
def printed() -> dict[str, str]:
    """The module ``Bridge``."""
    return {"Bridge": "\n".join([_HEAD, *_constants(), *_regret(), *_normalised(), *_steps()]) + "\n"}


def _constants() -> list[str]:
    """Theorem N's constants, and its right-hand side from them, as `theory.theorems.bounds` has them."""
    import sympy as sp

    from theory.theorems import bounds, high_probability, primal_averaging, virtual_iterate_bounds

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
    sigma, age, delta = sp.symbols("sigma age delta")
    with mock.patch.object(high_probability, "log", return_value=sp.Symbol("x")):
        likely: Any = high_probability.mean_square_gradient(
            SimpleNamespace(K=age), L=L, eta=eta, T=T, gap=gap, sigma=sigma, delta=delta  # type: ignore[arg-type]
        )  # fmt: skip
    lines.append(
        "Lemma python_high_probability L eta T gap sigma age x : eta <> 0 -> T <> 0 ->\n"
        "  4 * gap / (eta * T) + 2 * L * eta * (sigma * sigma) * (1 + 2 * L * eta * (age * age))\n"
        f"  + 4 * (1 + L * eta) * (sigma * sigma) * x / T = {_coq(likely)}.\nProof. intros; field; side. Qed."
    )
    # without noise, on convex functions
    distance2 = sp.Symbol("distance2")
    setting: Any = SimpleNamespace(alpha=alpha, beta1=beta1, beta2=beta2, b=beta2 / (1 - beta2))
    given: Any = {"eta": eta, "distance2": distance2, "gap": gap}
    for name, mine, value in (
        ("any_alpha", "(distance2 / (2 * eta) + beta2 / (1 - beta2) * gap) / T",
         primal_averaging.mean_gap_any(setting, T=T, **given)),
        ("mixing", "(distance2 / (2 * eta * (1 - beta1 * beta2)) + gap / ((1 - beta1) * (1 - beta2))) / T",
         primal_averaging.mean_gap(setting, T=T, **given)),
        ("every", "gap + distance2 * ((1 - beta1) * (1 - beta2)) / (2 * eta * (1 - beta1 * beta2))",
         primal_averaging.last_gap(setting, **given)),
    ):  # fmt: skip
        lines.append(
            f"Lemma python_{name} beta1 beta2 eta T distance2 gap : eta <> 0 -> T <> 0 -> 1 - beta1 <> 0 ->\n"
            f"  1 - beta2 <> 0 -> 1 - beta1 * beta2 <> 0 -> {mine} = {_coq(value)}.\n"
            "Proof. intros; field; side. Qed."
        )
    return lines


def regret_name(layerwise: bool, sizes: tuple[int, ...]) -> str:
    """The name of the lemma on Theorem C's right-hand side for layers of these sizes."""
    return "_".join(["python_regret", "alto" if layerwise else "eadam", *map(str, sizes)])


def _regret() -> list[str]:
    """Theorem C's right-hand side as `theory.theorems.bounds` has it, for layers of the sizes in SHAPES."""
    import sympy as sp

    from theory.theorems import bounds

    names = "width kappa G eps1 eps2 eps3 eta rho gamma D comparator age variation"
    width, kappa, G, eps1, eps2, eps3, eta, rho, gamma, D, comparator, age, variation = sp.symbols(names)
    numbers: Any = SimpleNamespace(kappa=kappa, kappa_m=kappa, K=age)
    lines = []
    for layerwise, sizes in product((True, False), SHAPES):
        online = bounds.Online(
            numbers, 0, eps1, eps2, eps3, eta, gamma, sizes, layerwise, G, D, width, comparator, variation
        )  # type: ignore[arg-type]
        with (
            mock.patch.object(bounds, "sqrt", sp.sqrt),
            mock.patch.object(bounds, "ratio_bound", return_value=rho),
        ):
            right: Any = bounds.regret(online, sp.Symbol("T"))  # type: ignore[arg-type]
        d, N = sum(sizes), len(sizes)
        layer = " | ".join(f"{i}%nat => {l}%nat" for i, l in enumerate(np.repeat(range(N), sizes)))
        numerals = "".join(
            f"replace ({' + '.join(['1'] * n)}) with {n} by ring; " for n in sorted({*sizes, d, N} - {1}, reverse=True)
        )
        lines.append(
            f"Lemma {regret_name(layerwise, sizes)} {names} T : eta <> 0 -> eps3 <> 0 ->\n"
            f"  regret_A {d} {N} (fun i => match i with {layer} | _ => {N}%nat end) {str(layerwise).lower()}\n"
            "    eps1 eps2 eps3 eta (fun i => match i with O => comparator | _ => 0 end)\n"
            "    G width D gamma kappa rho age * sqrt T\n"
            f"  + regret_B {d} G width age variation = {_coq(right)}.\n"
            "Proof. intros; unfold regret_A, regret_B, reach, direction, Wmax, inverse_factor, size, within, sq; "
            f"simpl; rewrite ?Rplus_0_l, ?Rplus_0_r; {numerals}rewrite ?sqrt_1; field; side. Qed."
        )
    return lines


def _normalised() -> list[str]:
    """The right-hand sides of `theory.theorems.normalised_step`: of one step in two layers, and of the mean."""
    import sympy as sp

    from theory.theorems import normalised_step as theorem

    def by_layer(term: str) -> Any:
        return np.array([sp.Symbol(f"({term.replace('#', f'{layer}%nat')})") for layer in (0, 1)], dtype=object)

    one: Any = None  # what the sum over layers does not read
    eta, L, gamma = sp.symbols("eta L gamma")
    found = theorem.Layers(
        phi=by_layer("phi #"), psi=by_layer("psi (a #) (b #)"), gradient=by_layer("norm_in n layer # (D theta)"),
        error=by_layer("norm_in n layer # (fun j => m j - D theta j)"),
        decay=gamma * by_layer("norm_in n layer # (fun j => W j * theta j)"),
        shortened=by_layer("psi (a #) (b #) * eps2 # * phi # * b #"), aligned=one, downhill=one,
    )  # fmt: skip
    lines = [
        "Lemma python_falls n layer D gamma theta m W (phi eps2 a b : nat -> R) eta L :\n"
        "  - eta * sum 2 (falls_by n layer D gamma theta m W phi eps2 a b)\n"
        f"  + L / 2 * (eta * eta) * sum 2 (fun l => phi l * phi l) = {_coq(found.fall(eta, L))}.\n"
        "Proof. intros; unfold sum, falls_by; field. Qed."
    ]
    roots: list[Any] = []

    def root(x: Any) -> Any:
        roots.append(sp.sympify(x))
        return sp.sqrt(x)

    def same_root(mine: str, python: Any) -> str:
        return f"replace (sqrt ({mine})) with (sqrt {_coq(python)}) by (f_equal; field; side); "

    with mock.patch.object(theorem, "sqrt", root):
        names = "eta T gap first variance L reach eps2 gamma widest far drift initial noise"
        eta, T, gap, first, variance, L, reach, eps2, gamma, widest, far, drift, initial, noise = sp.symbols(names)
        mean: Any = theorem.mean_weighted_gradient(
            SimpleNamespace(drift=drift, initial=initial, noise=noise),  # type: ignore[arg-type]
            eta=eta, T=T, gap=gap, first=first, variance=variance, L=L, reach=reach, eps2=eps2, decay=gamma,
            widest=widest, D=far,
        )  # fmt: skip
        lines.append(
            f"Lemma python_weighted_gradient {names} : eta <> 0 -> T <> 0 ->\n"
            "  gap / (eta * T) + 2 * reach * (sqrt drift * L * eta * reach + sqrt (initial * first / T)\n"
            "    + sqrt (noise * variance)) + L * eta * (reach * reach) / 2\n"
            f"  + (reach * reach * eps2 * widest + 2 * reach * gamma * widest * far) = {_coq(mean)}.\n"
            f"Proof. intros; {same_root('initial * first / T', roots[1])}{same_root('noise * variance', roots[2])}"
            "field; side. Qed."
        )
        kappa, size = sp.Symbol("kappa"), sp.Symbol("size", positive=True)  # size is |alpha|
        roots.clear()
        constant: Any = theorem.rate_constant(
            SimpleNamespace(kappa=kappa, alpha=size),  # type: ignore[arg-type]
            eta=eta, T=T, gap=gap, first=first, variance=variance, L=L, reach=reach,
        )  # fmt: skip
        inner = next(x for x in roots if x.has(first))
        lines.append(
            "Lemma python_rate_constant eta T gap first variance L reach kappa size : eta <> 0 -> sqrt T <> 0 ->\n"
            "  let age := kappa + size / sqrt T in\n"
            "  gap / eta + 2 * reach * (sqrt 2 * (age * L * eta * reach + sqrt (kappa * age * first)\n"
            f"    + kappa * sqrt variance)) + L * eta * (reach * reach) / 2 / sqrt T = {_coq(constant)}.\n"
            f"Proof. intros; unfold age; {same_root('kappa * (kappa + size / sqrt T) * first', inner)}"
            "field; side. Qed."
        )
        G, eps1 = sp.symbols("G eps1")
        roots.clear()
        least: Any = theorem.alignment(SimpleNamespace(kappa=kappa), eps1, G)  # type: ignore[arg-type]
        lines.append(
            "Lemma python_alignment kappa G eps1 : 0 < eps1 -> 0 < kappa * G + eps1 ->\n"
            f"  psi eps1 (kappa * G + eps1) = {_coq(least)}.\n"
            f"Proof. intros; rewrite psi_is by assumption; pose proof (sqrt_pos {_coq(roots[0])}); "
            f"replace ((kappa * G + eps1) / eps1) with {_coq(roots[0])} by (field; lra); "
            "field; lra. Qed."
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
    if isinstance(e, sp.Pow) and abs(e.exp) == sp.Rational(1, 2):
        return f"({'/ ' if e.exp < 0 else ''}sqrt {_coq(e.base)})"
    if isinstance(e, sp.Pow) and isinstance(e.exp, sp.Integer):
        base, power = _coq(e.base), int(e.exp)
        return f"({base} ^ {power})" if power > 0 else f"(/ ({base} ^ {-power}))"
    raise ValueError(f"{e} is not made of rational numbers, + * ^ and square roots")
