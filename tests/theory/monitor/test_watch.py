"""``theory.watch``: known constants of a quadratic, the exact edge, noise, and what it must leave alone."""

import csv
import math

import numpy as np
import pytest
import torch
from torch import nn

import alto
import theory
from tests.theory.monitor.quadratic import CURVATURES, check, quadratic, train
from theory.monitor import cost, secants
from theory.monitor.sinks import COLUMNS, CSV, Live, TensorBoard


def watched(make, steps=30, **options):
    weight, loss = quadratic()
    optimizer = make([weight])
    run = theory.watch(optimizer, **{"every": 1, "variance": 0.0, "loss": loss, "curvature_every": 1, **options})
    train(optimizer, loss, steps, run)
    return run.report()


def sgd(params, lr=0.05, momentum=0.5, **options):
    return torch.optim.SGD(params, lr=lr, momentum=momentum, **options)


def test_constants_edge_and_bound_of_a_quadratic():
    report = watched(sgd)
    assert pytest.approx(3.0) == report.G
    assert pytest.approx(math.sqrt(5)) == report.D
    assert 1 <= report.L <= 3 + 1e-9
    # normalised momentum: lr / (1 - .5) = .1 times the sharpness 3; the threshold 2 (1 + mu) / (1 - mu)
    assert report.hessian_x == pytest.approx(0.1 * 3, rel=1e-3)
    assert report.threshold == pytest.approx(2 * 1.5 / 0.5)
    assert report.age == pytest.approx(1.0)
    assert report.Q.smallest == pytest.approx(report.Q.largest) == pytest.approx(0.1)
    assert "Theorem N" not in report.not_claimed
    assert report.gradient <= report.bound
    assert f"at most {report.bound:.4g}" in str(report)


@pytest.mark.parametrize(("factor", "stable"), [(0.98, True), (1.02, False)])
def test_the_edge_is_where_training_diverges(factor, stable):
    lr = factor * 2 * 1.5 / 3  # eta lambda = 2 (1 + mu)
    report = watched(lambda params: sgd(params, lr), steps=200)
    assert (report.D < 100) is stable
    broken = check(report, "below the threshold").first_broken
    assert (broken is None) is stable


def test_adams_preconditioner_is_the_one_of_its_step():
    weight, loss = quadratic()
    optimizer = torch.optim.Adam([weight], lr=0.01, betas=(0.0, 0.9), eps=1e-8)
    run = theory.watch(optimizer, every=1)
    for _ in range(2):
        before = weight.detach().clone()
        train(optimizer, loss, 1)
        step = (before - weight.detach()) / (CURVATURES * before)  # without momentum: Q itself
    train(optimizer, loss, 1)
    Q = run.report().Q
    assert Q.smallest <= float(step.min()) * (1 + 1e-9)
    assert Q.largest >= float(step.max()) * (1 - 1e-9)
    assert Q.smallest == pytest.approx(0.01 / 3, rel=0.05)


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (lambda params: sgd(params, weight_decay=0.1), "no constant weight decay"),
        (lambda params: sgd(params, lr=5.0), "eta is within its limit"),
        (lambda params: sgd(params, nesterov=True), "Nesterov"),
        (lambda params: sgd(params, dampening=0.1), "dampening"),
        (torch.optim.RMSprop, "torch.optim.rmsprop.RMSprop is not known"),
        (lambda params: alto.ALTO(params, lr=0.01), "layer factor"),
        (lambda params: torch.optim.Adam(params, amsgrad=True), "amsgrad"),
        (lambda params: alto.E(sgd(params), alpha=-5.0, beta1=0.99, start="first"), "begins at 0"),
    ],
    ids=["decay", "rate", "nesterov", "dampening", "rmsprop", "alto", "amsgrad", "start"],
)
def test_not_claimed_where_the_theorem_does_not_apply(make, why):
    report = watched(make, steps=4)
    assert why in report.not_claimed["Theorem N"]
    assert report.bound is None
    assert f"Theorem N: not claimed: {report.not_claimed['Theorem N']}" in str(report)


