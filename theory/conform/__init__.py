"""Property tests for any optimizer: the paper's recursions, the contract of torch optimizers, LAMB's switches.

    from theory.conform import contract

    test_mine = contract(lambda params: Mine(params, lr=0.1))

in a test file gives pytest one test per part of the contract. ``python -m theory conform`` does the same from a shell.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from theory.conform.recursion import conform
    from theory.conform.subject import recognise
    from theory.conform.suite import contract

_NAMES = {"conform": "recursion", "contract": "suite", "recognise": "subject"}

__all__ = ["conform", "contract", "recognise"]


def __getattr__(name: str) -> Any:
    """A public name, imported at its first use."""
    if name not in _NAMES:
        raise AttributeError(f"module 'theory.conform' has no attribute {name!r}; it has {', '.join(__all__)}")
    return getattr(import_module(f"theory.conform.{_NAMES[name]}"), name)
