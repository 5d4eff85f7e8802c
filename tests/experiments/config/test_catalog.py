import os
import pickle
import re
import tomllib

import pytest

from experiments.config import catalog
from experiments.io.errors import ConfigError
from experiments.runs import plan
from experiments.training import admission


def tiers():
    return [
        (name, tier)
        for name in catalog.names()
        for tier in tomllib.loads((catalog.FOLDER / f"{name}.toml").read_text())["tiers"]
    ]


@pytest.mark.parametrize(("name", "tier"), tiers())
def test_every_config_is_whole_and_its_names_exist(name, tier):
    experiment = catalog.load(name, tier)
    admission.check(experiment)
    assert experiment.runs > 0
    assert len(experiment.final.seeds) >= 3 or tier == "laptop"


def test_changes_have_the_last_word(tiny_file):
    experiment = catalog.load(str(tiny_file), changes=["training.epochs=7", "settings.small.training.clip=1.0"])
    assert experiment.training.epochs == 7
    assert experiment.resolve("small")[2].clip == 1.0
    assert experiment.resolve("small")[2].epochs == 7


def test_a_changed_experiment_has_a_name_of_its_own(tiny_file):
    assert catalog.load(str(tiny_file)).name == "tiny"
    changes = [["training.epochs=7"], ["training.epochs=8"], ["training.epochs=8", "data.limit=50"],
               ['settings."small".training.epochs=7'], ["settings.small.training.epochs=7"],
               ["title=a/b"], ["title=a b"], [f"title={'a' * 200}"], [f"title={'a' * 201}"]]  # fmt: skip
    names = [catalog.load(str(tiny_file), changes=some).name for some in changes]
    assert names[:3] == ["tiny+training.epochs=7", "tiny+training.epochs=8", "tiny+data.limit=50+training.epochs=8"]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[A-Za-z0-9.,=_+-]{1,120}", name) for name in names)
    assert {catalog.load(str(tiny_file), changes=some).stem for some in changes} == {"tiny"}
    assert catalog.load(str(tiny_file), changes=changes[2][::-1]).name == names[2]  # in any order


@pytest.mark.parametrize(
    "changes",
    [
        ["training.epochs=1", "training.epochs=2"],
        ["training={epochs=3}", "training.epochs=2"],
        ["training.epochs=2", 'training={epochs=3, schedule="step"}'],
        ['settings."small".data.limit=50', "settings.small.data={limit=60}"],
    ],
    ids=["twice", "table first", "table last", "quoted"],
)
def test_a_key_is_changed_once_as_the_name_has_no_order(tiny_file, changes):
    with pytest.raises(ConfigError, match="is set twice"):
        catalog.load(str(tiny_file), changes=changes)


def test_a_change_that_is_no_toml_value_is_a_string(tiny_file):
    assert catalog.load(str(tiny_file), changes=["training.schedule=step"]).training.schedule == "step"


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ("training.epoch=3", "training.epoch"),
        ("training.epochs=0", "training.epochs"),
        ("training.batch_size=huge", "training.batch_size"),
        ("training.clip=0", "training.clip"),
        ("training.warmup=9", "training.warmup"),
        ("data.validation=0.9", "data.validation"),
        ("tuning.seeds=[1]", "final.seeds"),  # final seeds are 1 and 2
        ("final.seeds=[3, 3]", "final.seeds"),
        ("tuning.learning_rates.low=0", "tuning.learning_rates.low"),
        ("baseline=Nobody", "baseline"),
        ("optimizers.ALTO.options.lr=1", "optimizers.ALTO.options.lr"),
        ("optimizers.LAMB.options.weight_decay=1", "optimizers.LAMB.options.weight_decay"),
        ("settings.small.training.epochs=-1", "settings.small.training.epochs"),
        ("name=x", "name"),
        ("nonsense", "--set"),
    ],
)
def test_a_bad_change_is_refused_by_name(tiny_file, change, key):
    with pytest.raises(ConfigError) as caught:
        catalog.load(str(tiny_file), changes=[change])
    assert caught.value.key == key


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ("data.name=mnist", "data.name"),
        ("model.name=perceptron", "model.name"),
        ("model.options.depth=3", "model.options.depth"),
        ("optimizers.Adum={}", "optimizers.Adum.name"),
        ("optimizers.LAMB.preset=batch", "optimizers.LAMB.preset"),
        ("optimizers.LAMB.options.alhpa=1", "optimizers.LAMB.options.alhpa"),
        ("optimizers.ALTO.options={alpha=200, beta1=0.99}", "optimizers.ALTO"),
        ("optimizers.EAdamW.options.betaz=1", "optimizers.EAdamW.options.betaz"),
    ],
)
def test_a_name_or_option_that_does_not_exist_is_refused_before_anything_runs(tiny_file, change, key):
    experiment = catalog.load(str(tiny_file), changes=[change])
    with pytest.raises(ConfigError) as caught:
        admission.check(experiment)
    assert caught.value.key == key


