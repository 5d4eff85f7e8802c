"""Every claim, one file a group. The order here is the ledger's."""

from theory.claims import (
    assumptions,
    boundedness,
    convex,
    descent,
    experiments,
    filters,
    identities,
    landscape,
    laptop,
    linear_regret,
    nonconvex,
    preconditioner,
    stability,
    tracking,
    valley,
)
from theory.ledger import Claim

METHOD = (identities, filters, valley)
LEMMAS = (boundedness, preconditioner, tracking)
THEOREMS = (assumptions, descent, nonconvex, convex, linear_regret)
BEHAVIOUR = (stability, landscape, experiments, laptop)

ALL: tuple[Claim, ...] = tuple(claim for group in (*METHOD, *LEMMAS, *THEOREMS, *BEHAVIOUR) for claim in group.CLAIMS)
