"""MuJoCo's swimmer, ant and humanoid through gymnasium, several side by side.

Every rollout begins with new episodes from seeds that follow from the run, so a checkpoint holds no simulator's state.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from experiments.data import SIMULATED
from experiments.io.errors import ConfigError


class Simulators:
    """A few simulators of one kind.

    Args:
        name: One of `experiments.data.SIMULATED`.
        count: How many.

    Raises:
        ConfigError: gymnasium or MuJoCo is absent.
    """

    def __init__(self, name: str, count: int):
        try:
            import gymnasium

            self._all: list[Any] = [gymnasium.make(SIMULATED[name]) for _ in range(count)]
        except (ImportError, gymnasium_errors()) as error:
            raise ConfigError(
                "data.name", f"{name} needs gymnasium with MuJoCo ({error}): pip install 'gymnasium[mujoco]'"
            ) from error
        space = self._all[0].action_space
        self._low, self._high = space.low, space.high
        self.observations = int(np.prod(self._all[0].observation_space.shape))
        self.actions = int(np.prod(space.shape))

    def reset(self, seeds: Sequence[int]) -> Tensor:
        """Begin new episodes.

        Args:
            seeds: One per simulator.

        Returns:
            (simulators, observations) float32.
        """
        pairs = zip(self._all, seeds, strict=True)
        return _tensor([simulator.reset(seed=seed % 2**31)[0] for simulator, seed in pairs])

    def step(self, actions: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
        """Take one step in each; an episode that ends is followed by a new one.

        Args:
            actions: (simulators, actions); cut to what the simulator allows.

        Returns:
            The next observations, where a new episode begins its first; the observations that the actions led to;
            rewards; which episodes failed; which ended, by failure or by the time limit.
        """
        following, after, rewards, failed, ended = [], [], [], [], []
        moves = np.clip(actions.cpu().numpy(), self._low, self._high)
        for simulator, move in zip(self._all, moves, strict=True):
            observation, reward, terminated, truncated, _ = simulator.step(move)
            after.append(observation)
            following.append(simulator.reset()[0] if terminated or truncated else observation)
            rewards.append(reward)
            failed.append(terminated)
            ended.append(terminated or truncated)
        return _tensor(following), _tensor(after), _tensor(rewards), torch.tensor(failed), torch.tensor(ended)

    def close(self) -> None:
        """Free them."""
        for simulator in self._all:
            simulator.close()


def gymnasium_errors() -> type[Exception]:
    """What gymnasium raises where MuJoCo is absent; never raised where gymnasium itself is."""
    try:
        from gymnasium.error import DependencyNotInstalled
    except ImportError:
        return ImportError
    return DependencyNotInstalled


def _tensor(values: Sequence[Any]) -> Tensor:
    return torch.from_numpy(np.asarray(values, np.float32))
