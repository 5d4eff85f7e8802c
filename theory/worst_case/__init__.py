"""Worst cases of E(SGD) by performance estimation: the largest loss after N fixed steps over a class of functions.

Three kinds of statement, never mixed: a solver's optimum with its residuals is numerical (:mod:`.pep`); a closed form
is a conjecture where it is only compared with such optima (:mod:`.closed_forms`); a rational dual certificate that
exact arithmetic accepts is a proof for its one setting (:mod:`.certificate`), wherever its numbers came from
(:mod:`.dual`, :mod:`.rounding`). Everything is in units L = 1 and |theta_1 - theta*| <= 1 (or f_1 - f_N <= 1).
"""
