"""The core of the theory, checked by the kernel of Rocq: definitions and proofs in the ``.v`` files of this folder.

Probability is finite here: each draw has finitely many outcomes, whose weights may depend on the whole past. Smoothness
enters as its two consequences, the quadratic upper bound and the Lipschitz gradient. `bridge` prints what the package's
own functions compute as further statements, so that the kernel also judges the constants that users get.
"""

from pathlib import Path

from theory.ledger.formal import Library
from theory.rocq import bridge

LIBRARY = Library(
    folder=Path(__file__).parent,
    modules=("Sums", "Adaptor", "TheoremN", "Algorithms", "Convex", "Witness", "Lemmas"),
    theorems={
        "slow_average": "the paper's a is the difference of two averages, and one buffer is enough",
        "one_buffer_vector": "the paper's two buffers are one, for alpha that varies and vectors of any index",
        "transport": "g_k - m_k is the difference of two lags",
        "virtual_iterate": "the virtual iterate takes plain gradient steps",
        "quasi_hyperbolic": "E on SGD is quasi-hyperbolic momentum with nu = c / beta1",
        "two_averages": "the momentum of u is a mixture of two averages of the gradient",
        "head_start": "under a constant gradient E moves N - c (1 - beta1^N) / (1 - beta1) steps in N",
        "head_start_limit": "it ends alpha steps ahead",
        "lemma_3": "Lemma 3 as the paper has it",
        "lemma_3_exact": "Lemma 3 with the factor |1 - c| + |c|",
        "lemma_4": "the root of the second moment changes by at most sqrt(1 - beta3) kappa G",
        "lemma_4_relative": "its relative change is at most that over eps1",
        "lemma_7": "the mean square of an average of vectors, over finitely many outcomes",
        "lemma_7_path": "the same along every path",
        "lemma_8": "descent with any diagonal preconditioner",
        "lemma_8_descends": "for small steps the objective falls up to the error",
        "lemma_9": "the three bounds of the layer factor",
        "lemma_10": "m_k^2 <= A_k v_k for all betas",
        "lemma_10_constant": "|m_k| <= zeta sqrt(v_k) where beta2^2 < beta3",
        "esgd": "Theorem N for Algorithm 3 with normalised momentum",
        "eadam": "Theorem N for Algorithm 4 without bias correction",
        "alto_algorithm_1": "Theorem N for Algorithm 1 without weight decay",
        "witness": "the hypotheses of Theorem N for ALTO can be met together",
        "convex_average": "ESGD without noise on a smooth convex function",
        "grokfast": "Grokfast's filter, its average begun at 0, is E times 1 + lambda",
        "mars": "MARS's correction without a second gradient and without its clip is E with beta1 = 0",
        "python_C_delta": "the package's first constant of Theorem N",
        "python_C_zero": "its second one",
        "python_C_noise": "its third one",
        "python_bound": "its right-hand side of Theorem N",
        **{f"python_{x}_{k}": f"its {x} after step {k}" for k in range(1, bridge.STEPS + 1) for x in "aumv"},
    },
    printed=bridge.printed,
    stored=Path(__file__).parents[2] / "results" / "formal.json",
)
