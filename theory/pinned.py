"""The verdict that each claim had when its evidence was last reviewed. A change is a surprise, and is reported as one.

Nothing is computed from this table: it is only compared with what the evidence says.
"""

VERDICTS: dict[str, str] = {
    "identity-slow-average": "proved",
    "identity-qhm": "proved",
    "ema-n-weights": "proved",
    "identity-heavy-ball-nesterov": "proved",
    "identity-two-ema": "proved",
    "ours-alpha-star": "proved",
    "ours-mean-lag": "proved",
    "ours-transport-identity": "proved",
    "ours-noise-gain": "proved",
    "lemma-3": "proved",
    "lemma-7": "proved",
    "lemma-10": "proved",
    "lemma-2": "proved",
    "lemma-4": "proved",
    "lemma-9": "proved",
    "lemma-1": "proved",
    "lemma-5": "proved-repaired",
    "lemma-6": "refuted",
    "ours-tracking-error": "proved",
    "lemma-8": "proved",
    "ours-theorem-n-sgd": "proved",
    "ours-theorem-n-adam": "proved",
    "ours-theorem-n-alto": "proved",
    "ours-theorem-n-sgd-small-batch": "proved",
    "ours-weight-decay-any-mu": "proved",
    "theorem-1": "proved-repaired",
    "table-2-orders": "proved",
}
