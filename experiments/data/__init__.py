"""Every data set behind one function: `load`."""

from experiments.data.dataset import IGNORED, Dataset, Kind, Split, locate
from experiments.data.registry import NAMES, SIMULATED, examples, fingerprint, kind, load

__all__ = [
    "IGNORED", "NAMES", "SIMULATED", "Dataset", "Kind", "Split", "examples", "fingerprint", "kind", "load", "locate"
]  # fmt: skip
