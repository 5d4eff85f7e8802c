"""Claims about trained networks: the paper's tables, and our questions to small networks."""
