"""Bad input: a ValueError that names the argument, the value, the range and the consequence; nothing has changed."""

from fractions import Fraction
from unittest import mock

import numpy as np
import pytest
import torch

from alto import ALTO, ESGD, LAMB, E, EAdam, EAdamW, _options, decay_groups, for_batch
from tests.alto.zoo import equal, forced, matrices, run

NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"lr": -0.1}, r"lr = -0.1: must be a finite number in \[0, inf\)"),
        ({"lr": NAN}, "lr = nan: must be a finite number"),
        ({"lr": INF}, "lr = inf: must be a finite number"),
        ({"lr": "0.1"}, "lr = '0.1': must be a finite number"),
        ({"lr": torch.tensor([0.1, 0.2])}, "lr = a tensor of 2 elements: Tensor lr must be 1-element"),
        ({"lr": torch.tensor(-1.0)}, "lr = -1.0: must be a finite number"),
        ({"alpha": NAN}, "alpha = nan: must be a finite number$"),
        ({"alpha": INF}, "alpha = inf"),
        ({"beta1": 1.0}, r"beta1 = 1.0: must be a finite number in \[0, 1\)"),
        ({"beta1": -0.1}, "beta1 = -0.1"),
        (
            {"alpha": -5, "beta1": 0.1},
            r"\|alpha\| \(1 - beta1\) = 4.5 >= 1 \(alpha=-5, beta1=0.1\).*-3.5 times.*uphill",
        ),
        ({"alpha": 2, "beta1": 0.5}, r"= 1 >= 1 .*overshoot with 2 times the gradient; need \|alpha\| < .* = 2"),
        ({"betas": (0.9,)}, r"betas = \(0.9,\): must be a tuple of 2 numbers"),
        ({"betas": (0.9, 0.99, 0.999)}, "betas = .* must be a tuple of 2 numbers"),
        ({"betas": 0.9}, "betas = 0.9: must be a tuple of 2"),
        ({"betas": (1.0, 0.9)}, r"betas\[0\] = 1.0: must be a finite number in \[0, 1\)"),
        ({"betas": (0.9, NAN)}, r"betas\[1\] = nan"),
        ({"eps": (1e-8,)}, r"eps = \(1e-08,\): must be a tuple of 3 numbers"),
        ({"eps": 0.0}, r"eps\[0\] = 0.0: must be a finite number in \(0, inf\)"),
        ({"betas": "0.9"}, "betas = '0.9': must be a tuple of 2 numbers"),
        ({"betas": {0.9, 0.99}}, "must be a tuple of 2 numbers"),
        ({"betas": np.ones((2, 2))}, r"betas\[0\] = array"),
        ({"eps": (0.0, 1e-6, 1e-10)}, r"eps\[0\] = 0.0: must be a finite number in \(0, inf\)"),
        ({"eps": (1e-6, -1.0, 1e-10)}, r"eps\[1\] = -1.0"),
        ({"eps": (1e-6, 1e-6, INF)}, r"eps\[2\] = inf"),
        ({"weight_decay": -1e-4}, "weight_decay = -0.0001"),
        ({"weight_decay": NAN}, "weight_decay = nan"),
        ({"layerwise": 1}, "layerwise = 1: must be True or False"),
        ({"bias_correction": None}, "bias_correction = None: must be True or False"),
        ({"foreach": "yes"}, "foreach = 'yes': must be True or False or None"),
        ({"foreach": True, "differentiable": True}, "foreach = True with differentiable = True"),
        ({"fused": True, "differentiable": True}, "fused = True with differentiable = True"),
        ({"fused": True, "foreach": True}, "foreach = True with fused = True"),
        ({"slow_avg_dtype": torch.float16}, r"slow_avg_dtype = torch\.float16: must be torch\.bfloat16 or None"),
        ({"slow_avg_dtype": "bfloat16"}, "slow_avg_dtype = 'bfloat16': must be torch.bfloat16 or None"),
        (
            {"slow_avg_dtype": torch.bfloat16, "differentiable": True},
            r"slow_avg_dtype = torch\.bfloat16 with differentiable = True",
        ),
    ],
    ids=lambda x: str(x) if isinstance(x, dict) else "",
)
def test_alto_refuses(options, message):
    with pytest.raises(ValueError, match=message):
        ALTO(matrices(), **options)
    optimizer = ALTO(matrices())
    with pytest.raises(ValueError, match=message):
        optimizer.add_param_group({"params": matrices(seed=1), **options})
    assert len(optimizer.param_groups) == 1


