"""torch's AdamW on mini-batches, to compare with."""

import torch
from benchmark_utils.passes import Passes  # pyright: ignore[reportMissingImports]


class Solver(Passes):
    """AdamW, with its default settings but for the learning rate."""

    name = "AdamW"
    parameters = {"lr": [0.001], "batch": [64]}  # noqa: RUF012 (benchopt's form)

    def make(self, model):
        """The optimizer."""
        return torch.optim.AdamW(model.parameters(), self.lr)
