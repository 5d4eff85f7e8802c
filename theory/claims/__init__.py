"""Every claim, one file a group. The order here is the ledger's."""

from theory.claims import boundedness, identities
from theory.ledger import Claim

ALL: tuple[Claim, ...] = (*identities.CLAIMS, *boundedness.CLAIMS)
