"""Every claim, one file a group. The order here is the ledger's."""

from theory.claims import (
    assumptions,
    boundedness,
    convex,
    descent,
    filters,
    identities,
    linear_regret,
    nonconvex,
    preconditioner,
    tracking,
)  # fmt: skip
from theory.ledger import Claim

GROUPS = (
    identities,
    filters,
    boundedness,
    preconditioner,
    tracking,
    descent,
    nonconvex,
    convex,
    linear_regret,
    assumptions,
)
ALL: tuple[Claim, ...] = tuple(claim for group in GROUPS for claim in group.CLAIMS)