@pytest.mark.parametrize(
    "betas",
    [[0.5, 0.25], np.array([0.5, 0.25]), torch.tensor([0.5, 0.25]), (torch.tensor(0.5), np.float32(0.25))],
    ids=["list", "array", "tensor", "tuple of both"],
)
def test_betas_are_any_two_numbers(betas):
    plain, other, later = matrices(), matrices(), matrices()
    run(ALTO(plain, betas=(0.5, 0.25)), plain, 2)
    optimizer = ALTO(other, betas=betas)
    assert optimizer.defaults["betas"] == optimizer.param_groups[0]["betas"] == (0.5, 0.25)
    assert {type(x) for x in optimizer.defaults["betas"]} == {float}
    assert equal(run(optimizer, other, 2), plain)
    by_hand = ALTO(later)
    by_hand.param_groups[0]["betas"] = betas
    assert equal(run(by_hand, later, 2), plain)


@pytest.mark.parametrize("make", [EAdam, EAdamW], ids=lambda m: m.__name__)
@pytest.mark.parametrize("betas", [np.array([0.5, 0.25]), torch.tensor([0.5, 0.25]), (0, np.float32(0.25))], ids=repr)
def test_betas_of_variants_are_any_two_numbers(make, betas):
    params = matrices()
    optimizer = make([{"params": params[:1]}, {"params": params[1:], "betas": betas}], betas=betas)
    optimizer.param_groups[0]["betas"] = betas
    run(optimizer, params, 2)
    assert {type(x) for group in optimizer.param_groups for x in group["betas"]} == {float}


@pytest.mark.parametrize("kind", [torch.tensor, np.array], ids=lambda k: k.__name__)
def test_options_may_be_numbers_in_a_tensor_or_array(kind):
    plain, other, later = matrices(), matrices(), matrices()
    options = {"lr": 0.25, "alpha": -2.0, "beta1": 0.75, "weight_decay": 0.25}
    run(ALTO(plain, **options), plain, 2)
    wrapped = {key: kind(value) for key, value in options.items()}
    assert equal(run(ALTO([{"params": other, **wrapped}], **wrapped), other, 2), plain)
    by_hand = ALTO(later)
    by_hand.param_groups[0].update(wrapped)
    assert equal(run(by_hand, later, 2), plain)
    assert all(type(by_hand.param_groups[0][key]) is float for key in options.keys() - {"lr"})


@pytest.mark.parametrize("name", ["lr", "weight_decay"])
@pytest.mark.parametrize("make", [ESGD, EAdam, EAdamW])
def test_options_of_a_variant_may_be_numbers_in_an_array(make, name):
    """In the constructor, in a group, written into a group later, and in a checkpoint."""
    params = matrices(4)
    array = {name: np.array(0.125)}
    optimizers = [
        make(params[:1], **array),
        make([{"params": params[1:2], **array}]),
        make(params[2:3]),
        make(params[3:]),
    ]
    optimizers[2].param_groups[0] |= array
    saved = optimizers[3].state_dict()
    saved["param_groups"][0] |= array
    optimizers[3].load_state_dict(saved)
    for optimizer in optimizers:
        run(optimizer, optimizer.param_groups[0]["params"], 1)
        assert optimizer.param_groups[0][name] == 0.125
        assert type(optimizer.param_groups[0][name]) is float


@pytest.mark.parametrize("kind", [torch.tensor, np.array], ids=lambda k: k.__name__)
def test_exploration_of_e_may_be_numbers_in_a_tensor_or_array(kind):
    alpha, beta1 = kind(-2.0), kind(0.75)
    plain, results = matrices(), []
    run(E(torch.optim.AdamW(plain), -2.0, 0.75), plain, 2)
    for where in ("constructor", "group", "by hand"):
        params = matrices()
        base = torch.optim.AdamW([
            {"params": params, **({"explore_alpha": alpha, "explore_beta1": beta1} if where == "group" else {})}
        ])
        optimizer = E(base, alpha, beta1) if where == "constructor" else E(base)
        if where == "by hand":
            optimizer.param_groups[0].update(explore_alpha=alpha, explore_beta1=beta1)
        results.append(run(optimizer, params, 2))
    assert all(equal(result, plain) for result in results)


