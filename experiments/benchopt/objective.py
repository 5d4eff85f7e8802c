"""A small network on scikit-learn's handwritten digits: the training loss, and the test error, against passes."""

import torch
from benchopt import BaseObjective  # pyright: ignore[reportMissingImports, reportAttributeAccessIssue]
from torch import nn


class Objective(BaseObjective):
    """What the solvers lower."""

    name = "Small network"
    min_benchopt_version = "1.7"
    parameters = {"width": [64]}  # noqa: RUF012 (benchopt's form)
    test_dataset_name = "digits"

    def set_data(self, train, test):
        """Take the data: two pairs of (n, features) float32 and (n,) int64."""
        self.train, self.test = train, test

    def make_model(self, seed):
        """A new network; the seed decides its weights."""
        torch.manual_seed(seed)
        return nn.Sequential(nn.Linear(self.train[0].shape[1], self.width), nn.ReLU(), nn.Linear(self.width, 10))

    def get_objective(self):
        """What a solver is given."""
        return {"train": self.train, "make_model": self.make_model}

    def evaluate_result(self, model):
        """The mean loss on the training data, and the fraction of wrong answers on the test data."""
        with torch.no_grad():
            loss = nn.functional.cross_entropy(model(self.train[0]), self.train[1])
            error = (model(self.test[0]).argmax(1) != self.test[1]).float().mean()
        return {"value": loss.item(), "test_error": error.item()}

    def get_one_result(self):
        """A result that can be evaluated."""
        return {"model": self.make_model(0)}
