"""The commands of ``python -m theory``, one per file: ``add`` describes it to the command line, ``run`` does it.

Only the command that is given is imported, so that each answers at once.
"""

HELP = {
    "verify": "run the evidence of every claim",
    "ledger": "print what earlier runs of the evidence found",
    "advise": "check a setting of E: stability, lag, noise, near relatives",
    "monitor": "watch the theorems' assumptions while a small network trains",
    "conform": "hold another implementation against the paper",
    "rates": "measure convergence rates beside their predictions",
    "worst-case": "compute worst cases, and check their certificates exactly",
    "figures": "draw the theory's figures from stored results",
}
"""Every command with a line of help, in the order in which --help lists them."""