@pytest.mark.parametrize("foreach", [True, False, None])
def test_options_may_be_fractions(foreach):
    params, others = matrices(), matrices()
    exact = {"lr": Fraction(1, 8), "alpha": Fraction(-5, 2), "betas": (Fraction(1, 2), 0.75)}
    optimizer = ALTO(params, foreach=foreach, **exact)
    found = run(optimizer, params, 2)
    assert equal(found, run(ALTO(others, 0.125, alpha=-2.5, betas=(0.5, 0.75), foreach=foreach), others, 2))
    optimizer.param_groups[0]["lr"] = Fraction(1, 4)
    run(optimizer, params, 1)
    assert {type(optimizer.param_groups[0][key]) for key in ("lr", "alpha")} == {float}  # as weights_only takes them


@pytest.mark.parametrize("huge", [10**400, Fraction(10**400, 3)], ids=["integer", "fraction"])
@pytest.mark.parametrize("option", ["lr", "alpha", "weight_decay", "eps"])
def test_a_number_beyond_all_floats_is_refused(option, huge):
    with pytest.raises(ValueError, match=option):
        ALTO(matrices(), **{option: huge})
    exploring = EAdamW(matrices())
    exploring.param_groups[0]["explore_alpha"] = huge
    with pytest.raises(ValueError, match="explore_alpha"):
        exploring.step()


def test_one_eps_is_adams():
    assert ALTO(matrices(), eps=1e-8).defaults["eps"] == (1e-8, 1e-6, 1e-10)
    assert LAMB([{"params": matrices(), "eps": 1e-8}]).param_groups[0]["eps"] == (1e-8, 1e-6, 1e-10)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"alpha": -50.0}, r"\|alpha\| \(1 - beta1\) = 5 >= 1 .*uphill"),
        ({"beta1": 1.5}, "beta1 = 1.5"),
        ({"lr": NAN}, "lr = nan"),
        ({"lr": -1.0}, r"lr = -1\.0"),
        ({"lr": torch.tensor(-1.0)}, r"lr = -1\.0"),
        ({"betas": (0.9,)}, "must be a tuple of 2 numbers"),
        ({"betas": (0.9, 1.0)}, r"betas\[1\] = 1.0"),
        ({"weight_decay": -1.0}, "weight_decay = -1"),
        ({"layerwise": None}, "layerwise = None"),
    ],
    ids=str,
)
def test_an_option_that_was_changed_is_checked_before_the_next_step(options, message):
    params = matrices()
    optimizer = ALTO(params, beta1=0.9)
    before = run(optimizer, params, 2)
    kept = optimizer.state_dict()["state"][0]["exp_avg"].clone()
    optimizer.param_groups[0].update(options)
    with pytest.raises(ValueError, match=message):
        run(optimizer, params, range(2, 3))
    assert equal(params, before)
    assert torch.equal(optimizer.state[params[0]]["exp_avg"], kept)
    assert optimizer.state[params[0]]["step"] == 2


@pytest.mark.parametrize(
    ("make", "options", "message"),
    [
        (ESGD, {"lr": NAN}, "lr = nan"),
        (EAdam, {"lr": torch.tensor(-1.0)}, r"lr = -1\.0"),
        (ESGD, {"dampening": NAN}, "dampening = nan"),
        (EAdamW, {"weight_decay": NAN}, "weight_decay = nan"),
        (EAdamW, {"eps": -1.0}, r"eps = -1\.0"),
        (EAdam, {"betas": [0.9] * 5}, "must be a tuple of 2 numbers"),
        (EAdam, {"betas": (0.9, 1.5)}, r"betas\[1\] = 1.5"),
    ],
    ids=str,
)
def test_an_option_of_a_variants_base_is_checked_wherever_it_enters(make, options, message):
    params = matrices()
    optimizer = make(params)
    before = run(optimizer, params, 2)
    with pytest.raises(ValueError, match=message):
        make([{"params": matrices(seed=1), **options}])
    with pytest.raises(ValueError, match=message):
        optimizer.add_param_group({"params": matrices(seed=1), **options})
    assert len(optimizer.param_groups) == 1
    optimizer.param_groups[0].update(options)
    with pytest.raises(ValueError, match=message):
        run(optimizer, params, range(2, 3))
    assert equal(params, before)


def test_a_rate_tensor_that_was_changed_in_place_is_checked_too():
    params = matrices()
    lr = torch.tensor(0.1)
    optimizer = ALTO(params, lr=lr)
    run(optimizer, params, 1)
    lr.fill_(-1.0)
    with pytest.raises(ValueError, match=r"lr = -1\.0"):
        run(optimizer, params, 1)


