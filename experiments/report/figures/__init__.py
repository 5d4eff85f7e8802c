"""Figures drawn from rows."""
