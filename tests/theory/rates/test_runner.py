"""The compiled runner against the literal algorithms, to 1e-12."""

import numpy as np
import pytest

from theory import objectives
from theory.method import algorithms
from theory.method.trajectory import record
from theory.objectives.noise import Sign
from theory.rates import kernels, runner
from theory.rates.settings import METHODS, PAPER, Setting

EPS = (1e-3, 1e-2, 1e-1)


def literal(setting):
    if setting.method == "ESGD":
        return algorithms.ESGD(setting.alpha, setting.beta1, setting.beta2)
    return algorithms.ALTO(
        setting.alpha, setting.beta1, setting.beta2, setting.beta3, *setting.eps, 0.0,
        bias_correction=setting.corrected, layerwise=setting.layerwise,
    )  # fmt: skip


def signs(seeds, steps, d, batch=1):
    return np.stack([Sign(0.3).block(np.random.default_rng(seed), (steps, d), batch) for seed in seeds], 1)


@pytest.mark.parametrize("pair", [*PAPER, (0.0, 0.99), (-90.0, 0.99)], ids=str)
@pytest.mark.parametrize("method", METHODS)
def test_descend_is_the_literal_algorithm(method, pair):
    field, steps, seeds = runner.waves(2.0, 5), 300, (3, 4)
    setting = Setting(method, *pair, eps=EPS, eta=0.01)
    run = runner.descend(
        field, [setting], checkpoints=np.array([1, 7, steps]), seeds=seeds, noise=Sign(0.3), layers=(2, 3)
    )
    # Blocks stop at checkpoints, so a generator is asked for 1, 6 and 293 steps
    generators = [np.random.default_rng(seed) for seed in seeds]
    noise = np.concatenate([
        np.stack([Sign(0.3).block(rng, (n, 5)) for rng in generators], 1) for n in (1, 6, steps - 7)
    ])  # fmt: skip
    path = record(
        literal(setting), lambda k, x: field.objective.gradient(x) + noise[k - 1],
        np.tile(field.objective.start, (2, 1)), steps=steps, eta=lambda _: setting.eta, layers=(2, 3),
    )  # fmt: skip
    for p, stop in enumerate(run.steps):
        np.testing.assert_allclose(run.theta[p, 0], path.theta[stop], rtol=1e-12, atol=1e-12)
        np.testing.assert_allclose(run.h[p, 0], path.h[stop - 1], rtol=1e-12, atol=1e-12)
        np.testing.assert_allclose(run.m[p, 0], path.m[stop - 1], rtol=1e-12, atol=1e-12)
        D = field.objective.gradient(path.theta[:stop])
        np.testing.assert_allclose(run.gradient[p, 0], (D**2).sum(-1).mean(0), rtol=1e-10)
        gaps = np.stack([field.objective.value(x) for x in path.theta[:stop]]) - field.objective.infimum
        np.testing.assert_allclose(run.gap[p, 0], gaps.mean(0), rtol=1e-10)
        np.testing.assert_allclose(run.largest[p, 0], np.abs(path.g[:stop]).max((0, 2)), rtol=1e-12)
        np.testing.assert_allclose(run.mean[p, 0], path.theta[:stop].mean(0), rtol=1e-10)
        np.testing.assert_allclose(run.square[p, 0], (path.theta[:stop] ** 2).mean(0), rtol=1e-10)


def test_algorithm_4_as_written():
    """``record`` uses ALTO without layers for E-Adam; here is Algorithm 4 itself."""
    setting = Setting("EAdam", -5.0, 0.99, eps=EPS, eta=0.01)
    field = runner.pl_sine(3)
    run = runner.descend(field, [setting], checkpoints=np.array([200]))
    optimizer = algorithms.EAdam(setting.alpha, setting.beta1, setting.beta2, setting.beta3, setting.eps[0])
    theta = optimizer.init([field.objective.start[None]])
    for _ in range(200):
        theta = optimizer.step(theta, [field.objective.gradient(theta[0])], setting.eta)
    np.testing.assert_allclose(run.theta[0, 0], theta[0], rtol=1e-12)


