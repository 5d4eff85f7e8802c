"""The two operations worth an engine, written several times over and tied together by tests.

Each engine is a module with the same two functions on lists of tensors:

``explore_(grads, slow_avgs, *, alpha, beta1) -> us``
    The adaptor: ``u = (1 - c) g + c h`` is returned, ``h = beta1 h + (1 - beta1) g`` is written into ``slow_avgs``.
``alto_step_(tensors, rule, lr, whole_norms) -> None``
    One whole step of Algorithm 1 or 2 (the paper's Section 2), written into the parameters and their averages.
    ``whole_norms`` turns the norms of the shards held here into those of the whole parameters (the identity, if nothing
    is sharded).

``single`` is the specification: one tensor at a time, pure functions, differentiable. ``foreach`` is the default.
"""
