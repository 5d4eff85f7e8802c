"""The core of the theory, checked by the kernel of Rocq: definitions and proofs in the ``.v`` files of this folder.

Probability is finite here: each draw has finitely many outcomes, whose weights may depend on the whole past. `bridge`
prints what the package's own functions compute as further statements, so that the kernel also judges the constants that
users get.
"""

from pathlib import Path

from theory.ledger.formal import Library
from theory.ledger.provenance import RESULTS
from theory.rocq import bridge

LIBRARY = Library(
    folder=Path(__file__).parent,
    modules=(
        "Sums", "Vectors", "Smooth", "Adaptor", "Filters", "Lemmas", "Methods", "Tree", "TheoremN", "Algorithms",
        "Witness", "Convex", "Online",
    ),
    theorems={
        "slow_average": "the paper's a is the difference of two averages, and one buffer is enough",
        "one_buffer_vector": "the paper's two buffers are one, for alpha that varies and vectors of any index",
        "transport": "g_k - m_k is the difference of two lags",
        "virtual_iterate": "the virtual iterate takes plain gradient steps",
        "quasi_hyperbolic": "E on SGD is quasi-hyperbolic momentum with nu = c / beta1",
        "two_averages": "the momentum of u is a mixture of two averages of the gradient",
        "heavy_ball": "at c = beta1 E takes the steps of heavy ball",
        "nesterov": "at c = beta1^2 it takes those of Nesterov's method",
        "nesterov_in_the_base": "with beta1 = 0 and alpha = beta2 its momentum is Nesterov's",
        "inside_the_region": "all three have |alpha| < 1 / (1 - beta1)",
        "grokfast": "Grokfast's filter, its average begun at 0, is E times 1 + lambda",
        "mars": "MARS's correction without a second gradient and without its clip is E with beta1 = 0",
        "ema_nesterov": "EMA-Nesterov on SGD reads its gradients where E on SGD does, for every function",
        "weights_are": "m and u are sums of past gradients with these weights",
        "mean_age": "the weights of m sum to 1, and their mean age is b - alpha",
        "mean_age_of_u": "the weights of u sum to 1, and their mean age is -alpha",
        "alpha_star": "m is an average with decay rate beta1 at one alpha, and at no other",
        "figure_8": "the settings of Figure 8 are at that alpha",
        "head_start": "under a constant gradient E moves N - c (1 - beta1^N) / (1 - beta1) steps in N",
        "head_start_limit": "it ends alpha steps ahead",
        "total_age": "for alpha <= 0 the |t_i| sum to at most b - alpha",
        "kappa_m_at_most_kappa": "the |w_i| sum to at most kappa = |1 - c| + |c|",
        "lemma_3": "Lemma 3, as the paper has it and with the factor kappa = |1 - c| + |c| < 3",
        "lemma_3_exact": "the same for alpha that varies",
        "lemma_4": "the root of the second moment changes by at most sqrt(1 - beta3) kappa G",
        "lemma_4_relative": "its relative change is at most that over eps1",
        "lemma_7": "the mean square of an average of vectors, over finitely many outcomes",
        "lemma_7_path": "the same along every path",
        "lemma_8": "descent with any diagonal preconditioner",
        "lemma_8_descends": "for small steps the objective falls up to the error",
        "lemma_9": "the three bounds of the layer factor",
        "lemma_10": "m_k^2 <= A_k v_k for all betas",
        "lemma_10_constant": "|m_k| <= zeta sqrt(v_k) where beta2^2 < beta3",
        "lemma_10_corrected": "the same constant does with bias correction",
        "smooth_upper": "a function with an L-Lipschitz gradient lies below its quadratic bound",
        "convex_tangent": "a convex function lies above its tangents",
        "esgd": "Theorem N for Algorithm 3 with normalised momentum",
        "eadam": "Theorem N for EAdam, with and without bias correction",
        "alto": "Theorem N for ALTO, with and without bias correction",
        "eadam_decay": "Theorem N for EAdam with decoupled weight decay",
        "alto_decay": "Theorem N for ALTO with decoupled weight decay",
        "witness": "the hypotheses of Theorem N for ALTO can be met together",
        "convex_average": "ESGD without noise on a smooth convex function",
        "convex_average_exploring": "the same for alpha <= 0, with the age b - alpha in figures",
        "regret_literal": "Theorem C for ALTO and EAdam: regret of order sqrt(T), and the total fall of H",
        "regret_monotone": "the same where H does not fall (C3)",
        "regret_enforced": "the same where H is replaced by its running maximum",
        "exploration_costs": "with a constant alpha <= 0 E adds -alpha to the age and changes nothing else",
        "largest_alpha_is_not_enough": "the kappa of the largest |alpha_k| alone is too small",
        "python_regret_alto": "the package's right-hand side of Theorem C for ALTO, three coordinates in two layers",
        "python_regret_eadam": "the same for EAdam",
        "python_C_delta": "the package's first constant of Theorem N",
        "python_C_zero": "its second one",
        "python_C_noise": "its third one",
        "python_bound": "its right-hand side of Theorem N",
        **{f"python_{x}_{k}": f"its {x} after step {k}" for k in range(1, bridge.STEPS + 1) for x in "aumv"},
    },
    definitions=(
        "sum", "dot", "sq", "norm", "within", "norm_in", "size", "gradient", "smooth", "convex", "minimiser",
        "Adaptor.a", "h", "Adaptor.u", "c", "Adaptor.m", "Adaptor.v", "lag", "weight", "age_weight", "one", "moved",
        "A", "zeta_square", "bias", "W", "ratio", "r", "s", "update", "ratio_bound",
        "mean", "next", "expect", "probabilities", "C_delta", "C_zero", "C_noise", "Algorithms.step", "run", "problem",
        "unbiased", "esgd_update", "eadam_update", "alto_update", "mean_square_gradient", "decayed_gradient",
        "right_side", "step_allowed", "moment_m", "moment_v", "rate", "update_now", "M_now", "H_now", "H_largest",
        "literal_step", "enforced_step", "in_box", "online_problem", "momentum_gain", "constants", "Wmax",
        "inverse_factor", "direction", "reach", "regret_A", "regret_B", "regret", "total_fall", "Methods.P",
    ),
    printed=bridge.printed,
    stored=RESULTS / "formal.json",
)  # fmt: skip
