"""Claims about how E behaves: stability, escape, landscapes, worst cases, rates."""
