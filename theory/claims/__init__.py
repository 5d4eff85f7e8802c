"""Every claim, one file a group. The order here is the ledger's."""

from theory.claims.behaviour import escape, figures, landscape, margins, ode, rates, stability, worst_case
from theory.claims.lemmas import boundedness, preconditioner, tracking
from theory.claims.method import filters, identities, valley
from theory.claims.networks import laptop, paper_tables
from theory.claims.theorems import assumptions, convex, descent, linear_regret, nonconvex, virtual_iterate
from theory.ledger.claim import Claim

METHOD = (identities, filters, valley)
LEMMAS = (boundedness, preconditioner, tracking)
THEOREMS = (assumptions, descent, nonconvex, convex, virtual_iterate, linear_regret)
BEHAVIOUR = (ode, stability, margins, landscape, escape, figures, worst_case, rates, paper_tables, laptop)

ALL: tuple[Claim, ...] = tuple(claim for group in (*METHOD, *LEMMAS, *THEOREMS, *BEHAVIOUR) for claim in group.CLAIMS)
