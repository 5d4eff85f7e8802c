"""LAMB on mini-batches."""

from benchmark_utils.passes import Passes  # pyright: ignore[reportMissingImports]

import alto


class Solver(Passes):
    """LAMB, with its default settings but for the learning rate."""

    name = "LAMB"
    parameters = {"lr": [0.01], "batch": [64]}  # noqa: RUF012 (benchopt's form)

    def make(self, model):
        """The optimizer."""
        return alto.create("lamb", model, self.lr)