def test_a_tier_may_not_change_the_protocol(tiny_file):
    tiny_file.write_text(tiny_file.read_text() + "[tiers.gpu.training]\nepochs = 9\nclip = 1.0\n")
    with pytest.raises(ConfigError, match=r"tiers.gpu.training.clip: a tier changes sizes, never the protocol"):
        catalog.load(str(tiny_file), "gpu")


def test_a_tier_changes_sizes(tiny_file):
    text = "[tiers.gpu.training]\nepochs = 9\n[tiers.gpu.settings.small.training]\nbatch_size = 16\n"
    tiny_file.write_text(tiny_file.read_text() + text)
    experiment = catalog.load(str(tiny_file), "gpu")
    assert experiment.resolve("small")[2].epochs == 9
    assert experiment.resolve("small")[2].batch_size == 16
    with pytest.raises(ConfigError, match="no tier 'paper'"):
        catalog.load(str(tiny_file), "paper")


def test_a_tier_may_choose_competitors_which_keep_their_order(tiny_file):
    text = "[optimizers.AdamW]\n[tiers.gpu]\ncompetitors = ['AdamW', 'LAMB']\n"
    tiny_file.write_text(tiny_file.read_text() + text)
    assert list(catalog.load(str(tiny_file), "gpu").optimizers) == ["LAMB", "AdamW"]
    assert list(catalog.load(str(tiny_file)).optimizers) == ["ALTO", "LAMB", "AdamW"]
    for bad in ("[]", "['Adum']", "3"):
        with pytest.raises(ConfigError) as caught:
            catalog.load(str(tiny_file), changes=[f"competitors={bad}"])
        assert caught.value.key == "competitors"


def test_a_setting_may_have_a_grid_of_its_own(tiny_file):
    one = "settings.equal.learning_rates={low=0.03, high=0.03, count=1}"
    experiment = catalog.load(str(tiny_file), changes=[one])
    assert experiment.grid("equal").values() == (0.03,)
    assert experiment.grid("small").values() == (0.01, 0.1)
    assert plan.tuning_runs(experiment, plan.Cell("equal", "LAMB"), 100) == []  # nothing to choose
    assert experiment.runs == 2 * 2 + 2 * 2 * 2  # two competitors; tuning runs, then two seeds in two settings
    with pytest.raises(ConfigError) as caught:
        catalog.load(str(tiny_file), changes=["settings.small.learning_rates.lo=0.1"])
    assert caught.value.key == "settings.small.learning_rates.lo"


def test_nothing_is_held_out_only_where_nothing_is_chosen(tiny_file):
    with pytest.raises(ConfigError, match="setting small chooses a learning rate"):
        catalog.load(str(tiny_file), changes=["data.validation=0"])
    catalog.load(str(tiny_file), changes=["data.validation=0", "tuning.learning_rates={low=0.1, high=0.1, count=1}"])


