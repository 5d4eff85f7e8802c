"""Training real networks with ALTO and its peers, at three scales: a laptop, one GPU, and the paper's own setting.

Run it as a module: ``python -m experiments list | run | sweep | report | figures``. One way through the code:

    configs/*.toml -> config (frozen dataclasses) -> plan (runs with identities) -> train (one run, resumable)
                   -> store (one row a run) -> report (intervals over seeds, paired differences, figures)

Nothing flows back: a row never changes once it is written, and a report reads rows only.
"""
