"""The digits that scikit-learn brings along."""

import torch
from benchopt import BaseDataset  # pyright: ignore[reportMissingImports, reportAttributeAccessIssue]
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split


class Dataset(BaseDataset):
    """1797 images of 8 x 8 numbers, a third of them for the test."""

    name = "digits"
    requirements = ("scikit-learn",)

    def get_data(self):
        """Both parts."""
        inputs, targets = load_digits(return_X_y=True)
        parts = train_test_split(inputs / 16, targets, test_size=1 / 3, random_state=0, stratify=targets)
        train, test, train_targets, test_targets = map(torch.tensor, parts)
        return {"train": (train.float(), train_targets), "test": (test.float(), test_targets)}
