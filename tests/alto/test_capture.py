"""What a CUDA graph may capture: a step that each replay can repeat."""

import copy
from contextlib import contextmanager, nullcontext
from unittest import mock

import pytest
import torch
from torch import nn

from alto import ALTO, E
from tests.alto.zoo import matrices, run


@contextmanager
def captured():
    """Without a GPU: torch is made to say that a graph is being captured."""
    with (
        mock.patch("torch.cuda.is_initialized", return_value=True),
        mock.patch("torch.cuda.is_current_stream_capturing", return_value=True),
    ):
        yield


@pytest.mark.parametrize("capturable", [False, True])
def test_a_graph_may_capture_only_a_capturable_step(capturable):
    params = matrices()
    optimizer = ALTO([{"params": params[:1], "capturable": True}, {"params": params[1:]}], capturable=capturable)
    run(optimizer, params, 1)
    before = copy.deepcopy(optimizer.state_dict())
    with captured():
        if capturable:
            run(optimizer, params, 1)
            return
        with pytest.raises(RuntimeError, match=r"capturable = False in parameter group 1: a CUDA graph is capturing"):
            run(optimizer, params, 1)
    assert all(
        torch.equal(optimizer.state_dict()["state"][i][key], value)
        for i, state in before["state"].items()
        for key, value in state.items()
    )


def test_a_graph_may_not_capture_a_first_step():
    params = matrices()
    optimizer = ALTO(params, capturable=True)
    with captured(), pytest.raises(RuntimeError, match="take one step before the capture"):
        run(optimizer, params, 1)
    assert not optimizer.state


@pytest.mark.parametrize(("start", "words"), [("zero", None), ("first", None), ("corrected", "start = .corrected.")])
def test_a_graph_may_not_capture_what_e_counts_or_begins(start, words):
    params = matrices()
    optimizer = E(torch.optim.SGD(params, 0.1), alpha=-5.0, start=start)
    with captured(), pytest.raises(RuntimeError, match="take one step before the capture"):
        run(optimizer, params, 1)
    assert not optimizer.state
    run(optimizer, params, 1)
    with captured(), nullcontext() if words is None else pytest.raises(RuntimeError, match=words):
        run(optimizer, params, 1)


def test_counters_move_to_the_parameters_when_capturable_is_set():
    w = nn.Parameter(torch.ones(2, device="meta"))
    optimizer = ALTO([w])
    for capturable in (False, True):
        optimizer.param_groups[0]["capturable"] = capturable
        w.grad = torch.ones(2, device="meta")
        optimizer.step()
        assert optimizer.state[w]["step"].device.type == ("meta" if capturable else "cpu")