def test_a_competitor_may_have_its_own_clip(tiny_file):
    experiment = catalog.load(str(tiny_file), changes=["training.clip=2.0", "optimizers.LAMB.clip='none'"])
    clips = {
        label: plan.final_runs(experiment, plan.Cell("small", label), 0.1, 100)[0].training.clip
        for label in ("ALTO", "LAMB")
    }
    assert clips == {"ALTO": 2.0, "LAMB": "none"}
    with pytest.raises(ConfigError, match=r"optimizers.LAMB.clip"):
        catalog.load(str(tiny_file), changes=["optimizers.LAMB.clip=0.0"])


def test_an_unknown_experiment_names_those_that_exist():
    with pytest.raises(ConfigError, match="digits"):
        catalog.load("digts")


def test_a_file_that_is_no_toml_is_refused(tmp_path):
    (tmp_path / "bad.toml").write_text("a = [")
    with pytest.raises(ConfigError, match="not a TOML file"):
        catalog.load(str(tmp_path / "bad.toml"))


def test_the_error_survives_a_process_boundary():
    error = pickle.loads(pickle.dumps(ConfigError("a", "b").under("c")))
    assert str(error) == "c.a: b"


@pytest.mark.parametrize("beginning", [b"", b"\xef\xbb\xbf"], ids=["plain", "byte order mark"])
def test_a_text_is_utf_8_with_or_without_a_byte_order_mark(tiny_file, beginning):
    tiny_file.write_bytes(beginning + tiny_file.read_text(encoding="utf-8").replace("Tiny", "Häuser").encode())
    assert catalog.load(str(tiny_file)).title == "Häuser"


def test_a_file_in_another_encoding_is_refused_by_name(tiny_file):
    tiny_file.write_bytes("title = 'Häuser'".encode("latin-1"))
    with pytest.raises(ConfigError, match=r"tiny.toml: not UTF-8 text: .* at byte 10"):
        catalog.load(str(tiny_file))


def test_hidden_files_are_no_experiments(tmp_path, monkeypatch):
    for name in ("one.toml", "._one.toml", ".#two.toml"):
        (tmp_path / name).write_text("", encoding="utf-8")
    monkeypatch.setattr(catalog, "FOLDER", tmp_path)
    assert catalog.names() == ["one"]


@pytest.mark.parametrize(
    "deep",
    ["[" * 5000 + "]" * 5000, "{a=" * 5000 + "1" + "}" * 5000, "[" * 200 + "]" * 200],
    ids=["lists", "tables", "readable lists"],
)
def test_what_is_nested_too_deeply_is_refused(tiny_file, deep):
    with pytest.raises(ConfigError, match="nested too deeply"):
        catalog.load(str(tiny_file), changes=[f"model.options.widths={deep}"])
    tiny_file.write_text(f"model = {deep}\n[tiers.laptop]", encoding="utf-8")
    with pytest.raises(ConfigError, match="nested too deeply"):
        catalog.load(str(tiny_file))


