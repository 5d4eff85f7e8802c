"""Low-rank matrix factorisation: a continuum of minimisers, non-convex."""

import numpy as np

from theory.objectives.base import Objective
from theory.objectives.by_name import objective


@objective("matrix-factorisation")
def matrix_factorisation(size: int = 3, rank: int = 2, seed: int = 0) -> Objective:
    """|U V^T - M|^2 / 2 for a size x size matrix M of the given rank; theta holds U, then V, row by row.

    Raises:
        ValueError: the rank is above the size.
    """
    if not 1 <= rank <= size:
        raise ValueError(f"rank = {rank} must lie in [1, size = {size}]")
    rng = np.random.default_rng(seed)
    left, right = rng.normal(size=(2, size, rank))
    M, half = left @ right.T, size * rank
    high = 2.0

    def factors(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return x[..., :half].reshape(*x.shape[:-1], size, rank), x[..., half:].reshape(*x.shape[:-1], size, rank)

    def residual(x: np.ndarray) -> np.ndarray:
        U, V = factors(x)
        return U @ np.swapaxes(V, -1, -2) - M

    def gradient(x: np.ndarray) -> np.ndarray:
        U, V = factors(x)
        R = residual(x)
        parts = (R @ V, np.swapaxes(R, -1, -2) @ U)
        return np.concatenate([part.reshape(*x.shape[:-1], half) for part in parts], -1)

    def hessian(x: np.ndarray) -> np.ndarray:
        U, V = factors(x)
        R, eye = residual(x), np.eye(size)
        top = np.einsum("rka,rkb,ij->riajb", V, V, eye).reshape(-1, half, half)
        bottom = np.einsum("rka,rkb,ij->riajb", U, U, eye).reshape(-1, half, half)
        cross = np.einsum("rib,rja->riajb", U, V) + np.einsum("rij,ab->riajb", R, np.eye(rank))
        cross = cross.reshape(-1, half, half)
        return np.block([[top, cross], [np.swapaxes(cross, -1, -2), bottom]])

    # In the direction (dU, dV): |dU V^T + U dV^T|^2 + 2 <R, dU dV^T> <= (|U|^2 + |V|^2 + |R|) (|dU|^2 + |dV|^2)
    side, target = half * high**2, float(np.linalg.norm(M, 2))
    entry = rank * high**2 + float(np.abs(M).max())
    return Objective(
        name="matrix-factorisation",
        start=np.full(2 * half, 0.3) + 0.1 * rng.normal(size=2 * half),
        value=lambda x: (residual(x) ** 2).sum((-1, -2)) / 2,
        gradient=gradient,
        hessian=hessian,
        domain=(-high, high),
        infimum=0.0,
        minimisers=np.stack([
            np.concatenate([(s * left).ravel(), (right / s).ravel()]) for s in (0.5, 1.0, -1.0)
        ]),
        L=3 * side + target,
        slope=size * entry * high,
    )  # fmt: skip
