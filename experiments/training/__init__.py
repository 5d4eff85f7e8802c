"""One training run, from its first step to its row."""
