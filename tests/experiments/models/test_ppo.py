"""The maths of PPO against brute force, and against what must hold."""

import math

import pytest
import torch

from experiments.models.ppo import PPO, Moments, Rollout


@pytest.fixture
def agent():
    torch.manual_seed(0)
    return PPO(3, 2, hidden=(8,), discount=0.9, trace=0.7)


def transitions(agent, steps=6, simulators=2, seed=1):
    draw = torch.Generator().manual_seed(seed)
    observations = torch.randn(steps, simulators, 3, generator=draw)
    after = torch.randn(steps, simulators, 3, generator=draw)
    rewards = torch.randn(steps, simulators, generator=draw)
    actions, log_probs = agent.act(observations.flatten(0, 1), draw)
    ended = torch.rand(steps, simulators, generator=draw) < 0.3
    failed = ended & (torch.rand(steps, simulators, generator=draw) < 0.5)
    ended[-1] = True
    shape = (steps, simulators)
    return [observations, actions.view(*shape, 2), log_probs.view(shape), rewards, after, failed, ended]


def test_the_advantages_are_their_definition(agent):
    columns = transitions(agent)
    observations, _, _, rewards, after, failed, ended = columns
    assert ended[:-1].any()
    assert failed.any()
    found = agent.judged(*columns).advantages
    with torch.no_grad():
        values, future = agent.value(observations), agent.value(after)
    for simulator in range(2):
        for start in range(6):
            total, weight = 0.0, 1.0
            for step in range(start, 6):
                at = (step, simulator)
                surprise = rewards[at] - values[at] + (0.0 if failed[at] else 0.9 * future[at])
                total += weight * float(surprise)
                if ended[at]:
                    break
                weight *= 0.9 * 0.7
            # the gains have seen nothing: their deviation is 1 up to 5e-9
            assert found[start, simulator].item() == pytest.approx(total, rel=1e-4, abs=1e-5)


def test_with_trace_one_the_target_is_the_discounted_return(agent):
    agent.trace = 1.0
    columns = transitions(agent)
    columns[5][:], columns[6][:] = False, False
    columns[5][-1] = columns[6][-1] = True
    # a value is that of the observation before, so each step's future must be the next step's value
    columns[4][:-1] = columns[0][1:]
    rollout = agent.judged(*columns)
    expected = sum(0.9**k * columns[3][k] for k in range(6))
    torch.testing.assert_close(rollout.targets[0], expected, rtol=1e-4, atol=1e-5)


def test_the_log_density_is_the_normal_distributions(agent):
    agent.log_deviation.data = torch.tensor([0.3, -0.5])
    means, actions = torch.randn(5, 2), torch.randn(5, 2)
    expected = torch.distributions.Normal(means, agent.log_deviation.exp()).log_prob(actions).sum(-1)
    torch.testing.assert_close(agent.log_prob(means, actions), expected)


def test_actions_have_the_policys_deviation(agent):
    agent.log_deviation.data = torch.tensor([math.log(0.5), math.log(2.0)])
    actions, _ = agent.act(torch.zeros(20000, 3), torch.Generator().manual_seed(1))
    # the standard error of a deviation from 20000 draws is 0.5 %; 2 % is four of them
    torch.testing.assert_close(actions.std(dim=0), torch.tensor([0.5, 2.0]), rtol=0.02, atol=0)


def batch(agent):
    return agent.judged(*transitions(agent)).flat()


def test_where_the_policy_is_still_the_old_one_the_gradient_is_the_policy_gradient(agent):
    agent.value_weight = 0.0
    found = batch(agent)
    agent.zero_grad()
    agent.loss(found).backward()
    gradient = [p.grad.clone() for p in agent.actor.parameters()]
    agent.zero_grad()
    gain = (found.advantages - found.advantages.mean()) / found.advantages.std(correction=0)
    log_probs = agent.log_prob(agent.policy(found.observations), found.actions)
    (-(log_probs * gain).mean()).backward()
    assert max(g.abs().max() for g in gradient) > 1e-3
    for ours, theirs in zip(gradient, agent.actor.parameters(), strict=True):
        torch.testing.assert_close(ours, theirs.grad, rtol=1e-4, atol=1e-6)


def test_beyond_the_clip_there_is_no_pull(agent):
    agent.value_weight = 0.0
    found = batch(agent)
    # the old policy is said to have found every action half as likely where it was good, twice where it was bad:
    # the ratios are 2 and 1/2, beyond the clip on the side to which the loss would pull
    gain = found.advantages - found.advantages.mean()
    shifted = Rollout(
        found.observations, found.actions, found.log_probs - gain.sign() * math.log(2), found.advantages, found.targets
    )
    agent.loss(shifted).backward()
    assert all(p.grad.abs().max() == 0 for p in agent.actor.parameters())
    agent.zero_grad()
    agent.loss(found).backward()
    assert any(p.grad.abs().max() > 0 for p in agent.actor.parameters())


def test_the_value_and_entropy_terms(agent):
    found = batch(agent)
    base = agent.loss(found).item()
    agent.value_weight += 2.0
    error = 0.5 * (agent.value(found.observations) - found.targets).square().mean().item()
    assert agent.loss(found).item() == pytest.approx(base + 2.0 * error, rel=1e-5)
    agent.entropy_weight = 0.5
    entropy = torch.distributions.Normal(torch.zeros(2), agent.log_deviation.exp()).entropy().sum().item()
    assert agent.loss(found).item() == pytest.approx(base + 2.0 * error - 0.5 * entropy, rel=1e-5)


def test_moments_of_parts_are_the_moments_of_the_whole():
    values = torch.randn(1000, 4, dtype=torch.float64) * torch.tensor([1.0, 10.0, 0.1, 3.0]) + 7
    moments = Moments(4)
    for part in values.split([1, 9, 490, 500]):
        moments.see(part)
    torch.testing.assert_close(moments.mean, values.mean(0), rtol=1e-12, atol=0)
    torch.testing.assert_close(moments.variance, values.var(0, correction=0), rtol=1e-10, atol=0)


@pytest.mark.parametrize("option", [{"discount": 0.0}, {"trace": 1.1}, {"clip": 0}, {"passes": 0}, {"simulators": 0}])
def test_an_impossible_option_is_refused_by_name(option):
    with pytest.raises(ValueError, match=f"{next(iter(option))} = .* is not allowed"):
        PPO(3, 2, **option)