@pytest.mark.parametrize(
    ("change", "key"),
    [
        (f"final.seeds=[{2**63}]", "final.seeds[0]"),
        (f"tuning.seeds=[{2**64}]", "tuning.seeds[0]"),
        (f"data.limit={2**63}", "data.limit"),
        (f"training.weight_decay={10**400}", "training.weight_decay"),
        (f"training.epochs={10**18}", "training.epochs"),
        ("tuning.learning_rates={low=0.1, high=0.1004, count=3}", "tuning.learning_rates.count"),
        ("tuning.learning_rates={low=0.1, high=0.1, count=2}", "tuning.learning_rates.count"),
        ("settings.small.learning_rates={low=0.03, high=0.03}", "settings.small.learning_rates.count"),
        ("tuning.learning_rates.high=1e300", "tuning.learning_rates.high"),
        ("training.weight_decay=1e308", "training.weight_decay"),
        ("training.evaluations=1000000000000", "training.evaluations"),
        ("data.size=1000000000000", "data.size"),
        ("optimizers.LAMB.rates=1e308", "optimizers.LAMB.rates"),
        ("optimizers.LAMB.rates=1e-320", "optimizers.LAMB.rates"),
        ("model.options.dropout=nan", "model.options.dropout"),
        (f"model.options.widths=[1, {10**30}]", "model.options.widths[1]"),
        ("optimizers.LAMB.options.foreach=1979-05-27", "optimizers.LAMB.options.foreach"),
        ('competitors=[["LAMB"]]', "competitors"),
        ("competitors=[{}]", "competitors"),
        ('data.name="a\\u0000.py:x"', "data.name"),
        ('title="a\\nb"', "title"),
        ("training.clip=1e-320", "training.clip"),
        ("optimizers.LAMB.clip=1e300", "optimizers.LAMB.clip"),
        (f'settings."{"a" * 61}"={{}}', "settings"),
        ('settings."small "={}', "settings"),
        ('settings."a  b"={}', "settings"),
        ('optimizers."LAMB "={name="LAMB"}', "optimizers"),
    ],
    ids=lambda word: word[:40],
)
def test_numbers_that_no_run_could_use_are_refused_before_any_starts(tiny_file, change, key):
    with pytest.raises(ConfigError) as caught:
        catalog.load(str(tiny_file), changes=[change])
    assert caught.value.key == key


def test_a_factor_must_keep_the_rates_apart(tiny_file):
    grid = "tuning.learning_rates={low=0.335, high=0.336, count=2}"
    assert catalog.load(str(tiny_file), changes=[grid]).rates("LAMB", "small") == (0.335, 0.336)
    with pytest.raises(ConfigError, match=r"LAMB\.rates: 3\.0 .* such that its rates under small differ"):
        catalog.load(str(tiny_file), changes=[grid, "optimizers.LAMB.rates=3"])


def test_a_network_larger_than_any_machine_is_refused(tiny_file):
    experiment = catalog.load(str(tiny_file), changes=["model.options.widths=[1000000000000]"])
    with pytest.raises(ConfigError, match="parameters; 10000000000 are allowed"):
        admission.check(experiment)


@pytest.mark.parametrize("kind", ["pipe", "sparse", "folder"])
def test_a_file_that_cannot_be_a_config_is_not_read(kind, tmp_path):
    path = tmp_path / "x.toml"
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    else:
        with path.open("wb") as file:
            file.truncate(200 * 2**30)
    with pytest.raises(ConfigError, match="may have" if kind == "sparse" else "this is no file"):
        catalog.load(str(path))


def test_the_largest_seed_is_taken(tiny_file):
    assert catalog.load(str(tiny_file), changes=[f"final.seeds=[{2**63 - 1}]"]).final.seeds == (2**63 - 1,)


def test_a_competitor_may_have_as_many_rates_elsewhere(tiny_file):
    experiment = catalog.load(str(tiny_file), changes=["optimizers.LAMB.rates=0.1"])
    assert experiment.rates("ALTO", "small") == (0.01, 0.1)
    assert experiment.rates("LAMB", "small") == (0.001, 0.01)
    assert {run.lr for run in plan.tuning_runs(experiment, plan.Cell("small", "LAMB"), 100)} == {0.001, 0.01}
    with pytest.raises(ConfigError, match=r"optimizers.LAMB.rates"):
        catalog.load(str(tiny_file), changes=["optimizers.LAMB.rates=0"])


NINE = "tuning.learning_rates={low=0.001, high=0.1, count=9}"
TUNED = "optimizers.ALTO={options={beta1=0.7}, tuned={alpha=[-0.5, -1.0, -3.0]}}"


