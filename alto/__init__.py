"""The optimizers of *Exploring Landscapes for Better Minima along Valleys* (Zhao et al., NeurIPS 2025).

One formula: feed an optimizer ``u = (1 - c) g + c h`` in place of the gradient ``g``, where ``h`` is a slow average of
past gradients and ``c = -alpha (1 - beta1)``. :class:`E` does so for any ``torch.optim`` optimizer; :class:`ALTO` is E
on LAMB, the layerwise adaptive optimizer of You et al. (arXiv 1904.00962, 2020).
"""

from alto._adaptor import E
from alto._alto import ALTO
from alto._create import create
from alto._groups import decay_groups
from alto._lamb import LAMB
from alto._presets import for_batch, large_batch, small_batch
from alto._variants import ESGD, EAdam, EAdamW

__version__ = "0.1.0"
__all__ = [
    "ALTO",
    "ESGD",
    "LAMB",
    "E",
    "EAdam",
    "EAdamW",
    "create",
    "decay_groups",
    "for_batch",
    "large_batch",
    "small_batch",
]
