"""E for optax equals E for torch: cases that test_optax.py runs in a process of their own.

The search for doctests imports this file in every process of the tests, so JAX is imported in the cases alone.
"""

import numpy as np
import pytest
import torch

from alto import E
from alto.optax import explore

BASES = {
    "SGD": (
        "float32", lambda w: torch.optim.SGD(w, lr=0.1, momentum=0.9), lambda optax: optax.sgd(0.1, momentum=0.9),
    ),
    # in float32 the two Adams differ by more than 1e-6 even without E
    "Adam": ("float64", lambda w: torch.optim.Adam(w, lr=0.01), lambda optax: optax.adam(0.01)),
}  # fmt: skip


@pytest.mark.parametrize("base", BASES)
@pytest.mark.parametrize(("alpha", "beta1"), [(-5.0, 0.99), (0.5, 0.01), (-50.0, 0.99), (0.0, 0.9)])
def test_it_equals_e(base, alpha, beta1):
    import jax

    dtype, ours, theirs = BASES[base]
    with jax.enable_x64(dtype == "float64"):
        compare(dtype, ours, theirs, alpha, beta1)


def compare(dtype, ours, theirs, alpha, beta1):
    import jax
    import optax

    random = np.random.default_rng(0)
    start = {"w": random.normal(size=(3, 2)).astype(dtype), "b": random.normal(size=2).astype(dtype)}
    weights = {name: torch.nn.Parameter(torch.tensor(value)) for name, value in start.items()}
    optimizer = E(ours(weights.values()), alpha=alpha, beta1=beta1)
    tree = {name: jax.numpy.asarray(value) for name, value in start.items()}
    chain = optax.chain(explore(alpha, beta1), theirs(optax))
    state = chain.init(tree)
    for _ in range(30):
        noise = {name: random.normal(size=value.shape).astype(dtype) for name, value in start.items()}
        for name, w in weights.items():
            w.grad = w.detach() + torch.tensor(noise[name])
        optimizer.step()
        updates, state = jax.jit(chain.update)({name: tree[name] + noise[name] for name in tree}, state, tree)
        tree = optax.apply_updates(tree, updates)
        for name, w in weights.items():
            assert np.abs(np.asarray(tree[name]) - w.detach().numpy()).max() < 1e-6 * max(1, abs(w.detach()).max())


def test_half_precision_has_a_slow_average_in_float32():
    import jax

    tree = {"w": jax.numpy.ones(3, dtype="bfloat16"), "none": None}
    change = explore()
    state = change.init(tree)
    updates, state = change.update(tree, state)
    assert updates["w"].dtype == "bfloat16"
    assert updates["none"] is None
    assert state.slow_avg["w"].dtype == "float32"
    assert float(state.slow_avg["w"][0]) == pytest.approx(0.01, rel=1e-6)
