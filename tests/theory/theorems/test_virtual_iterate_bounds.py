"""The bounds of E-SGD: each holds along runs, and fails along a run that breaks one of its hypotheses."""

import numpy as np
import pytest

from theory import objectives
from theory.method.filters import Filter
from theory.objectives.noise import Sign
from theory.rates import runner
from theory.rates.settings import Setting
from theory.theorems import virtual_iterate_bounds as ours

FILTERS = [Filter(0.0, 0.99, 0.9), Filter(-5.0, 0.99, 0.9), Filter(0.5, 0.01, 0.9), Filter(20.0, 0.99, 0.0)]


def setting(F, eta):
    return Setting("ESGD", F.alpha, F.beta1, F.beta2, eta=eta)


@pytest.mark.parametrize("F", FILTERS, ids=str)
def test_convex_average_holds_at_its_largest_step(F):
    field, x = runner.quadratic((1e-3, 0.1, 1.0)), runner.log_spaced(1, 3000, 30)
    eta = ours.largest_step_convex(F, 1.0)
    run = runner.descend(field, [setting(F, eta)], checkpoints=x)
    bound = ours.convex_average(eta=eta, T=x, distance2=3.0)
    assert (run.gap[:, 0, 0] <= bound).all()
    assert (field.objective.value(run.mean[:, 0, 0]) <= run.gap[:, 0, 0]).all()


def test_convex_average_needs_its_step_size():
    """Gradient descent may take steps up to 1 / L here; at 2.1 / L, beyond the flip, the mean gap explodes."""
    F = Filter(0.0, 0.99, 0.0)
    eta = 2.1 * ours.largest_step_convex(F, 1.0)
    run = runner.descend(runner.quadratic((1.0,)), [setting(F, eta)], checkpoints=np.array([200]))
    assert run.gap[0, 0, 0] > ours.convex_average(eta=eta, T=200, distance2=1.0)


def test_convex_average_needs_convexity():
    """On the waves the iterate stays in a local minimum, so that the mean gap does not fall."""
    F, field, start = Filter(0.0, 0.99, 0.9), runner.waves(2.0, 1), np.array([9.0])
    eta, T = ours.largest_step_convex(F, 3.0), 20_000
    run = runner.descend(field, [setting(F, eta)], checkpoints=np.array([T]), start=start)
    nearest = np.abs(field.objective.minimisers - start).min()
    assert run.gap[0, 0, 0] > ours.convex_average(eta=eta, T=T, distance2=float(nearest**2))


@pytest.mark.parametrize("F", FILTERS, ids=str)
def test_pl_gap_holds_in_the_mean_of_many_seeds(F):
    """256 seeds; the bound exceeds the measured mean by far more than its standard error."""
    f = objectives.make("pl-sine", dimension=1)
    field, x = runner.pl_sine(1), runner.log_spaced(1, 3000, 20)
    eta = ours.largest_step_pl(F, f.L, f.pl)
    run = runner.descend(field, [setting(F, eta)], checkpoints=x, seeds=range(256), noise=Sign(1.0))
    y = run.theta[:, 0] - eta * (F.b * run.m[:, 0] - F.alpha * run.h[:, 0])
    gap = float(f.value(f.start[None])[0])
    bound = ours.pl_gap(F, eta=eta, L=f.L, mu=f.pl, n=x, gap=gap, variance=1.0)
    values = f.value(y.reshape(-1, 1)).reshape(len(x), -1)
    assert (values.mean(1) <= bound).all()
    assert (bound - values.mean(1) > 5 * values.std(1) / 16).all()


def test_pl_gap_needs_the_inequality():
    """A pseudo-Huber bowl is not PL: from far away its gap falls linearly in n, not geometrically."""
    F, field, start = Filter(0.0, 0.99, 0.9), runner.pseudo_huber(1.0, 1), np.array([1000.0])
    eta, n = ours.largest_step_pl(F, 1.0, 0.5), 2000
    run = runner.descend(field, [setting(F, eta)], checkpoints=np.array([n]), start=start)
    left = float(field.objective.value(run.theta[0, 0])[0])
    assert left > ours.pl_gap(F, eta=eta, L=1.0, mu=0.5, n=n, gap=999.0, variance=0.0)


