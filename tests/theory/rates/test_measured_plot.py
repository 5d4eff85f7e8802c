"""The picture of a measured rate is whole, however long the names are."""

import numpy as np

from theory import rates


def test_a_long_name_does_not_squeeze_the_axes():
    found = rates.measure("ESGD", "quadratic", T=(10, 20, 40), seeds=2, lr=0.1)
    long = "/a/very/long/folder/" * 6 + "mine.py:" + "Optimizer" * 8
    found.used["optimizer"] = found.used["objective"] = long
    axes = found.plot()
    axes.figure.canvas.draw()  # a warning of the layout would be an error
    assert axes.get_position().width > 0.6
    said = axes.get_legend().get_texts()[0].get_text()
    assert "folder" not in said
    assert max(map(len, said.splitlines())) <= 40
    assert np.isfinite(axes.get_position().bounds).all()