def test_tuning_an_option_too_takes_as_many_trials(tiny_file):
    experiment = catalog.load(str(tiny_file), changes=[NINE, TUNED])
    trials = {label: plan.trials(experiment, plan.Cell("small", label)) for label in ("ALTO", "LAMB")}
    assert {label: len(found) for label, found in trials.items()} == {"ALTO": 9, "LAMB": 9}
    grid = experiment.grid("small").values()
    assert {lr for _, lr in trials["ALTO"]} == {grid[1], grid[4], grid[7]}  # the middle one of every three
    assert {options["alpha"] for options, _ in trials["ALTO"]} == {-0.5, -1.0, -3.0}
    run = plan.final_runs(experiment, plan.Cell("small", "ALTO"), 0.1, 100, {"alpha": -3.0})[0]
    assert run.options == {"beta1": 0.7, "alpha": -3.0}


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        (["tuning.learning_rates={low=0.001, high=0.1, count=8}", TUNED], "settings.small.learning_rates.count"),
        ([NINE, "optimizers.ALTO.tuned={alpha=[-0.5]}"], "optimizers.ALTO.tuned.alpha"),
        ([NINE, "optimizers.ALTO.tuned={alpha=[-0.5, -0.5, -1]}"], "optimizers.ALTO.tuned.alpha"),
        ([NINE, "optimizers.ALTO={options={alpha=-1.0}, tuned={alpha=[-1, -2]}}"], "optimizers.ALTO.tuned.alpha"),
    ],
    ids=["trials", "one", "twice", "set"],
)
def test_what_cannot_be_tuned_too_is_refused(tiny_file, changes, key):
    with pytest.raises(ConfigError) as caught:
        catalog.load(str(tiny_file), changes=changes)
    assert caught.value.key == key


def test_tuned_values_are_checked_by_the_optimizer(tiny_file):
    for bad, words in (("alphas=[1.0, 2.0, 3.0]", "no such option"), ("alpha=[-0.5, -1.0, -4.0]", "need")):
        changed = f"optimizers.ALTO={{options={{beta1=0.7}}, tuned={{{bad}}}}}"
        with pytest.raises(ConfigError, match=words):
            admission.check(catalog.load(str(tiny_file), changes=[NINE, changed]))


def test_a_file_of_ones_own_may_not_take_an_experiments_name(tmp_path):
    own = tmp_path / "digits.toml"
    own.write_bytes((catalog.FOLDER / "digits.toml").read_bytes())
    with pytest.raises(ConfigError, match="rename the file"):
        catalog.load(str(own))
    assert catalog.load(str(own.rename(tmp_path / "mine.toml"))).name == "mine"
    assert catalog.load(str(catalog.FOLDER / "digits.toml")).name == "digits"


@pytest.mark.parametrize(
    "stem",
    ["tiny+training.epochs=3", "tiny-gpu", "tiny-paper", "tiny\n", "bench", "Rows", "evidence", "experiments"],
    ids=["name of a change", "gpu", "paper", "line", "bench", "rows", "evidence", "experiments"],
)
def test_a_file_may_not_take_the_place_of_other_results(tiny_file, stem):
    path = tiny_file.rename(tiny_file.with_name(f"{stem}.toml"))
    with pytest.raises(ConfigError, match="the file's name: "):
        catalog.load(str(path))


def test_a_tier_may_not_take_the_place_of_an_experiment(tmp_path):
    own = tmp_path / "headline.toml"
    own.write_bytes((catalog.FOLDER / "digits.toml").read_bytes())
    assert catalog.load(str(own)).name == "headline"
    with pytest.raises(ConfigError, match="would replace those of the experiment headline-gpu"):
        catalog.load(str(own), "gpu")


def test_every_folder_of_the_results_is_an_experiments_or_a_taken_name():
    results = catalog.FOLDER.parents[1] / "results"
    folders = {path.name for path in results.iterdir() if path.is_dir()}
    assert len(folders) > 10
    assert folders <= {*catalog.names(), *catalog._ROOMS}
