"""Every data set behind one function: `load`."""

from experiments.data.dataset import IGNORED, Dataset, Split, locate
from experiments.data.registry import NAMES, SIMULATED, examples, fingerprint, load

__all__ = ["IGNORED", "NAMES", "SIMULATED", "Dataset", "Split", "examples", "fingerprint", "load", "locate"]
