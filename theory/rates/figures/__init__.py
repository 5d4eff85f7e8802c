"""Figures of the measured rates, drawn from stored rows."""
