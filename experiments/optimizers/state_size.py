"""How many bytes an optimizer keeps for a network, measured on a small layer."""

import functools
import json

import torch
from torch import nn

from experiments.optimizers import competitors

_SIDE = 64  # of the layer on which the state is measured


def state_bytes(name: str, options: dict[str, object], parameters: int) -> int:
    """What an optimizer keeps between steps for float32 parameters, measured on a small layer and scaled.

    Args:
        name: Of the optimizer.
        options: Its keyword arguments.
        parameters: Number of parameters.

    Returns:
        Bytes of the tensors in its state that have one element per parameter.
    """
    return round(_bytes_per_parameter(name, json.dumps(options)) * parameters)


@functools.cache
def _bytes_per_parameter(name: str, options: str) -> float:
    with torch.random.fork_rng(devices=[]):
        layer = nn.Linear(_SIDE, _SIDE, bias=False)
        optimizer = competitors.create(name, json.loads(options), layer, lr=1e-3, weight_decay=0.0)
        for _ in range(2):
            layer(torch.ones(1, _SIDE)).sum().backward()
            optimizer.step()
    kept = [value for state in optimizer.state.values() for value in state.values() if isinstance(value, torch.Tensor)]
    return sum(value.nbytes for value in kept if value.numel() >= layer.weight.numel()) / layer.weight.numel()
