"""Claims about the paper's lemmas."""