def test_the_step_that_broke_an_assumption_is_named():
    weight, loss = quadratic()
    optimizer = sgd([weight])
    run = theory.watch(optimizer, every=1)
    train(optimizer, loss, 3, run)
    optimizer.param_groups[0]["lr"] = 0.01
    train(optimizer, loss, 3, run)
    found = check(run.report(), "rate is constant")
    assert found.first_broken == 4
    assert found.share == 0.5
    assert "step 4" in run.report().not_claimed["Theorem N"]


@pytest.mark.parametrize(
    ("make", "age"),
    [
        (lambda params: alto.E(torch.optim.AdamW(params), alpha=-5.0, beta1=0.99), 9 + 5),
        (lambda params: alto.ALTO(params, alpha=-5.0, beta1=0.99, betas=(0.9, 0.99), layerwise=False), 9 + 5),
        (lambda params: alto.E(alto.LAMB(params, betas=(0.9, 0.99), layerwise=False), alpha=-5.0, beta1=0.99), 9 + 5),
    ],
    ids=["E(AdamW)", "ALTO", "E(LAMB)"],
)
def test_e_is_known(make, age):
    report = watched(make, steps=4)
    assert report.age == pytest.approx(age)
    assert math.isfinite(report.secant_x)


def test_gradients_that_are_still_scaled_are_refused():
    weight = torch.zeros(3, requires_grad=True)
    optimizer = sgd([weight])
    theory.watch(optimizer)
    weight.grad = torch.ones(3)
    optimizer.grad_scale = torch.tensor(65536.0)  # as a GradScaler sets it for a fused optimizer
    with pytest.raises(RuntimeError, match="unscale_"):
        optimizer.step()
    optimizer.grad_scale = None
    optimizer.step()


def test_noise_of_an_overflow_is_left_out(monkeypatch):
    weight, loss = quadratic()
    optimizer = sgd([weight])
    run, found = theory.watch(optimizer, every=1), iter([2.0, math.inf, math.nan, 4.0])
    monkeypatch.setattr(run._noise, "take", lambda _: next(found))
    train(optimizer, loss, 4)
    assert run.report().variance == 3.0


def test_noise_from_micro_batches():
    generator = torch.Generator().manual_seed(0)
    weight = torch.zeros(3, dtype=torch.float64, requires_grad=True)
    optimizer = sgd([weight])
    run, estimates = theory.watch(optimizer, every=1), []
    for _ in range(5):
        optimizer.zero_grad()
        parts = torch.randn(4, 3, generator=generator, dtype=torch.float64)
        for part in parts:
            ((weight * part).sum() / 4).backward()
        estimates.append(float(parts.var(0).sum()) / 4)
        optimizer.step()
    assert run.report().variance == pytest.approx(np.mean(estimates[2:]))  # the first two steps count the passes


def test_noise_is_that_of_the_gradient_that_the_step_gets():
    """Scaled by 8 in the backward passes and halved before the step: the variance is a quarter."""
    generator = torch.Generator().manual_seed(0)
    weight = torch.zeros(3, dtype=torch.float64, requires_grad=True)
    optimizer, estimates = sgd([weight]), []
    run = theory.watch(optimizer, every=1)
    for _ in range(5):
        optimizer.zero_grad()
        parts = torch.randn(4, 3, generator=generator, dtype=torch.float64)
        for part in parts:
            (8 * (weight * part).sum() / 4).backward()
        weight.grad /= 16
        estimates.append(float(parts.var(0).sum()) / 16)
        optimizer.step()
    assert run.report().variance == pytest.approx(np.mean(estimates[2:]))  # the first two steps count the passes


def test_sparse_gradients_are_watched():
    found = []
    for sparse in (False, True):
        torch.manual_seed(0)
        model = nn.Embedding(5, 2, sparse=sparse)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        run = theory.watch(optimizer, every=1)
        for k in range(4):
            optimizer.zero_grad()
            for row in ([k, k, 1], [2, 3, 3]):
                (model(torch.tensor(row)) ** 2).sum().backward()
            optimizer.step()
        report = run.report()
        found.append([report.L, report.variance])
    assert found[1] == pytest.approx(found[0])


