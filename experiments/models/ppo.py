"""Proximal policy optimisation (Schulman et al. 2017): the networks, the advantages and the loss.

    ratio   = pi(a|s) / pi_old(a|s)
    policy  = mean min(ratio A, clamp(ratio, 1 - clip, 1 + clip) A)         to be raised
    value   = mean (V(s) - (A + V_old(s)))^2 / 2                            to be lowered
    A_t     = delta_t + discount trace (1 - ended_t) A_{t+1}
    delta_t = r_t + discount (1 - failed_t) V_old(s'_t) - V_old(s_t)

An episode that fails has no future; one that is cut off has the future that V sees.
"""

import itertools
import math
from dataclasses import dataclass, fields

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class Rollout:
    """Transitions; the leading dimensions are steps and simulators, or one of them all.

    Attributes:
        observations: (..., observations), before the action.
        actions: (..., actions), as drawn.
        log_probs: (...), of the actions when they were drawn.
        advantages: (...), A.
        targets: (...), A + V_old.
    """

    observations: Tensor
    actions: Tensor
    log_probs: Tensor
    advantages: Tensor
    targets: Tensor

    def flat(self) -> "Rollout":
        """The same transitions along one dimension."""
        return Rollout(*(getattr(self, field.name).flatten(0, 1) for field in fields(self)))

    def take(self, indices: Tensor) -> "Rollout":
        """Some transitions of a flat rollout."""
        return Rollout(*(getattr(self, field.name)[indices] for field in fields(self)))


class Moments(nn.Module):
    """Mean and variance of everything seen so far, by coordinate (Chan et al. 1979), as buffers.

    Args:
        size: Coordinates.
    """

    count: Tensor
    mean: Tensor
    variance: Tensor

    def __init__(self, size: int):
        super().__init__()
        self.register_buffer("count", torch.zeros((), dtype=torch.float64))
        self.register_buffer("mean", torch.zeros(size, dtype=torch.float64))
        self.register_buffer("variance", torch.ones(size, dtype=torch.float64))

    def see(self, values: Tensor) -> None:
        """Take in (n, size) values."""
        values = values.double()
        count = self.count + len(values)
        step = values.mean(dim=0) - self.mean
        spread = self.variance * self.count + values.var(dim=0, correction=0) * len(values)
        self.variance = (spread + step.square() * self.count * len(values) / count) / count
        self.mean = self.mean + step * len(values) / count
        self.count = count

    def deviation(self) -> Tensor:
        """Standard deviation, (size,) float32."""
        return (self.variance + 1e-8).sqrt().float()


