"""Every data set behind one function: `load`."""

from experiments.data.dataset import IGNORED, Dataset, Split, locate
from experiments.data.registry import NAMES, load

__all__ = ["IGNORED", "NAMES", "Dataset", "Split", "load", "locate"]
