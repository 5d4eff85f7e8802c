"""A run: its identity, its row, its checkpoint, and how its learning rate is chosen."""