def test_the_cost_is_that_of_the_watch(monkeypatch):
    """The clock stands still but in the watch's hooks, which take a tenth of a step."""
    now = [0.0]
    monkeypatch.setattr(cost.time, "process_time", lambda: now[0])

    class Counted:
        def __init__(self, optimizer, every):
            optimizer.register_step_pre_hook(lambda *_: now.__setitem__(0, now[0] + 0.1))

        note_loss = detach = lambda *_: None

    def loss():
        now[0] += 1
        return weight.sum()

    weight = nn.Parameter(torch.ones(2))
    model = nn.ParameterList([weight])
    monkeypatch.setattr(cost, "watch", Counted)
    monkeypatch.setattr(cost, "NETWORKS", {"small": lambda: (model, loss)})
    found = cost.measure("small", steps=10, pairs=3)
    assert (found.share, found.parameters) == (pytest.approx(0.1), 2)
    assert found.milliseconds == pytest.approx(1000)
    assert found.half == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("size", [1, 20, 2**20])
def test_vectors_of_any_size_give_the_sums_over_coordinates(size, monkeypatch):
    """Against float64 sums per parameter; two groups, two types, and a parameter that starts a step later."""
    monkeypatch.setattr(secants, "SIZE", size)
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(5, 4), nn.Tanh(), nn.Linear(4, 3), nn.Tanh(), nn.Linear(3, 1))
    params, extra = list(model.parameters()), torch.ones(2, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.Adam(
        [{"params": params[:3], "lr": 0.02}, {"params": [*params[3:], extra]}], lr=0.01, betas=(0.9, 0.5)
    )
    run = theory.watch(optimizer, every=2)
    x, points, matrices = torch.randn(16, 5), [], []
    for k in range(4):
        optimizer.zero_grad()
        ((1 + k % 2) * (model(x) ** 2).mean() + 5 * (extra**2).sum()).backward()
        if k == 0:
            extra.grad = None
        here = {p: (p.detach().clone(), p.grad.clone()) for p in (*params, extra) if p.grad is not None}
        points.append({p: [t.double().ravel() for t in pair] for p, pair in here.items()})
        optimizer.step()
        matrices.append({
            p: (
                group["lr"] / (1 - 0.9 ** float(s["step"]))
                / ((s["exp_avg_sq"].double() / (1 - 0.5 ** float(s["step"]))).sqrt() + 1e-8)
            ).ravel()
            for group in optimizer.param_groups for p in group["params"] if (s := optimizer.state[p])
        })  # fmt: skip
    d, y = (torch.cat([points[3][p][i] - points[2][p][i] for p in points[2]]) for i in (0, 1))
    Q, g = torch.cat([matrices[2][p] for p in points[2]]), torch.cat([g for _, g in points[2].values()])
    row, report = run.rows[-1], run.report()
    assert row["L"] == pytest.approx(float(y.norm() / d.norm()), rel=1e-6)
    assert row["x"] == pytest.approx(float(y @ d / (d @ (d / Q))), rel=1e-5)
    assert row["gradient"] == pytest.approx(float(g.norm()), rel=1e-6)
    assert row["G"] == float(g.abs().max())
    largest = max(float(matrices[k][p].max()) for k in (0, 2) for p in points[k])
    assert report.Q.largest == pytest.approx(largest, rel=1e-5)
    held = [torch.cat([matrices[k + 1][p] <= matrices[k][p] for p in points[k]]).double().mean() for k in (0, 2)]
    assert 0 < sum(held) < 2
    assert report.monotone == pytest.approx(float(sum(held)) / 2, rel=1e-9)


@pytest.mark.parametrize("passes", [1, 2])
def test_nothing_is_followed_on_the_steps_between(passes):
    """With one backward pass nothing is followed at all; with two, all parameters from the third measured step on."""
    weight, loss = quadratic()
    run = theory.watch(sgd([weight]), every=2)
    optimizer = run._optimizer
    followed = []
    for _ in range(7):
        optimizer.zero_grad()
        for _ in range(passes):
            loss().backward()
        followed.append(bool(any(run._noise._squares.get(weight, []))))
        optimizer.step()
    assert followed == [False] * 7 if passes == 1 else followed == [False] * 4 + [True, False, True]


@pytest.mark.parametrize("every", [1, 4])
def test_the_training_is_left_alone(every):
    ends = []
    for watching in (False, True):
        torch.manual_seed(0)
        model = nn.Sequential(nn.Linear(3, 4), nn.Dropout(0.5), nn.Linear(4, 1))
        optimizer = torch.optim.AdamW(model.parameters(), lr=0.1)
        x = torch.ones(8, 3)
        loss = lambda model=model, x=x: (model(x) ** 2).mean()  # noqa: E731
        if watching:
            run = theory.watch(optimizer, every=every, loss=loss, curvature_every=every)
        train(optimizer, loss, 10)
        ends.append([*model.parameters(), *(p.grad for p in model.parameters())])
    assert all(torch.equal(a, b) for a, b in zip(*ends, strict=True))
    assert run.report().measured == len(range(0, 9, every))


def test_a_watch_attached_late_claims_nothing():
    weight, loss = quadratic()
    optimizer = sgd([weight])
    train(optimizer, loss, 1)
    run = theory.watch(optimizer, every=1, variance=0.0)
    train(optimizer, loss, 3, run)
    assert "momentum starts at 0" in run.report().not_claimed["Theorem N"]


def test_a_closure_is_measured_after_it_ran():
    weight, loss = quadratic()
    optimizer = sgd([weight])
    run = theory.watch(optimizer, every=1, variance=0.0)

    def closure():
        optimizer.zero_grad()
        value = loss()
        value.backward()
        return value

    for _ in range(5):
        optimizer.step(closure)
    report = run.report()
    assert pytest.approx(3.0) == report.G
    assert report.first_loss == pytest.approx(3.5)


def test_detached_and_too_early():
    weight, loss = quadratic()
    optimizer = sgd([weight])
    run = theory.watch(optimizer)
    train(optimizer, loss, 1)
    with pytest.raises(ValueError, match=r"two consecutive measured steps, and 1 steps were taken"):
        run.report()
    run.detach()
    train(optimizer, loss, 3)
    with pytest.raises(ValueError, match="1 steps"):
        run.report()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"every": 0}, "every is 0: allowed are whole numbers from 1 on"),
        ({"variance": -1.0}, "variance is -1.0"),
        ({"lower_bound": math.inf}, "lower_bound is inf"),
        ({"every": 3, "loss": sum, "curvature_every": 4}, "curvature_every is 4: allowed are multiples of every = 3"),
    ],
    ids=["every", "variance", "lower_bound", "curvature_every"],
)
def test_a_wrong_number_is_refused(options, words):
    with pytest.raises(ValueError, match=words):
        theory.watch(sgd([quadratic()[0]]), **options)


