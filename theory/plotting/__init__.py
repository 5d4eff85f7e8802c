"""The look that all figures of the theory share."""
