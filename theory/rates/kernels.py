"""The four algorithms as compiled loops: many seeds of one setting, step by step, float64.

The one-buffer form of E (the slow average h), tied to the literal two-buffer form of ``theory.method.algorithms`` by
a test to 1e-12. There is no weight decay. ESGD's momentum has no factor 1 - beta2, as in Algorithm 3; the step size
handed in is the literal one.

Arrays a kernel changes in place: theta, h, m, v, H of shape (R, d), and the sums. ``p`` holds alpha, beta1, beta2,
beta3, eps1, eps2, eps3; ``layers`` the bounds 0, d_1, d_1 + d_2, ... of the layers.
"""

from typing import Any

import numpy as np
from numba import njit

# A division by 0 gives infinity or NaN, as in NumPy: a check for each would cost a quarter of the time.
_compiled: Any = njit(cache=True, nogil=True, error_model="numpy")

ESGD, EADAM, VANILLA, ALTO = range(4)
"""Algorithms 3, 4, 1 and 2."""

QUADRATIC, HUBER, PSEUDO_HUBER, WAVES, PL_SINE = range(5)
"""Objectives that are sums over coordinates; a and b are a coordinate's two parameters."""

LINEAR, SQUARE, LOGISTIC = range(3)
"""Links of online losses."""

GRADIENT, GAP, LARGEST = range(3)
"""What ``descend`` sums per replica: |grad f(theta_k)|^2, f(theta_k) - f*; and the maximum of |g_k|_inf."""

LOSS, FALL = range(2)
"""What ``play`` sums per replica: the losses f_k(theta_k), and the total decrease of H."""


@_compiled
def slope(field, a, b, x):
    """The derivative of one coordinate's term."""
    if field == QUADRATIC:
        return a * (x - b)
    if field == HUBER:
        return min(max(x, -a), a)
    if field == PSEUDO_HUBER:
        return a * x / np.sqrt(1 + x * x)
    if field == WAVES:
        return x / np.sqrt(1 + x * x) - a * np.sin(x)
    return 2 * x + 3 * np.sin(2 * x)


@_compiled
def height(field, a, b, x):
    """One coordinate's term, without the constant that makes its infimum 0."""
    if field == QUADRATIC:
        return a * (x - b) ** 2 / 2
    if field == HUBER:
        return x * x / 2 if abs(x) <= a else a * abs(x) - a * a / 2
    if field == PSEUDO_HUBER:
        return a * (np.sqrt(1 + x * x) - 1)
    if field == WAVES:
        return a * np.cos(x) + np.sqrt(1 + x * x)
    return x * x + 3 * np.sin(x) ** 2


@_compiled
def _direction(kind, p, m_scale, v_scale, g, h, m, v, r):
    """Advance h, m and v of one replica and write the direction before the layer factor to r."""
    c = -p[0] * (1 - p[1])
    for j in range(len(g)):
        u = (1 - c) * g[j] + c * h[j]
        h[j] = p[1] * h[j] + (1 - p[1]) * g[j]
        if kind == ESGD:
            m[j] = p[2] * m[j] + u
            r[j] = m[j]
        else:
            m[j] = p[2] * m[j] + (1 - p[2]) * u
            v[j] = p[3] * v[j] + (1 - p[3]) * u * u
            r[j] = m[j] / m_scale / (np.sqrt(v[j] / v_scale) + p[4])


@_compiled
def _factor(kind, p, theta, r, first, last):
    """The layer factor of coordinates first ... last - 1; 1 for ESGD and EAdam."""
    if kind < VANILLA:
        return 1.0
    theta2, r2 = 0.0, 0.0
    for j in range(first, last):
        theta2 += theta[j] * theta[j]
        r2 += r[j] * r[j]
    phi = np.sqrt(theta2) + p[6]
    return phi / (np.sqrt(r2) + p[5] * phi)


@_compiled
def _scales(kind, p, k):
    """1 - beta2^k and 1 - beta3^k under bias correction, else 1."""
    if kind in {EADAM, ALTO}:
        return 1 - p[2] ** k, 1 - p[3] ** k
    return 1.0, 1.0