@pytest.mark.parametrize("name", objectives.stream_names())
@pytest.mark.parametrize("monotone", [False, True])
@pytest.mark.parametrize("method", METHODS)
def test_play_is_the_literal_algorithm(method, monotone, name):
    stream, rounds, seeds = objectives.make_stream(name), 250, (5, 6)
    seeds = seeds if stream.random else ()
    setting = Setting(method, -5.0, 0.9, eps=EPS, eta=0.3, monotone=monotone)
    run = runner.play(stream, [setting], checkpoints=np.array([10, rounds]), seeds=seeds)
    generators = [np.random.default_rng(seed) for seed in seeds or (0,)]
    index = np.concatenate([
        np.stack([stream.pick(rng, first, (n,)) for rng in generators], 1) for first, n in ((1, 10), (11, rounds - 10))
    ])  # fmt: skip
    path = record(
        literal(setting), lambda k, x: stream.gradient(index[k - 1], x), np.zeros((index.shape[1], stream.dimension)),
        steps=rounds, eta=lambda k: setting.eta / np.sqrt(k), box=stream.box, monotone=monotone,
    )  # fmt: skip
    for p, stop in enumerate(run.rounds):
        losses = sum(stream.loss(index[k], path.theta[k]) for k in range(stop))
        np.testing.assert_allclose(run.loss[p, 0], losses, rtol=1e-11, atol=1e-11)
        met = [np.bincount(index[:stop, r], minlength=len(stream.a)) for r in range(index.shape[1])]
        np.testing.assert_array_equal(run.counts[p, 0], met)
        if not monotone:
            fall = np.maximum(-np.diff(path.H[:stop], axis=0), 0).sum((0, 2))
            np.testing.assert_allclose(run.fall[p, 0], fall, rtol=1e-9, atol=1e-9)


FIELDS = {
    "quadratic": runner.quadratic((0.1, 1.0, 3.0), centre=0.5),
    "huber": runner.huber((0.05, 0.4)),
    "pseudo-huber": runner.pseudo_huber(0.1, 3),
    "waves": runner.waves(2.0, 4),
    "pl-sine": runner.pl_sine(3),
}


@pytest.mark.parametrize("name", FIELDS)
def test_compiled_fields_are_the_registered_objectives(name):
    field = FIELDS[name]
    x = field.objective.points(np.random.default_rng(0), 200)
    a, b = field.parameters
    slopes = [[kernels.slope(field.code, *abx) for abx in zip(a, b, row, strict=True)] for row in x]
    heights = [sum(kernels.height(field.code, *abx) for abx in zip(a, b, row, strict=True)) for row in x]
    np.testing.assert_allclose(slopes, field.objective.gradient(x), rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(heights, field.objective.value(x), rtol=1e-12, atol=1e-12)


def test_results_do_not_depend_on_who_else_runs():
    field, alone = runner.waves(2.0, 2), Setting("ALTO", -5.0, 0.99, eta=0.01)
    others = [Setting("ESGD", 0.5, 0.01, eta=0.01), alone]
    arguments = {"checkpoints": np.array([50]), "seeds": (1, 2), "noise": Sign(1.0)}
    single = runner.descend(field, [alone], **arguments)
    crowd = runner.descend(field, others, **arguments)
    np.testing.assert_array_equal(single.theta[:, 0], crowd.theta[:, 1])


def test_a_long_run_is_cut_into_blocks(monkeypatch):
    monkeypatch.setattr(runner, "BLOCK", 64)
    field, setting = runner.quadratic((1.0,)), Setting("ESGD", 0.0, 0.99, eta=0.1)
    updates = []
    run = runner.descend(
        field, [setting], checkpoints=np.array([5, 40]), seeds=(0, 1), noise=Sign(1.0), done=updates.append
    )
    assert updates == [10, 64, 6]
    assert run.steps.tolist() == [5, 40]


def test_noise_and_seeds_belong_together():
    field, setting = runner.quadratic((1.0,)), Setting("ESGD", 0.0, 0.99)
    with pytest.raises(ValueError, match="seeds"):
        runner.descend(field, [setting], checkpoints=np.array([5]), seeds=(0,))
    with pytest.raises(ValueError, match="seeds"):
        runner.play(objectives.make_stream("linear"), [setting], checkpoints=np.array([5]))


@pytest.mark.parametrize(("arguments", "word"), [({"method": "Adam"}, "method"), ({"eta": 0.0}, "eta")])
def test_a_setting_that_makes_no_sense_is_refused(arguments, word):
    with pytest.raises(ValueError, match=word):
        Setting(**{"method": "ESGD", "alpha": 0.0, "beta1": 0.99} | arguments)
