"""Every network behind one function: `create`."""

from experiments.models.registry import NAMES, check, create

__all__ = ["NAMES", "check", "create"]
