"""The commands of ``python -m theory``, one a file: ``add`` tells the command line of it, ``run`` does it."""

from theory.commands import advise, conform, figures, ledger, monitor, rates, stability, verify, worst_case

ALL = (verify, ledger, monitor, conform, worst_case, advise, figures, rates, stability)
