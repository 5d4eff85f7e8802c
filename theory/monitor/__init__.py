"""The theorems' constants and bounds, watched while a network trains."""
