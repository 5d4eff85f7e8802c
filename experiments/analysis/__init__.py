"""From rows to statistics: intervals, paired differences, costs, and evidence for the ledger."""
