"""Whole files, locks, the machine, and the errors that a user can meet."""
