"""Algorithms 1-5 of the paper, word for word: the specification that every engine is tested against.

Two buffers (``a`` and the previous gradient), float64, no cleverness. A parameter vector is a list with one array a
layer, each of shape (R, d_i): R independent replicas ride along the first axis. All state starts at zero.

    E       a_k = beta1 a_{k-1} + (1 - beta1) (g_k - g_{k-1}),   u_k = g_k + alpha a_k;   u_k takes g_k's place
    Alg. 3  ESGD   m_k = beta2 m_{k-1} + u_k
    Alg. 4  EAdam  m_k = beta2 m_{k-1} + (1 - beta2) u_k,   v_k = beta3 v_{k-1} + (1 - beta3) u_k^2
    Alg. 1  ALTO   r_k = m_k / (sqrt(v_k) + eps1) + gamma theta_k, then a step of relative length eta in each layer
    Alg. 2  ALTO   as Alg. 1, with m and v divided by 1 - beta^k

The paper's region |alpha| < 1 / (1 - beta1) is not enforced: Remark 2.2's counterexamples step outside it. Plain
attributes such as ``alpha`` and ``weight_decay`` may be changed between steps, which gives alpha_k and gamma_k.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

Layers = list[np.ndarray]
"""One float64 array per layer, each of shape (R, d_i)."""

Rate = float | np.ndarray
"""A learning rate: a float, or shape (R, 1) for one per replica."""


def _layers(arrays: Sequence[np.ndarray]) -> Layers:
    layers = [np.array(x, dtype=np.float64) for x in arrays]
    for i, x in enumerate(layers):
        if x.ndim != 2:
            raise ValueError(f"layer {i} has shape {x.shape}: expected (R, d), replicas first")
    return layers


def _zeros(theta: Layers) -> Layers:
    return [np.zeros_like(x) for x in theta]


@dataclass
class _Explorer:
    """What all five algorithms share: the step count, the two buffers, and u_k.

    Attributes:
        k: number of steps taken.
        g: the last gradient, g_k; a: the average of gradient differences, a_k; u: g_k + alpha a_k. Lists of (R, d_i).
    """

    alpha: float
    beta1: float
    k: int = field(default=0, init=False)
    g: Layers = field(default_factory=list, init=False, repr=False)
    a: Layers = field(default_factory=list, init=False, repr=False)
    u: Layers = field(default_factory=list, init=False, repr=False)

    def init(self, theta: Sequence[np.ndarray]) -> Layers:
        """Zero the state for parameters shaped like ``theta`` and return them as float64 layers.

        Raises:
            ValueError: a layer is not of shape (R, d).
        """
        layers = _layers(theta)
        self.k, self.g, self.a, self.u = 0, _zeros(layers), _zeros(layers), _zeros(layers)
        return layers

    def explore(self, grads: Sequence[np.ndarray]) -> Layers:
        """Advance a_k and return u_k."""
        new = _layers(grads)
        self.k += 1
        self.a = [
            self.beta1 * a + (1 - self.beta1) * (g_new - g) for a, g_new, g in zip(self.a, new, self.g, strict=True)
        ]
        self.g = new
        self.u = [g + self.alpha * a for g, a in zip(self.g, self.a, strict=True)]
        return self.u


@dataclass
class ESGD(_Explorer):
    """Algorithm 3. Note that m has no factor 1 - beta2, as in torch.optim.SGD.

    Attributes:
        m: the momentum of the last step; r: what was multiplied by the learning rate (here m). Lists of (R, d_i).
    """

    beta2: float
    m: Layers = field(default_factory=list, init=False, repr=False)
    r: Layers = field(default_factory=list, init=False, repr=False)

    def init(self, theta: Sequence[np.ndarray]) -> Layers:
        """Zero the state; see :meth:`_Explorer.init`."""
        layers = super().init(theta)
        self.m, self.r = _zeros(layers), _zeros(layers)
        return layers

    def step(self, theta: Sequence[np.ndarray], grads: Sequence[np.ndarray], lr: Rate) -> Layers:
        """Return theta_{k+1}. ``theta`` and ``grads``: lists of (R, d_i); ``lr``: eta_k."""
        self.m = [self.beta2 * m + u for m, u in zip(self.m, self.explore(grads), strict=True)]
        self.r = self.m
        return [x - lr * r for x, r in zip(theta, self.r, strict=True)]


@dataclass
class _SecondMoment(_Explorer):
    """m and v of Algorithms 1, 2 and 4."""

    beta2: float
    beta3: float
    m: Layers = field(default_factory=list, init=False, repr=False)
    v: Layers = field(default_factory=list, init=False, repr=False)
    r: Layers = field(default_factory=list, init=False, repr=False)

    def init(self, theta: Sequence[np.ndarray]) -> Layers:
        """Zero the state; see :meth:`_Explorer.init`."""
        layers = super().init(theta)
        self.m, self.v, self.r = _zeros(layers), _zeros(layers), _zeros(layers)
        return layers

    def _average(self, us: Layers) -> None:
        self.m = [self.beta2 * m + (1 - self.beta2) * u for m, u in zip(self.m, us, strict=True)]
        self.v = [self.beta3 * v + (1 - self.beta3) * u**2 for v, u in zip(self.v, us, strict=True)]

    def _adam_direction(self, *, eps1: float, bias_correction: bool) -> Layers:
        m_scale = 1 - self.beta2**self.k if bias_correction else 1.0
        v_scale = 1 - self.beta3**self.k if bias_correction else 1.0
        return [(m / m_scale) / (np.sqrt(v / v_scale) + eps1) for m, v in zip(self.m, self.v, strict=True)]


@dataclass
class EAdam(_SecondMoment):
    """Algorithm 4, bias-corrected.

    Attributes:
        m, v: the averages before bias correction; r: mhat / (sqrt(vhat) + eps1). Lists of (R, d_i).
    """

    eps1: float

    def step(self, theta: Sequence[np.ndarray], grads: Sequence[np.ndarray], lr: Rate) -> Layers:
        """Return theta_{k+1}. ``theta`` and ``grads``: lists of (R, d_i); ``lr``: eta_k."""
        self._average(self.explore(grads))
        self.r = self._adam_direction(eps1=self.eps1, bias_correction=True)
        return [x - lr * r for x, r in zip(theta, self.r, strict=True)]


@dataclass
class ALTO(_SecondMoment):
    """Algorithm 2, or with ``bias_correction=False`` Algorithm 1.

    Args:
        alpha, beta1: the adaptor's; beta2, beta3: decay rates of m and v.
        eps1: added to sqrt(v); eps2: in the layer factor; eps3: phi(x) = x + eps3.
        weight_decay: gamma, added to r as gamma theta.
        bias_correction: Algorithm 2 rather than 1.
        layerwise: scale each layer by phi(|theta|) / (|r| + eps2 phi(|theta|)); if false the factor is 1 everywhere.
        zero_norm_factor_one: the factor is 1 where |theta| = 0 or |r| = 0, as in the library and in every LAMB in use.
            The default is the paper's literal phi, under which a layer that starts at zero moves by about
            eta eps3 per step: it is nearly frozen.

    Attributes:
        m, v: the averages before bias correction; r: the direction before the layer factor; factor: the layer factors,
            a list of (R, 1).
    """

    eps1: float
    eps2: float
    eps3: float
    weight_decay: float
    bias_correction: bool
    layerwise: bool
    zero_norm_factor_one: bool = False
    factor: Layers = field(default_factory=list, init=False, repr=False)

    def step(self, theta: Sequence[np.ndarray], grads: Sequence[np.ndarray], lr: Rate) -> Layers:
        """Return theta_{k+1}. ``theta`` and ``grads``: lists of (R, d_i); ``lr``: eta_k."""
        self._average(self.explore(grads))
        adam = self._adam_direction(eps1=self.eps1, bias_correction=self.bias_correction)
        self.r = [d + self.weight_decay * x for d, x in zip(adam, theta, strict=True)]
        self.factor = [self._layer_factor(x, r) for x, r in zip(theta, self.r, strict=True)]
        return [x - lr * s * r for x, s, r in zip(theta, self.factor, self.r, strict=True)]

    def _layer_factor(self, theta: np.ndarray, r: np.ndarray) -> np.ndarray:
        """The factor phi / (|r| + eps2 phi) of one layer; norms over that layer, one per replica; shape (R, 1)."""
        if not self.layerwise:
            return np.ones((len(theta), 1))
        theta_norm = np.linalg.norm(theta, axis=1, keepdims=True)
        r_norm = np.linalg.norm(r, axis=1, keepdims=True)
        phi = theta_norm + self.eps3
        factor = phi / (r_norm + self.eps2 * phi)
        if self.zero_norm_factor_one:
            factor = np.where((theta_norm == 0) | (r_norm == 0), 1.0, factor)
        return factor


class E(_Explorer):
    """Algorithm 5: any base optimizer, fed u_k in place of g_k.

    Args:
        base_update: ``(theta, u, lr) -> new theta``, lists of (R, d_i); it may keep state of its own.
        alpha, beta1: the adaptor's.
    """

    def __init__(self, base_update: Callable[[Layers, Layers, Rate], Layers], alpha: float, beta1: float) -> None:
        super().__init__(alpha, beta1)
        self.base_update = base_update

    def step(self, theta: Sequence[np.ndarray], grads: Sequence[np.ndarray], lr: Rate) -> Layers:
        """Return theta_{k+1}. ``theta`` and ``grads``: lists of (R, d_i); ``lr``: eta_k."""
        return self.base_update(_layers(theta), self.explore(grads), lr)
