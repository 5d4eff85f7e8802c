"""What the solvers share: training by an optimizer, pass by pass over the data."""

import torch
from benchopt import BaseSolver  # pyright: ignore[reportMissingImports, reportAttributeAccessIssue]
from torch.nn import functional as F


class Passes(BaseSolver):
    """A solver that names its optimizer in ``make``. benchopt evaluates the network after each pass."""

    sampling_strategy = "callback"

    def set_objective(self, train, make_model):
        """Take the data and the maker of networks."""
        self.inputs, self.targets = train
        self.make_model = make_model

    def run(self, callback):
        """Train until benchopt has enough."""
        self.model = self.make_model(self.get_seed(use_repetition=True))
        optimizer = self.make(self.model)
        while callback():
            for part in torch.randperm(len(self.inputs)).split(self.batch):
                optimizer.zero_grad()
                F.cross_entropy(self.model(self.inputs[part]), self.targets[part]).backward()
                optimizer.step()

    def get_result(self):
        """The network, for the objective."""
        return {"model": self.model}
