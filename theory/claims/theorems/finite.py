"""Theorems with no proof but the kernel's (theory/rocq): finite probability, Theorem C enforced, certificates."""

from theory.claims.theorems.convex import RIGHT_SIDE
from theory.claims.theorems.regret_pieces import CONVEX
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
            r"ALTO without weight decay, with $q_{max} = 1/(\epsilon_1\epsilon_2)$ or, with bias "
            r"correction, $1/((1 - \beta_2) \epsilon_1\epsilon_2)$, and $1/q_{min} = (\kappa G + \epsilon_1) "
            r"(\sqrt{d_{max}} \zeta + \epsilon_2\epsilon_3)/\epsilon_3$, $d_{max}$ the size of the largest layer, "
            r"$\zeta = \kappa_m G/\epsilon_1$ ($\kappa G/\epsilon_1$ with bias correction) or that of lemma-10, "
            r"$\eta q_{max} L \le 1/2$, $C_d (\eta q_{max} L)^2 \le 1/2$: $\frac1T \sum_k E\|\nabla f(\theta_k)\|^2 "
            r"\le \frac{2\Delta}{\eta q_{min} T} + \frac{q_{max}}{q_{min}} (C_s \sigma^2 + \frac{C_0 \|\nabla "
            r"f(\theta_1)\|^2}{T})$."
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
        evidence=(
            formal(
                "the literal ESGD; its hypotheses can be met",
                LIBRARY,
                "small_batch",
                "witness_virtual",
                "python_small_batch",
            ),
        ),
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
        evidence=(
            formal("the literal ESGD; its hypotheses can be met", LIBRARY, "pl_rate", "witness_virtual", "python_pl"),
        ),
    ),
    Claim(
        id="ours-tracking-error-finite",
        source="ours",
        statement=(
            r"For every method whose momentum is E's, whatever its step: $\sum_{k \le T} E\|m_k - D_k\|^2 \le C_d "
            r"\sum_{k=2}^T E\|D_k - D_{k-1}\|^2 + C_0 \|D_1\|^2 + C_s T \sigma^2$, $D_k = \nabla f(\theta_k)$, with "
            r"$(2K^2, 2\tau_2, 2\omega_2)$ and with $(2\alpha^2\beta_1^2 + 2(b+c)^2, b + 2c^2/(1-\beta_1), "
            r"2c^2(1-\beta_1) + (1-\beta_2)(1-c)^2)$."
        ),
        plain="The momentum's total error has these bounds, for noise with finitely many outcomes.",
        assumptions=(*NOISE[1:3], r"$K = \sum_i |t_i|$, $\tau_2 = \sum_i t_i^2$, $\omega_2 = \sum_i w_i^2$"),
        evidence=(
            formal(
                "both triples",
                LIBRARY,
                "tracking_by_filter",
                "tracking_by_recursion",
                "python_C_delta",
                "python_C_zero",
                "python_C_noise",
            ),
        ),
    ),
    Claim(
        id="ours-normalised-step-rate-finite",
        source="ours",
        statement=(
            r"ALTO and LAMB, any batch and $\eta$: $\frac1T \sum_k E \sum_i \phi_i \psi_i \|D_i\| \le "
            r"\frac{\Delta}{\eta T} + 2\Phi (\sqrt{C_d} L\eta\Phi + \sqrt{C_0/T} \|D_1\| + \sqrt{C_s} \sigma) + "
            r"\frac{L\eta\Phi^2}{2} + \Phi^2 \epsilon_2 W_{max} + 2 \Phi \gamma W_{max} D$. With $\eta = \eta_1 "
            r"T^{-3/4}$, $1-\beta_2 = T^{-1/2}$ all but the last two terms are at most $T^{-1/4} [\Delta/\eta_1 + "
            r"2\sqrt2 \Phi (\kappa' L \eta_1 \Phi + \sqrt{\kappa \kappa'} \|D_1\| + \kappa \sigma) + L \eta_1 "
            r"\Phi^2 / (2 \sqrt T)]$, $\kappa' = \kappa + |\alpha|/\sqrt T$."
        ),
        plain="ALTO and LAMB have the rate T^(-1/4) of the weighted gradient, for noise with finitely many outcomes.",
        assumptions=(
            *NOISE[:3],
            r"$(\sum_i \phi_i^2)^{1/2} \le \Phi$ on every path; for the last two terms $W \le W_{max}$, $\|\theta_k\| "
            r"\le D$",
            r"$\phi_i$, $\psi_i$, $W$ as in ours-normalised-step; with gradients of at most $G$ in magnitude "
            r"$W_{max} = \kappa G + \epsilon_1$ and $\psi_i \ge 2\sqrt\chi/(1+\chi)$, $\chi = W_{max}/\epsilon_1$",
        ),
        evidence=(
            formal(
                "the literal algorithm, and with the library's factor 1; its hypotheses can be met",
                LIBRARY,
                "normalised_step_in_mean",
                "tracking_by_filter",
                "tracking_by_recursion",
                "normalised_step_rate",
                "witness_normalised",
                "alignment_at_least",
                "psi_is",
                "python_weighted_gradient",
                "python_rate_constant",
                "python_alignment",
            ),
        ),
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
