"""Every claim, one file a group. The order here is the ledger's."""

from theory.claims import (
    assumptions,
    boundedness,
    convex,
    descent,
    escape,
    experiments,
    figures,
    filters,
    identities,
    landscape,
    laptop,
    linear_regret,
    margins,
    nonconvex,
    ode,
    preconditioner,
    rates,
    stability,
    tracking,
    valley,
    virtual_iterate,
    worst_case,
)
from theory.ledger import Claim

METHOD = (identities, filters, valley)
LEMMAS = (boundedness, preconditioner, tracking)
THEOREMS = (assumptions, descent, nonconvex, convex, virtual_iterate, linear_regret)
BEHAVIOUR = (ode, stability, margins, landscape, escape, figures, worst_case, rates, experiments, laptop)

ALL: tuple[Claim, ...] = tuple(claim for group in (*METHOD, *LEMMAS, *THEOREMS, *BEHAVIOUR) for claim in group.CLAIMS)