@_compiled
def descend(kind, p, eta, taken, steps, field, parameters, floor, noise, layers, theta, h, m, v, sums, moments):
    """Take ``steps`` steps of constant length on a sum over coordinates.

    Args:
        kind: the algorithm.
        p: its numbers.
        eta: literal learning rate.
        taken: steps taken before.
        steps: how many to take.
        field: the objective.
        parameters: its parameters, shape (2, d).
        floor: f*.
        noise: shape (steps, R, d), or (0, R, d) for none.
        layers: layer bounds.
        theta: iterates, shape (R, d).
        h: state, shape (R, d).
        m: state, shape (R, d).
        v: state, shape (R, d).
        sums: shape (R, 3): ``GRADIENT``, ``GAP``, ``LARGEST``.
        moments: shape (2, R, d): sums of theta_k and of theta_k^2.
    """
    R, d = theta.shape
    g, r = np.empty(d), np.empty(d)
    for i in range(steps):
        m_scale, v_scale = _scales(kind, p, taken + i + 1)
        for n in range(R):
            square, gap = 0.0, -floor
            for j in range(d):
                x, a, b = theta[n, j], parameters[0, j], parameters[1, j]
                D = slope(field, a, b, x)
                square += D * D
                gap += height(field, a, b, x)
                moments[0, n, j] += x
                moments[1, n, j] += x * x
                g[j] = D + noise[i, n, j] if len(noise) else D
                sums[n, LARGEST] = max(sums[n, LARGEST], abs(g[j]))
            sums[n, GRADIENT] += square
            sums[n, GAP] += gap
            _direction(kind, p, m_scale, v_scale, g, h[n], m[n], v[n], r)
            for layer in range(len(layers) - 1):
                s = _factor(kind, p, theta[n], r, layers[layer], layers[layer + 1])
                for j in range(layers[layer], layers[layer + 1]):
                    theta[n, j] -= eta * s * r[j]


@_compiled
def play(kind, p, eta, taken, monotone, link, a, y, index, box, layers, theta, h, m, v, H, sums):
    """Play ``index.shape[0]`` rounds of an online stream with eta_k = eta / sqrt(k), clipped to the box.

    Args:
        kind: the algorithm.
        p: its numbers.
        eta: literal learning rate.
        taken: rounds played before.
        monotone: replace H_k = W_k / (eta_k s_k) by its running maximum.
        link: which loss.
        a: the pool, shape (J, d).
        y: its responses, shape (J,).
        index: which loss each replica gets in each round, shape (rounds, R).
        box: its lower and upper end.
        layers: layer bounds.
        theta: iterates, shape (R, d).
        h: state, shape (R, d).
        m: state, shape (R, d).
        v: state, shape (R, d).
        H: H_k of the last round, 0 before the first, shape (R, d).
        sums: shape (R, 2): ``LOSS``, ``FALL``.
    """
    R, d = theta.shape
    g, r = np.empty(d), np.empty(d)
    for i in range(len(index)):
        k = taken + i + 1
        m_scale, v_scale = _scales(kind, p, k)
        rate = eta / np.sqrt(k)
        for n in range(R):
            which = index[i, n]
            product = 0.0
            for j in range(d):
                product += a[which, j] * theta[n, j]
            if link == LINEAR:
                loss, outer = product, 1.0
            elif link == SQUARE:
                loss, outer = (product - y[which]) ** 2 / 2, product - y[which]
            else:
                z = y[which] * product
                loss = np.log1p(np.exp(-z)) if z > 0 else np.log1p(np.exp(z)) - z
                outer = -y[which] / (1 + np.exp(z))
            sums[n, LOSS] += loss
            for j in range(d):
                g[j] = outer * a[which, j]
            _direction(kind, p, m_scale, v_scale, g, h[n], m[n], v[n], r)
            for layer in range(len(layers) - 1):
                s = _factor(kind, p, theta[n], r, layers[layer], layers[layer + 1])
                for j in range(layers[layer], layers[layer + 1]):
                    W = 1.0 if kind == ESGD else np.sqrt(v[n, j] / v_scale) + p[4]
                    now = W * m_scale / (rate * s)
                    sums[n, FALL] += max(H[n, j] - now, 0.0)
                    if monotone:
                        now = max(now, H[n, j])
                    H[n, j] = now
                    theta[n, j] = min(max(theta[n, j] - m[n, j] / now, box[0]), box[1])
