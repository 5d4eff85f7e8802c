"""Simulations of E on small landscapes: pure functions from settings and seeds to arrays, nothing stored or printed.

Claims, studies and figures share them. A rule (:mod:`theory.simulate.rule`) is one setting of ESGD or EAdam. Results
have one row per rule and one column per seed. A seed gives every rule the same noise, so that differences are paired.
"""
