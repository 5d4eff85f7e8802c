"""Every data set behind one function: `load`."""

from experiments.data.by_name import NAMES, SIMULATED, examples, fingerprint, kind, load
from experiments.data.dataset import IGNORED, Dataset, Kind, Split, locate

__all__ = [
    "IGNORED", "NAMES", "SIMULATED", "Dataset", "Kind", "Split", "examples", "fingerprint", "kind", "load", "locate"
]  # fmt: skip