def test_the_largest_pl_step_is_the_largest_within_a_hundredth():
    for F in FILTERS:
        eta = ours.largest_step_pl(F, 8.0, 1 / 32)
        assert ours.pl_step_allowed(F, eta, 8.0, 1 / 32)
        assert not ours.pl_step_allowed(F, 1.02 * eta, 8.0, 1 / 32)


def test_aged_is_K_at_one_and_refuses_a_q_below_the_decay_rates():
    F = Filter(-5.0, 0.99, 0.9)
    assert ours.aged(F, 1.0) == pytest.approx(F.K, rel=1e-12)
    # By hand at beta1 = beta2 = 0, alpha = 1: t_0 = -alpha (1 - beta1) = -1 and nothing else, so K_q = 1 / q
    assert ours.aged(Filter(1.0, 0.0, 0.0), 0.5) == pytest.approx(2.0)
    with pytest.raises(ValueError, match="q ="):
        ours.aged(F, 0.98)


@pytest.mark.parametrize("F", FILTERS, ids=str)
@pytest.mark.parametrize("name", ["linear", "quadratic", "logistic"])
def test_esgd_regret_bounds_every_path(name, F):
    stream, x = objectives.make_stream(name), np.array([10, 300])
    run = runner.play(stream, [setting(F, 0.3)], checkpoints=x, seeds=range(16))
    best = np.stack([stream.total(counts, stream.best(counts)) for counts in run.counts[:, 0]])
    bound = ours.esgd_regret(F, eta=0.3, T=x, d=stream.dimension, G=stream.G, width=2.0)
    assert (run.loss[:, 0] - best <= bound[:, None]).all()


def test_esgd_regret_needs_its_gradient_bound():
    """With a tenth of the true G the bound is passed, at a step size that suits that G."""
    F, stream = Filter(0.0, 0.99, 0.0), objectives.make_stream("linear")
    run = runner.play(stream, [setting(F, 10.0)], checkpoints=np.array([2000]), seeds=range(16))
    best = stream.total(run.counts[0, 0], stream.best(run.counts[0, 0]))
    regret = run.loss[0, 0] - best
    assert (regret > ours.esgd_regret(F, eta=10.0, T=2000, d=2, G=stream.G / 10, width=2.0)).any()
    assert (regret <= ours.esgd_regret(F, eta=10.0, T=2000, d=2, G=stream.G, width=2.0)).all()


@pytest.mark.parametrize("F", FILTERS[1:], ids=str)
def test_displacement_is_the_sum_of_u(F):
    h, total = 0.0, []
    for _ in range(50):
        total.append((1 - F.c) + F.c * h)
        h = F.beta1 * h + 1 - F.beta1
    np.testing.assert_allclose(ours.displacement(F, np.arange(1, 51)), np.cumsum(total), rtol=1e-12)


def test_the_worst_width_leaves_the_largest_gap():
    S = np.array([3.0])
    widths = np.linspace(0.01, 0.9, 2000)
    left = np.maximum(1 - widths * S, 0)
    gaps = np.where(left <= widths, left**2 / 2, widths * left - widths**2 / 2)
    best = gaps[np.argmin(np.abs(widths - ours.worst_width(S)))]
    assert gaps[left > widths].max() == pytest.approx(float(ours.worst_gap(S)[0]), rel=1e-4)
    assert best == pytest.approx(float(ours.worst_gap(S)[0]), rel=1e-3)


@pytest.mark.parametrize("F", FILTERS[:3], ids=str)
def test_the_pl_floor_is_near_where_mu_is_L(F):
    """The bound is at most 4 times the floor of theta^2 / 2; 64 seeds, 2000 late steps: a standard error of 3 %."""
    eta = ours.largest_step_pl(F, 1.0, 1.0) / 2
    last = 4000
    x = np.arange(last // 2, last, 10)
    field, start = runner.quadratic((1.0,)), np.zeros(1)
    run = runner.descend(field, [setting(F, eta)], checkpoints=x, seeds=range(64), noise=Sign(1.0), start=start)
    y = run.theta[:, 0] - eta * (F.b * run.m[:, 0] - F.alpha * run.h[:, 0])
    floor = float((y**2).mean() / 2)
    bound = float(ours.pl_gap(F, eta=eta, L=1.0, mu=1.0, n=last, gap=0.0, variance=1.0))
    assert floor <= bound <= 4 * floor
