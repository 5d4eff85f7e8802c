"""Theorems with no proof but the kernel's (theory/rocq): finite probability, Theorem C enforced, certificates."""

from theory.claims.theorems.convex import CONVEX, RIGHT_SIDE
from theory.ledger.claim import Claim
from theory.ledger.formal import formal
from theory.rocq import LIBRARY

READS = ("formal.json", "worst-case/certificates/*.json")

NOISE = (
    r"$f$ differentiable, $\nabla f$ $L$-Lipschitz, $f$ bounded below",
    "each draw of the noise has finitely many outcomes, whose weights may depend on the whole past",
    r"$E[g_k | \text{past}] = \nabla f(\theta_k)$, conditional variance at most $\sigma^2$",
    r"$C_d, C_0, C_s$ the second triple of ours-tracking-error",
)
BOUNDED = r"every coordinate of every gradient at most $G$ in magnitude"

FINAL = r"$f(\theta_{N+1}) - f^* \le \tau L \|\theta_1 - \theta^*\|^2$"

CLAIMS = (
    Claim(
        id="ours-theorem-n-sgd-finite",
        source="ours",
        statement=(
            r"Algorithm 3 with normalised momentum, $\eta L \le 1/2$, $C_d(\eta L)^2 \le 1/2$: $\frac1T \sum_k "
            r"E\|\nabla f(\theta_k)\|^2 \le \frac{2\Delta}{\eta T} + C_s \sigma^2 + \frac{C_0 \|\nabla "
            r"f(\theta_1)\|^2}{T}$."
        ),
        plain="ESGD's mean squared gradient falls like 1/T to a floor, for noise with finitely many outcomes.",
        assumptions=NOISE,
        evidence=(formal("Theorem N, the literal ESGD", LIBRARY, "esgd", "python_bound"),),
    ),
    Claim(
        id="ours-theorem-n-adam-finite",
        source="ours",
        statement=(
            r"Algorithm 4, $q_{min} = 1/(\kappa G + \epsilon_1)$, $q_{max} = 1/\epsilon_1$ without bias correction "
            r"and $1/((1 - \beta_2) \epsilon_1)$ with it, $\eta q_{max} L \le 1/2$, $C_d (\eta q_{max} L)^2 \le "
            r"1/2$: $\frac1T \sum_k E\|\nabla f(\theta_k)\|^2 \le \frac{2\Delta}{\eta q_{min} T} + "
            r"\frac{q_{max}}{q_{min}} (C_s \sigma^2 + \frac{C_0 \|\nabla f(\theta_1)\|^2}{T})$."
        ),
        plain="EAdam with or without bias correction has such a bound too, for noise with finitely many outcomes.",
        assumptions=(*NOISE, BOUNDED, r"$\epsilon_1 > 0$"),
        evidence=(formal("Theorem N, the literal EAdam", LIBRARY, "eadam", "python_bound"),),
    ),
    Claim(
        id="ours-theorem-n-alto-finite",
        source="ours",
        statement=(
            r"The same for ALTO without weight decay, with $q_{max} = 1/(\epsilon_1\epsilon_2)$ or, with bias "
            r"correction, $1/((1 - \beta_2) \epsilon_1\epsilon_2)$, and $1/q_{min} = (\kappa G + \epsilon_1) "
            r"(\sqrt{d_{max}} \zeta + \epsilon_2\epsilon_3)/\epsilon_3$, $d_{max}$ the size of the largest layer, "
            r"$\zeta = \kappa_m G/\epsilon_1$ ($\kappa G/\epsilon_1$ with bias correction) or that of lemma-10."
        ),
        plain="ALTO without weight decay has such a bound too, for noise with finitely many outcomes.",
        assumptions=(*NOISE, BOUNDED, r"$\epsilon_1, \epsilon_2, \epsilon_3 > 0$"),
        evidence=(
            formal(
                "Theorem N, the literal ALTO; its hypotheses can be met", LIBRARY, "alto", "witness", "python_bound"
            ),
        ),
    ),
    Claim(
        id="ours-weight-decay-any-mu-finite",
        source="ours",
        statement=(
            r"Without bias correction and with decoupled decay $\gamma_k \ge 0$ that falls by $1 + \mu$ or more per "
            r"step, $\mu = \sqrt{1-\beta_3}\kappa G/\epsilon_1$, EAdam and ALTO have the same bound of the gradients "
            r"of $f + \frac{\gamma_k}2 \|\theta\|^2_{W_k}$, $W_k = \sqrt{v_k} + \epsilon_1 \le W = \kappa G + "
            r"\epsilon_1$: with $\Delta + \frac{\gamma_1}2 W \|\theta_1\|^2$ for $\Delta$, $L + \gamma_1 W$ for $L$ "
            r"in the first condition on $\eta$, and $(\gamma_1 + \epsilon_2) \epsilon_3$ for $\epsilon_2\epsilon_3$ "
            r"in ALTO's $q_{min}$."
        ),
        plain="With a falling weight decay the bound holds for every mu, for noise with finitely many outcomes.",
        assumptions=(*NOISE, BOUNDED, r"$\epsilon_1, \epsilon_2, \epsilon_3 > 0$"),
        evidence=(formal("Theorem N with weight decay", LIBRARY, "eadam_decay", "alto_decay"),),
    ),
    Claim(
        id="ours-theorem-n-sgd-small-batch-finite",
        source="ours",
        statement=(
            r"Algorithm 3 with normalised momentum, any batch, $4\eta L \le 1$ and $8 (L \eta K)^2 \le 1$: $\frac1T "
            r"\sum_k E\|\nabla f(\theta_k)\|^2 \le \frac{4\Delta}{\eta T} + 2L\eta\sigma^2(1 + 2L\eta\tau_2)$, "
            r"$K = \sum_i |t_i|$, $\tau_2 = \sum_i t_i^2$."
        ),
        plain="ESGD's noise term falls with the step at any batch, for noise with finitely many outcomes.",
        assumptions=NOISE[:3],
        evidence=(formal("the literal ESGD", LIBRARY, "small_batch", "python_small_batch"),),
    ),
    Claim(
        id="ours-pl-finite",
        source="ours",
        statement=(
            r"Algorithm 3 with normalised momentum on $f$ with $\|\nabla f\|^2 \ge 2\mu(f - f^*)$, any batch, $\eta\mu "
            r"< 1$, $2 (L\eta)^2 K K_q \le 1 - L\eta$: $E f(y_{n+1}) - f^* \le (1 - \eta\mu)^n \Delta + \frac{L \eta "
            r"\sigma^2}{2\mu} (1 + 2 L \eta \tau_2)$ "
            r"at $y_{n+1} = \theta_{n+1} - \eta T_n$, $T_n = b m_n - \alpha h_n$; "
            r"$K_q = \sum_i |t_i| q^{-(i+1)}$, $q = 1 - \eta\mu$."
        ),
        plain="Under the PL inequality ESGD converges linearly to a floor, for noise with finitely many outcomes.",
        assumptions=NOISE[:3],
        evidence=(formal("the literal ESGD", LIBRARY, "pl_rate", "python_pl"),),
    ),
    Claim(
        id="ours-theorem-c-enforced",
        source="ours",
        statement=(
            r"With $H_k = (\sqrt{v_k} + \epsilon_1)/(\eta_k s_k)$, times $1 - \beta_2^k$ under bias correction, "
            r"replaced by its running maximum, coordinate by coordinate, EAdam and ALTO have regret "
            r"$R(T) \le A\sqrt T + B$ with the $A$ and $B$ of theory/theorems/bounds.py, for any $\alpha_k$ of bounded "
            r"variation."
        ),
        plain="With monotonicity enforced, EAdam and ALTO have regret of order sqrt(T) on convex losses.",
        assumptions=CONVEX,
        evidence=(
            formal(
                "for every sequence of losses with these subgradients",
                LIBRARY,
                "regret_enforced",
                "witness_online",
                *RIGHT_SIDE,
            ),
        ),
    ),
    *(
        Claim(
            id=f"ours-certificates-{name}",
            source="ours",
            statement=(
                rf"Every certificate of E(SGD) in results/worst-case/certificates over {functions} proves its bound in "
                rf"every dimension: {bound}, with the step $\eta/L$ for the $\eta$ of the file."
            ),
            plain=f"The stored bounds of E's worst case over {functions} hold in every dimension.",
            assumptions=(
                rf"$f$ differentiable, $\nabla f$ $L$-Lipschitz{more}",
                "the setting and the steps of the file",
            ),
            evidence=(
                formal("each stored certificate", LIBRARY, f"{name.replace('-', '_')}_worst_cases", "certified"),
            ),
        )
        for name, functions, more, bound in (
            ("convex", "smooth convex functions", ", $f$ convex with a minimiser", FINAL),
            (
                "strongly-convex",
                "smooth strongly convex functions",
                r", $f - \frac{\mu L}2 \|x\|^2$ convex, $f$ with a minimiser",
                FINAL,
            ),
            (
                "non-convex",
                "smooth functions",
                "",
                r"some $k \le N$ has $\|\nabla f(\theta_{k+1})\|^2 \le \tau L (f(\theta_1) - f(\theta_{N+1}))$",
            ),
        )
    ),
)
