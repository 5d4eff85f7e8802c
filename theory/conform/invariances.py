"""What an optimizer may declare: the same steps after a change of its gradients or parameters."""

from collections.abc import Callable

from torch import Tensor, argsort

from theory.conform.trial import Make, Part, Run, Trial, apart, numbers, require

INVARIANT = 1e-3
"""Largest difference of two trajectories that count as the same, over the movement: eps is not scaled."""


def _two(make: Make, trial: Trial, change: Callable[[Tensor, int], Tensor], *, start: bool, gradient: float) -> None:
    """Compare the changed result of a run with the result of a run on changed gradients, and a changed start."""
    first = Run(make, trial)
    begin = first.values()
    second = Run(make, trial, params=[change(p, i) for i, p in enumerate(begin)] if start else begin)
    for k in range(trial.steps):
        drawn = [numbers(p.shape, trial.seed, k, i) for i, p in enumerate(begin)]
        drawn = [g.sign() * (0.5 + g.abs()) for g in drawn]
        first.apply(drawn, k)
        second.apply([gradient * change(g, i) if start else gradient * g for i, g in enumerate(drawn)], k)
    mapped = [change(p, i) for i, p in enumerate(first.values())] if start else first.values()
    origin = [change(p, i) for i, p in enumerate(begin)] if start else begin
    away = apart(mapped, second.params, origin)
    require(away <= INVARIANT, f"the steps differ by {away:.2g} of the movement")


def scale(make: Make, trial: Trial) -> None:
    """Gradients times 16 give the same steps."""
    _two(make, trial, lambda x, _: x, start=False, gradient=16.0)


def sign(make: Make, trial: Trial) -> None:
    """Parameters and gradients with the other sign give mirrored steps."""
    _two(make, trial, lambda x, _: -x, start=True, gradient=1.0)


def permutation(make: Make, trial: Trial) -> None:
    """Numbers of a tensor in another order give the same steps in that order."""

    def permuted(x: Tensor, i: int) -> Tensor:
        order = argsort(numbers((x.numel(),), trial.seed, -2, i))
        return x.reshape(-1)[order].reshape(x.shape)

    _two(make, trial, permuted, start=True, gradient=1.0)


def layer_rescaling(make: Make, trial: Trial) -> None:
    """Parameters times 4 and gradients divided by 4 give steps times 4."""
    _two(make, trial, lambda x, _: 4 * x, start=True, gradient=1 / 16)


INVARIANCES: dict[str, Part] = {
    "scale": scale, "sign": sign, "permutation": permutation, "layer rescaling": layer_rescaling,
}  # fmt: skip
"""Every invariance by its name."""
