"""Claims about the method itself: identities, filters, valleys."""