def test_options_are_checked_once_and_not_in_each_step():
    params = matrices()
    optimizer = ALTO([{"params": params[:1]}, {"params": params[1:]}])
    with mock.patch("alto._options.check", side_effect=_options.check) as checked:
        run(optimizer, params, 3)
        assert checked.call_count == 2
        optimizer.param_groups[0]["lr"] = 0.5  # a schedule changes it in every step: it alone is checked
        optimizer.param_groups[1]["weight_decay"] = 0.5
        run(optimizer, params, 3)
        assert checked.call_count == 3
    optimizer.param_groups[0]["lr"] = -0.5
    with pytest.raises(ValueError, match="lr"):
        run(optimizer, params, 1)


@pytest.mark.parametrize("engine", ["single", "foreach", "blocked", "cpu"])
def test_an_eps_that_rounds_to_zero_is_refused(engine):
    """Where a gradient is 0 it alone prevents 0 / 0."""
    for dtype, eps in ((torch.float32, 1e-46), (torch.bfloat16, 1e-46), (torch.float64, 4e-310)):
        params = matrices(dtype=dtype)
        with forced(engine):
            with pytest.raises(ValueError, match=r"eps\[0\] = \S+: it rounds to 0 in torch\.float"):
                run(ALTO(params, eps=eps), params, 1)
            optimizer = ALTO(params, eps=1e-37 if dtype is not torch.float64 else 1e-46)
            for p in params:
                p.grad = torch.zeros_like(p)
            optimizer.step()
        assert all(p.isfinite().all() for p in params)


def test_lamb_stays_lamb():
    params = matrices()
    with pytest.raises(ValueError, match="LAMB does not explore, so its alpha is 0; use ALTO"):
        LAMB([{"params": params, "alpha": -5.0}])
    with pytest.raises(ValueError, match="use ALTO"):
        LAMB(params, alpha=-5.0)
    optimizer = LAMB(params)
    with pytest.raises(ValueError, match=r"alpha = -5\.0: LAMB does not explore"):
        optimizer.load_state_dict(ALTO(matrices()).state_dict())
    assert optimizer.param_groups[0]["alpha"] == 0
    optimizer.param_groups[0]["alpha"] = -5.0
    with pytest.raises(ValueError, match="use ALTO"):
        run(optimizer, params, 1)
    assert equal(params, matrices())


@pytest.mark.parametrize("make", [ALTO, LAMB, ESGD, EAdam, EAdamW], ids=lambda m: m.__name__)
def test_a_bad_option_is_reported_before_the_parameters_are_looked_at(make):
    for options in ({"lr": torch.tensor([0.1, 0.2])}, {"lr": NAN}, {"weight_decay": NAN}):
        with pytest.raises(ValueError, match=r"lr|learning rate|weight_decay"):
            make(None, **options)
    if make is not ESGD:
        with pytest.raises(ValueError, match="betas"):
            make(None, betas=(0.9, 0.9, 0.9, 0.9, 0.9))


def test_eps2_and_eps3_may_be_zero():
    assert ALTO(matrices(), eps=(1e-8, 0.0, 0.0)).defaults["eps"] == (1e-8, 0.0, 0.0)


@pytest.mark.parametrize("key", ["weight_decy", "Weight_Decay", "layer_wise", "beta2", "alhpa"])
def test_a_nearly_known_group_key_warns_and_is_kept(key):
    message = f"key '{key}' is not an option, and has no effect here; did you mean"
    for make in (LAMB, EAdamW) if key != "layer_wise" else (LAMB,):
        with pytest.warns(UserWarning, match=message) as first:
            optimizer = make([{"params": matrices(), key: 0.1}])
        with pytest.warns(UserWarning, match=message) as second:
            optimizer.add_param_group({"params": matrices(), key: 0.2})
        assert [group[key] for group in optimizer.param_groups] == [0.1, 0.2]
        assert [warning.filename for warning in (*first, *second)] == [__file__] * 2


@pytest.mark.parametrize(
    "key",
    ["lr_scale", "lr_mult", "wd_mult", "layer_id", "group_name", "param_group", "is_expert_parallel", "rho", "no_decay",
     "weight_decay_scale", "base_weight_decay", 7],
)  # fmt: skip
@pytest.mark.parametrize(
    "make", [ALTO, LAMB, ESGD, lambda p: E(torch.optim.AdamW(p))], ids=["ALTO", "LAMB", "ESGD", "E(AdamW)"]
)
def test_keys_of_other_tools_ride_along(make, key):
    """In silence (warnings are errors here), through a step and a checkpoint."""
    params = matrices()
    optimizer = make([{"params": params, key: 0.75}])
    run(optimizer, params, 1)
    optimizer.load_state_dict(optimizer.state_dict())
    assert optimizer.param_groups[0][key] == 0.75


