"""Another implementation compared with the paper."""
