r"""Everything in the paper that is a number: LaTeX written from stored results, and nothing typed by hand.

``python -m theory ledger --tex`` writes a folder of small files that ``paper/main.tex`` reads. A value is a line
``\generated{key}{value}``, a claim ``\generatedclaim{id}{verdict}``; a key that the paper uses and no file defines
stops LaTeX. Results that are missing, unfinished or of other code stop this module before LaTeX runs
(:class:`StaleError`).
"""

from theory.tex.results import StaleError
from theory.tex.write import write

__all__ = ["StaleError", "write"]
