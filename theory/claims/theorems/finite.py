"""Theorem N for finite probability, as the kernel of Rocq has checked it whole (theory/rocq/Algorithms.v)."""

from theory.ledger.claim import Claim
from theory.ledger.formal import formal
from theory.rocq import LIBRARY

READS = ("formal.json",)

NOISE = (
    r"$f$ $L$-smooth and bounded below, its gradient $L$-Lipschitz",
    "each draw of the noise has finitely many outcomes, whose weights may depend on the whole past",
    r"$E[g_k | \text{past}] = \nabla f(\theta_k)$, conditional variance at most $\sigma^2$",
    r"$C_d, C_0, C_s$ the second triple of ours-tracking-error",
)
BOUNDED = r"every coordinate of every gradient at most $G$ in magnitude"

CLAIMS = (
    Claim(
        id="ours-theorem-n-sgd-finite",
        source="ours",
        statement=(
            r"Algorithm 3 with normalised momentum, $\eta L \le 1/2$, $C_d(\eta L)^2 \le 1/2$: $\frac1T \sum_k "
            r"E\|\nabla f(\theta_k)\|^2 \le \frac{2\Delta}{\eta T} + C_s \sigma^2 + \frac{C_0 \|\nabla f(\theta_1)\|^2}"
            r"{T}$."
        ),
        plain="ESGD's mean squared gradient falls like 1/T to a floor, for noise with finitely many outcomes.",
        assumptions=NOISE,
        evidence=(formal("Theorem N, the literal ESGD", LIBRARY, "esgd"),),
    ),
    Claim(
        id="ours-theorem-n-adam-finite",
        source="ours",
        statement=(
            r"Algorithm 4 without bias correction, $q_{min} = 1/(\kappa G + \epsilon_1)$, $q_{max} = 1/\epsilon_1$, "
            r"$\eta q_{max} L \le 1/2$, $C_d (\eta q_{max} L)^2 \le 1/2$: $\frac1T \sum_k E\|\nabla f(\theta_k)\|^2 "
            r"\le \frac{2\Delta}{\eta q_{min} T} + \frac{q_{max}}{q_{min}} (C_s \sigma^2 + \frac{C_0 \|\nabla "
            r"f(\theta_1)\|^2}{T})$."
        ),
        plain="EAdam without bias correction has such a bound too, for noise with finitely many outcomes.",
        assumptions=(*NOISE, BOUNDED, r"$\epsilon_1 > 0$"),
        evidence=(formal("Theorem N, the literal EAdam", LIBRARY, "eadam"),),
    ),
    Claim(
        id="ours-theorem-n-alto-finite",
        source="ours",
        statement=(
            r"The same for Algorithm 1 without weight decay, with $q_{max} = 1/(\epsilon_1\epsilon_2)$ and $1/q_{min} "
            r"= (\kappa G + \epsilon_1) (\sqrt{d_{max}} \kappa G/\epsilon_1 + \epsilon_2\epsilon_3)/\epsilon_3$, "
            r"$d_{max}$ the size of the largest layer."
        ),
        plain="ALTO without bias correction and decay has such a bound too, for noise with finitely many outcomes.",
        assumptions=(*NOISE, BOUNDED, r"$\epsilon_1, \epsilon_2, \epsilon_3 > 0$"),
        evidence=(
            formal(
                "Theorem N, the literal Algorithm 1; its hypotheses can be met", LIBRARY, "alto_algorithm_1", "witness"
            ),
        ),
    ),
)
