"""The commands of ``python -m theory``, one per file: ``add`` describes it to the command line, ``run`` does it.

Only the command that is given is imported, so that each answers at once.
"""

HELP = {
    "verify": "run the evidence of every claim",
    "ledger": "print what earlier runs of the evidence found",
    "advise": "check a setting of E: stability, lag, noise, near relatives",
    "watch": "watch the theorems' assumptions while a small network trains",
    "bound": "Theorem N for an optimizer, with given or measured constants",
    "conform": "compare an optimizer with the paper, or test it as any torch optimizer",
    "new-claim": "write a file for a claim of your own, to fill in",
    "formal": "compile the kernel-checked proofs again, and keep what the kernel says",
    "certify": "turn a dual of a performance estimation problem into a theorem",
    "rates": "measure convergence rates beside their predictions",
    "worst-case": "compute worst cases, and check their certificates exactly",
    "figures": "draw the theory's figures from stored results",
}
"""Every command with a line of help, in the order in which --help lists them."""
