"""Another implementation held against the paper."""
