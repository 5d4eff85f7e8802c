"""Where a preconditioned E is stable in d dimensions, and what ALTO is at a minimiser (ours).

frozen      theta' = theta - eta m / P on theta^T H theta / 2: with z = P^(1/2) theta the gradient, h and m become
P^(-1/2) times theirs, and S = P^(-1/2) H P^(-1/2) takes H's place. In S's eigenvectors each coordinate is
E's scalar recursion (theory.stability.linear): it converges for eta lambda(S) below its threshold
ALTO        the step is eta m / (eps1 eps2) times eps1 / W times eps2 phi / (|r| + eps2 phi), and both factors tend to 1
where m and v tend to 0: at a minimiser ALTO is ESGD with the learning rate eta / (eps1 eps2)
"""

import numpy as np


def preconditioned_curvature(H: np.ndarray, P: np.ndarray) -> float:
    """The largest eigenvalue of P^(-1/2) H P^(-1/2).

    Args:
        H: symmetric, shape (d, d).
        P: the diagonal, positive, shape (d,).

    Returns:
        The eigenvalue.
    """
    root = np.sqrt(P)
    return float(np.linalg.eigvalsh(H / np.outer(root, root))[-1])


def rate_at_minimiser(eta: float, eps1: float, eps2: float) -> float:
    """The learning rate of the ESGD that ALTO is at a minimiser, without decay: eta / (eps1 eps2)."""
    return eta / (eps1 * eps2)


def share_of_that_rate(W: np.ndarray, r_norm: np.ndarray, phi: np.ndarray, *, eps1: float, eps2: float) -> np.ndarray:
    """ALTO's step over that of this ESGD: eps1 / W times eps2 phi / (|r| + eps2 phi), in (0, 1]; elementwise."""
    return eps1 / W * eps2 * phi / (r_norm + eps2 * phi)
