"""Any training, watched through the hooks of its optimizer; and ALTO, compared with the literal algorithm.

:func:`theory.watch` is in :mod:`theory.monitor.watch`. One file per part: ``secants`` (sums along the path), ``noise``,
``edge`` (distance to instability), ``known`` (what is known of an optimizer), ``assumptions``, ``report``, ``sinks``,
``callbacks``. ``literal`` follows ALTO and LAMB beside the paper's own recursion.
"""
