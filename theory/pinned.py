"""The verdict that each claim had when its evidence was last reviewed. A change is a surprise, and is reported as one.

Nothing is computed from this table: it is only compared with what the evidence says.
"""

VERDICTS: dict[str, str] = {
    "identity-slow-average": "proved",
    "identity-qhm": "proved",
    "ema-n-weights": "proved",
    "lemma-3": "proved",
    "lemma-7": "proved",
    "lemma-10": "proved",
}
