"""Every data set behind one function: `load`."""

from experiments.data.data_sets import NAMES, SIMULATED, examples, fingerprint, kind, load, reader
from experiments.data.dataset import IGNORED, Dataset, Kind, Split, locate

__all__ = [
    "IGNORED", "NAMES", "SIMULATED", "Dataset", "Kind", "Split",
    "examples", "fingerprint", "kind", "load", "locate", "reader",
]  # fmt: skip