class PPO(nn.Module):
    """Policy and value network of tanh perceptrons, and the loss that trains both.

    Observations are normalised by what earlier rollouts have seen, and rewards by the deviation of the discounted
    gains (neither moves within a rollout, so the first ratio is 1). The defaults are those of the usual PPO for MuJoCo
    (Huang et al. 2022, "The 37 implementation details"); the paper names none but the learning rate.

    Args:
        observations: Coordinates of an observation.
        actions: Coordinates of an action.
        hidden: Widths of the hidden layers of each perceptron.
        discount: Of future rewards, in (0, 1].
        trace: Lambda of the advantages (Schulman et al. 2016), in [0, 1].
        clip: Of the ratio, above 0.
        passes: Over each rollout, at least 1.
        simulators: Side by side, at least 1.
        value_weight: Of the value loss.
        entropy_weight: Of the policy's entropy, which is to be raised.

    Raises:
        ValueError: a value outside its range.
    """

    def __init__(
        self,
        observations: int,
        actions: int,
        hidden: tuple[int, ...] = (64, 64),
        discount: float = 0.99,
        trace: float = 0.95,
        clip: float = 0.2,
        passes: int = 10,
        simulators: int = 2,
        value_weight: float = 0.5,
        entropy_weight: float = 0.0,
    ):
        super().__init__()
        for name, value, good, allowed in (
            ("discount", discount, 0 < discount <= 1, "in (0, 1]"),
            ("trace", trace, 0 <= trace <= 1, "in [0, 1]"),
            ("clip", clip, clip > 0, "above 0"),
            ("passes", passes, passes >= 1, "at least 1"),
            ("simulators", simulators, simulators >= 1, "at least 1"),
        ):
            if not good:
                raise ValueError(f"{name} = {value} is not allowed; it must be {allowed}")
        self.discount, self.trace, self.clip, self.passes, self.simulators = discount, trace, clip, passes, simulators
        self.value_weight, self.entropy_weight = value_weight, entropy_weight
        self.actor = _perceptron((observations, *hidden, actions), last=0.01)
        self.critic = _perceptron((observations, *hidden, 1), last=1.0)
        self.log_deviation = nn.Parameter(torch.zeros(actions))
        self.seen = Moments(observations)
        self.gains = Moments(1)

    def policy(self, observations: Tensor) -> Tensor:
        """(..., observations) -> (..., actions), the mean action."""
        return self.actor(self._normalised(observations))

    def value(self, observations: Tensor) -> Tensor:
        """(..., observations) -> (...), in units of the gains' deviation."""
        return self.critic(self._normalised(observations)).squeeze(-1)

    def log_prob(self, means: Tensor, actions: Tensor) -> Tensor:
        """Log-density of actions under the policy with these means: (...)."""
        standard = (actions - means) * (-self.log_deviation).exp()
        return (-0.5 * (standard.square() + math.log(2 * math.pi)) - self.log_deviation).sum(dim=-1)

    @torch.no_grad()
    def act(self, observations: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Draw actions.

        Args:
            observations: (n, observations).
            generator: Of the CPU.

        Returns:
            Actions (n, actions) and their log-densities (n,).
        """
        means = self.policy(observations)
        noise = torch.randn(means.shape, generator=generator).to(means.device)
        actions = means + noise * self.log_deviation.exp()
        return actions, self.log_prob(means, actions)

    @torch.no_grad()
    def judged(
        self,
        observations: Tensor,
        actions: Tensor,
        log_probs: Tensor,
        rewards: Tensor,
        after: Tensor,
        failed: Tensor,
        ended: Tensor,
    ) -> Rollout:
        """Compute the advantages.

        Args:
            observations: (steps, simulators, observations).
            actions: (steps, simulators, actions).
            log_probs: (steps, simulators).
            rewards: (steps, simulators).
            after: Observations after each action, before any new episode, as ``observations``.
            failed: (steps, simulators) bool, the episode has ended by itself.
            ended: (steps, simulators) bool, it has failed or was cut off; so has every episode at the last step.

        Returns:
            The rollout.
        """
        values, future = self.value(observations), self.value(after) * ~failed
        surprises = rewards / self.gains.deviation() + self.discount * future - values
        advantages = torch.zeros_like(values)
        later = torch.zeros_like(values[0])
        for step in reversed(range(len(rewards))):
            later = surprises[step] + self.discount * self.trace * ~ended[step] * later
            advantages[step] = later
        return Rollout(observations, actions, log_probs, advantages, advantages + values)

    def loss(self, batch: Rollout) -> Tensor:
        """The loss of some transitions, a scalar; advantages are standardised within the batch."""
        means = self.policy(batch.observations)
        ratio = (self.log_prob(means, batch.actions) - batch.log_probs).exp()
        gain = (batch.advantages - batch.advantages.mean()) / (batch.advantages.std(correction=0) + 1e-8)
        surrogate = torch.min(ratio * gain, ratio.clamp(1 - self.clip, 1 + self.clip) * gain).mean()
        error = 0.5 * (self.value(batch.observations) - batch.targets).square().mean()
        entropy = (self.log_deviation + 0.5 * math.log(2 * math.pi * math.e)).sum()
        return -surrogate + self.value_weight * error - self.entropy_weight * entropy

    def _normalised(self, observations: Tensor) -> Tensor:
        return ((observations - self.seen.mean.float()) / self.seen.deviation()).clamp(-10, 10)


def _perceptron(widths: tuple[int, ...], last: float) -> nn.Sequential:
    """Tanh layers with orthogonal weights, scaled by sqrt(2), the last one by ``last``; biases 0."""
    layers: list[nn.Module] = []
    for index, (before, after) in enumerate(itertools.pairwise(widths)):
        linear = nn.Linear(before, after)
        final = index == len(widths) - 2
        nn.init.orthogonal_(linear.weight, last if final else math.sqrt(2))
        nn.init.zeros_(linear.bias)
        layers += [linear] if final else [linear, nn.Tanh()]
    return nn.Sequential(*layers)