def test_a_wrong_object_is_refused():
    with pytest.raises(TypeError, match="optimizer is a Linear"):
        theory.watch(nn.Linear(1, 1))
    with pytest.raises(TypeError, match="sinks holds a str: allowed are functions"):
        theory.watch(sgd([quadratic()[0]]), sinks=["rows.csv"])


@pytest.mark.parametrize("loss", ["a", torch.ones(3), None, [1.0]], ids=["text", "three", "none", "list"])
def test_a_loss_that_is_no_number_is_refused(loss):
    run = theory.watch(sgd([quadratic()[0]]))
    with pytest.raises(ValueError, match=r"^loss is .*: allowed are numbers, and tensors that hold exactly one$"):
        run.note_loss(loss)


def test_an_error_in_their_loss_is_theirs():
    weight, loss = quadratic()

    def broken():
        raise KeyError("mine")

    optimizer = sgd([weight])
    theory.watch(optimizer, every=1, loss=broken, curvature_every=1)
    with pytest.raises(KeyError, match="mine"):
        train(optimizer, loss, 2)


def test_sinks(tmp_path):
    from rich.console import Console

    written, console = [], Console(record=True, width=200, force_terminal=True)

    class Writer:
        def add_scalar(self, tag, value, step):
            written.append((tag, value, step))

    weight, loss = quadratic()
    optimizer, live = sgd([weight]), Live(console)
    run = theory.watch(optimizer, every=1, sinks=[CSV(tmp_path / "rows.csv"), TensorBoard(Writer()), live])
    train(optimizer, loss, 3)
    run.detach()
    with (tmp_path / "rows.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["step"] for row in rows] == ["1", "2"]
    assert set(rows[0]) == set(COLUMNS)
    assert float(rows[1]["L"]) == run.rows[1]["L"]
    assert ("watch/L", run.rows[1]["L"], 2) in written
    assert "gradient" in console.export_text()
    with pytest.raises(FileExistsError):
        CSV(tmp_path / "rows.csv")
