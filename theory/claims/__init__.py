"""Every claim, one file a group. The order here is the ledger's."""

from theory.claims import boundedness, descent, filters, identities, nonconvex, preconditioner, tracking
from theory.ledger import Claim

GROUPS = (identities, filters, boundedness, preconditioner, tracking, descent, nonconvex)
ALL: tuple[Claim, ...] = tuple(claim for group in GROUPS for claim in group.CLAIMS)
