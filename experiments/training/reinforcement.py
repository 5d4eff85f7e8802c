"""The training loop of an agent that learns to move by PPO: one step is a rollout and the updates on it."""

import math
from pathlib import Path

import torch
from torch import Tensor, nn

from experiments import data, models
from experiments.distributed import teams
from experiments.io.environment import Environment
from experiments.models.ppo import PPO, Rollout
from experiments.optimizers import competitors, schedules
from experiments.runs.plan import Run
from experiments.runs.rows import Point, Scores, finite
from experiments.training import admission, batches
from experiments.training.loop import TrainingLoop
from experiments.training.simulators import Simulators

EPISODES = 10  # of an evaluation, unless data.test_limit says otherwise


class ReinforcementLoop(TrainingLoop):
    """A run on simulators. Every argument is `TrainingLoop`'s.

    ``data.limit`` is the number of transitions of a rollout, ``training.epochs`` the number of rollouts,
    ``training.batch_size`` the transitions of an update.

    Raises:
        ConfigError: a setting that has no meaning for a simulated task, or gymnasium is absent.
    """

    def __init__(self, run: Run, place: Environment, folder: Path, team: teams.Team | None = None):
        super().__init__(run, place, folder, team)
        admission.switches(run.data, run.training)
        self.horizon = data.examples(run.data)
        scout = Simulators(run.data.name, 1)
        self.sizes = scout.observations, scout.actions
        scout.close()
        self.model = self.agent = self._untrained()
        self.simulators = Simulators(run.data.name, self.agent.simulators)
        episodes = EPISODES if run.data.test_limit == "all" else run.data.test_limit
        self.judges = Simulators(run.data.name, episodes)
        self.episodes = episodes
        self.note = ""
        self.optimizer = competitors.create(
            run.optimizer, run.options, self.model, lr=run.lr, weight_decay=run.training.weight_decay
        )
        self.scaler = torch.amp.GradScaler(self.device.type, enabled=False)
        size = run.training.batch_size
        self.batch_size = self.horizon if size == "full" else min(size, self.horizon)
        self.updates = self.agent.passes * batches.steps_per_epoch(self.horizon, self.batch_size)  # a rollout
        self.total = run.training.epochs
        self.evaluated_at = self._evaluation_steps()

    def _untrained(self) -> PPO:
        """The agent with which the run begins."""
        torch.manual_seed(batches.derive_seed(self.run.seed, "init"))
        return models.create_agent(self.run.model, *self.sizes).to(self.device)

    def _finite(self) -> bool:
        return all(bool(parameter.isfinite().all()) for parameter in self.model.parameters())

    def advance(self) -> None:
        """One rollout, and the updates on it; networks that are not finite any more are left as they are."""
        if self._finite():
            rollout, observations, gains = self._collect()
            self._learn(rollout)
            self.agent.seen.see(observations)
            self.agent.gains.see(gains)
            self.examples += self.horizon
        else:
            self.loss_sum = self.loss_sum + math.nan
            self.loss_steps += 1
        self.step += 1

    def _collect(self) -> tuple[Rollout, Tensor, Tensor]:
        """A rollout, and what updates the normalisers: observations (n, observations) and discounted gains (n, 1)."""
        count = self.agent.simulators
        seeds = [batches.derive_seed(self.run.seed, "rollout", self.step, index) for index in range(count)]
        generator = torch.Generator().manual_seed(batches.derive_seed(self.run.seed, "actions", self.step))
        now = self.simulators.reset(seeds).to(self.device)
        gain = torch.zeros(count, device=self.device)
        steps, gains = [], []
        for _ in range(self.horizon // count):
            actions, log_probs = self.agent.act(now, generator)
            results = (result.to(self.device) for result in self.simulators.step(actions))
            following, after, rewards, failed, ended = results
            steps.append((now, actions, log_probs, rewards, after, failed, ended))
            gain = self.agent.discount * gain + rewards
            gains.append(gain)
            gain, now = gain * ~ended, following
        columns = [torch.stack(column) for column in zip(*steps, strict=True)]
        columns[-1][-1] = True  # the rollout ends here, for all
        return self.agent.judged(*columns), columns[0].flatten(0, 1), torch.cat(gains)[:, None]

    def _learn(self, rollout: Rollout) -> None:
        training, flat = self.run.training, rollout.flat()
        warmup = round(training.warmup * self.updates)
        done = self.step * self.updates
        for turn in range(self.agent.passes):
            order = batches.order(self.horizon, self.run.seed, self.step * self.agent.passes + turn).to(self.device)
            for indices in order.split(self.batch_size):
                lr = self.run.lr * schedules.factor(training.schedule, done, self.total * self.updates, warmup)
                for group in self.optimizer.param_groups:
                    group["lr"] = lr
                self.optimizer.zero_grad(set_to_none=True)
                loss = self.agent.loss(flat.take(indices))
                loss.backward()
                if training.clip != "none":
                    nn.utils.clip_grad_norm_(self.model.parameters(), training.clip)
                self.optimizer.step()
                self.loss_sum += loss.detach()
                self.loss_steps += 1
                done += 1

    def _evaluate(self) -> Point:
        final = self.run.phase == "final"
        return Point(
            step=self.step,
            epoch=float(self.step),
            seconds=self.seconds,
            lr=self.optimizer.param_groups[0]["lr"],
            train_loss=finite(self._mean_loss().item()),
            validation=self._scores("validation"),
            test=self._scores("test") if final else None,
        )

    @torch.no_grad()
    def _scores(self, split: str) -> Scores:
        """The mean return of whole episodes without exploration, from starts that are the same for all competitors.

        A network that is not finite any more has the return of the untrained one.
        """
        agent = self.agent if self._finite() else self._untrained()
        seeds = [batches.derive_seed(_JUDGE, split, index) for index in range(self.episodes)]
        now = self.judges.reset(seeds)
        running, returns = torch.ones(self.episodes, dtype=torch.bool), torch.zeros(self.episodes, dtype=torch.float64)
        while running.any():
            actions = agent.policy(now.to(self.device))
            if not actions.isfinite().all():
                return Scores(None, None)
            now, _, rewards, _, ended = self.judges.step(actions)
            returns += rewards * running
            running &= ~ended
        return Scores(None, None, reward=finite(returns.mean().item()))


_JUDGE = 1416  # the seed of the evaluations' starts; the paper's Figures 14 to 16