def test_scheduler_keys_are_known():
    group = {"params": matrices(), "initial_lr": 0.1, "max_lr": 0.2, "name": "body"}
    assert ALTO([group]).param_groups[0]["name"] == "body"


@pytest.mark.parametrize("make", [ESGD, EAdam, EAdamW], ids=lambda m: m.__name__)
def test_variants_refuse_the_same_region(make):
    with pytest.raises(ValueError, match=r"\|explore_alpha\||\|alpha\|"):
        make(matrices(), alpha=-5, beta1=0.1)


def test_e_refuses_two_ways_to_mix():
    with pytest.raises(ValueError, match="foreach = True with fused = True"):
        E(torch.optim.SGD(matrices(), 0.1), foreach=True, fused=True)


def test_e_refuses_at_construction_and_in_groups():
    with pytest.raises(ValueError, match=r"\|alpha\| \(1 - beta1\) = 4.5"):
        E(torch.optim.SGD(matrices(), 0.1), alpha=-5, beta1=0.1)
    optimizer = E(torch.optim.SGD(matrices(), 0.1))
    with pytest.raises(ValueError, match=r"explore_beta1 = 1\.5"):
        optimizer.add_param_group({"params": matrices(seed=1), "explore_beta1": 1.5})
    assert len(optimizer.param_groups) == 1
    with pytest.warns(UserWarning, match="'explore_alfa' is not an option.*did you mean 'explore_alpha'"):
        optimizer.add_param_group({"params": matrices(seed=1), "explore_alfa": 1.5})


def test_empty_and_wrong_parameters():
    with pytest.raises(ValueError, match="empty parameter list"):
        ALTO([])
    with pytest.raises(TypeError, match="can only optimize Tensors"):
        ALTO([1.0])
    with pytest.raises(TypeError, match="must be a dict"):
        ALTO(matrices()).add_param_group(matrices(seed=1))


@pytest.mark.parametrize("batch", [0, -1, 1.5, "1K"])
def test_for_batch_refuses(batch):
    with pytest.raises(ValueError, match=r"batch_size = .* must be a positive integer"):
        for_batch(batch)


def test_decay_groups_refuses_a_negative_decay_through_the_optimizer():
    with pytest.raises(ValueError, match="weight_decay = -1"):
        ALTO(decay_groups(torch.nn.Linear(2, 2), weight_decay=-1))


def test_fused_where_there_is_no_fused_engine():
    param = torch.nn.Parameter(torch.ones(2, device="meta"))
    param.grad = torch.ones(2, device="meta")
    with pytest.raises(RuntimeError, match="no fused engine for meta tensors"):
        ALTO([param], fused=True).step()


@pytest.mark.parametrize(("alpha", "beta1"), [(-10.0, 0.9), (-20.0, 0.95), (-2.0, 0.5), (-100.0, 0.99)])
def test_the_bound_of_the_region_is_outside_whatever_the_rounding(alpha, beta1):
    """The product alpha (1 - beta1) is 1 exactly; in floating point it is 1 - 2e-16, 1 + 9e-16, 1 and 1 + 9e-16."""
    with pytest.raises(ValueError, match="would take 0 times the gradient"):
        ALTO([torch.nn.Parameter(torch.ones(2))], alpha=alpha, beta1=beta1)
    ALTO([torch.nn.Parameter(torch.ones(2))], alpha=0.999999 * alpha, beta1=beta1)


def test_an_eps_that_a_new_dtype_of_the_parameters_cannot_hold_is_refused():
    param = torch.nn.Parameter(torch.ones(3, dtype=torch.float64))
    optimizer = ALTO([param], eps=(1e-50, 1e-6, 1e-10))
    param.grad = torch.ones_like(param)
    optimizer.step()
    param.grad, param.data = None, param.data.float()
    param.grad = torch.zeros_like(param)
    before = param.detach().clone()
    with pytest.raises(ValueError, match=r"eps\[0\] = 1e-50: it rounds to 0 in torch\.float32"):
        optimizer.step()
    assert torch.equal(param, before)
