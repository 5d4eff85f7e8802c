"""Simulations of E on small landscapes: pure functions from settings and seeds to arrays, nothing stored or printed.

Claims, studies and figures share them. A rule (:mod:`theory.simulate.rule`) is one setting of ESGD or EAdam; results
have one row a rule and one column a seed, and a seed gives every rule the same noise, so that differences are paired.
"""
