"""Figures with the reader's parameters, sizes and styles."""

import csv
import importlib
import inspect
import io
import re

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest

from theory import __main__ as command
from theory import figures
from theory.figures import drawn_data, own
from theory.figures.parameters import TABLE
from theory.plotting import style
from theory.studies import frequency_response, impulse_response, store

LIGHT = ["impulse-response", "stability-map", "frequency-response", "mean-square", "sign-of-a"]


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def of(name):
    return getattr(figures, name.replace("-", "_"))


@pytest.mark.parametrize("name", list(figures.ALL))
def test_every_figure_is_a_function_that_says_what_can_be_set(name):
    signature = inspect.signature(of(name))
    assert {"ax", "width", "style", "usetex"} <= signature.parameters.keys()
    assert set(TABLE[name].all() if name in TABLE else ()) <= signature.parameters.keys()
    assert figures.ALL[name].SEE in of(name).__doc__


OTHER = {"step": 0.02, "seed": 3, "starts": 4, "restarts": 1, "chains": 4, "T": 200}


@pytest.mark.parametrize("name", list(TABLE))
def test_the_defaults_are_the_stored_study(name):
    """No parameter gives no change, and a parameter reaches a constant that its study has."""
    parameters = TABLE[name]
    defaults = parameters.defaults()
    assert set(defaults) == set(parameters.all())
    assert parameters.constants({}, name) == {}
    for key in set(defaults) - {"alpha"}:
        values = (OTHER[key],) if key in OTHER else tuple(0.5 * v + 0.46 for v in defaults[key])
        changed = parameters.constants({key: values}, name)
        assert changed
        assert set(changed) <= {*parameters.studies, name}
        for study, constants in changed.items():
            kept = importlib.import_module(f"theory.studies.{study.replace('-', '_')}")
            assert all(
                getattr(kept, constant) != value for constant, value in constants.items() if constant[:5] != "ALPHA"
            )


def test_own_parameters_are_computed_once_and_the_shared_module_keeps_its_own(monkeypatch):
    drawn = figures.impulse_response(alpha=[0, -15], beta1=0.95)
    labels = [text.get_text() for text in drawn.legends[0].get_texts()]
    assert len(labels) == 2
    assert "15" in labels[1]
    # the first weight of m is (1 - beta2) (1 - c), at c = 15 (1 - .95)
    assert drawn.axes[0].lines[3].get_ydata()[0] == pytest.approx(0.1 * 0.25)
    assert impulse_response.BETA1 == 0.99
    monkeypatch.setattr(own.store, "run", lambda *args: pytest.fail("computed again") if not kept(args) else RUN(*args))
    figures.impulse_response(alpha=[0, -15], beta1=0.95)


RUN = store.run


def kept(arguments):
    return (arguments[4] / f"{arguments[0]}.json").exists()


def test_the_map_at_another_beta1_marks_the_readers_setting():
    drawn = figures.stability_map(beta1=0.95, beta2=[0, 0.9], mark=[{"alpha": -15, "beta2": 0.9}])
    panels = [axes for axes in drawn.axes if axes.get_label() != "<colorbar>"]
    assert ["0.95" in axes.get_title(loc="left") for axes in panels] == [True, True]
    marked = [[line for line in axes.lines if list(line.get_xdata()) == [-15, -15]] for axes in panels]
    assert [len(lines) for lines in marked] == [0, 1]  # a line: a mark has no step
    for nowhere in ({"alpha": -50}, {"alpha": -15, "beta1": 0.5}):
        with pytest.raises(ValueError, match="outside every axis"):
            figures.stability_map(beta1=0.95, beta2=0.9, mark=[nowhere])
    assert not any("preset" in text.get_text() for text in drawn.legends[0].get_texts())  # none is shown


MARKED = {  # the settings, and the places (x, or y) of the first mark
    "dips": ([{"alpha": -50}, {"alpha": -15}], 5 + 0.0),
    "figure-5": ([{"alpha": -7.5, "beta1": 0.9}], 6.0),
    "double-well": ([{"alpha": -15}], -15.0),
    "primal-averaging": ([{"alpha": -15}], -15.0),
    "worst-case": ([{"alpha": -5, "beta1": 0.9}], 0.5),
    "stationary-variance": ([{"alpha": -50}], 0.5),
    "age-and-variance": ([{"alpha": -5}], 14.0),
}


@pytest.mark.parametrize("name", MARKED)
def test_settings_are_marked_where_the_figure_has_a_place_for_them(name):
    given, expected = MARKED[name]
    plain, drawn = (of(name)(mark=mark) for mark in ((), given))
    more = [
        line for before, after in zip(plain.axes, drawn.axes, strict=True) for line in after.lines[len(before.lines) :]
    ]
    assert len(more) >= len(given)
    places = more[0].get_ydata() if name == "stationary-variance" else more[0].get_xdata()
    assert float(places[0]) == pytest.approx(expected)
    with pytest.raises(ValueError, match="outside every axis"):
        of(name)(mark=[-1e6] if name != "age-and-variance" else [{"alpha": -99.9, "beta2": 0.9999}])


def test_figure_8_with_ones_own_alphas():
    """Its controls keep E's decay rate and its effective step."""
    changed = TABLE["figure-8"].constants({"alpha": (-4.0, -8.0), "beta1": (0.9,)}, "figure-8")["figure-8"]
    study = own.copy("theory.studies.figure_8", changed)
    ripples, holes = study._on_ripples(0.1), study._on_holes("alto", 0.1)
    assert [(m.label, m.alpha, m.beta2, round(m.eta, 9)) for m in ripples] == [
        ("Adam(.95)", 0, 0.95, 0.1), ("EAdam(-8)", -8, 0.95, 0.1), ("Adam(.9)", 0, 0.9, 0.1),
        ("Adam(.9), 5 eta", 0, 0.9, 0.5),
    ]  # fmt: skip
    assert [m.alpha for m in holes if m.alpha] == [-4, -8]
    assert {m.beta1 for m in (*ripples, *holes)} == {0.9}


def test_rate_and_condition_with_ones_own_setting():
    changed = TABLE["rate-and-condition"].constants({"alpha": (-15.0,), "beta1": (0.95,)}, "rate-and-condition")
    assert changed == {"rate-and-condition": {"CASES": ((-15.0, 0.95),)}}
    curves = [{"label": "best E", "rate": [0.5, 0.9]}]
    curves += [{"label": "fixed", "alpha": -15.0, "beta1": 0.95, "momentum": m, "rate": [0.8, 0.9]} for m in (0, 1)]
    (axes,) = (
        own
        .copy("theory.studies.rate_and_condition", {})
        .draw({"rate-and-condition": {"kappa": [3, 300], "curves": curves}})
        .axes
    )
    (floor,) = (line for line in axes.lines if "z_0" in str(line.get_label()))
    assert floor.get_ydata()[0] == pytest.approx(0.05 / 0.25)


@pytest.mark.parametrize("name", LIGHT)
@pytest.mark.parametrize("width", [style.COLUMN, 5.5])
def test_nothing_reaches_out_of_a_narrow_figure(name, width):
    drawn = of(name)(width=width)
    drawn.draw_without_rendering()
    assert drawn.get_figwidth() == width
    for legend in drawn.legends:
        box = legend.get_window_extent()
        assert box.x0 >= -1
        assert box.x1 <= drawn.bbox.width + 1


def test_the_users_matplotlibrc_does_not_show():
    def picture():
        file = io.BytesIO()
        figures.impulse_response().savefig(file, format="png", metadata={"Software": None})
        return file.getvalue()

    usual = picture()
    with mpl.rc_context({"font.size": 30, "axes.facecolor": "red", "savefig.dpi": 30, "xtick.labelsize": 30}):
        assert picture() == usual
        assert mpl.rcParams["font.size"] == 30


def test_a_style_sets_fonts_and_the_width_of_its_page():
    drawn = figures.frequency_response(style="neurips2024")
    assert drawn.get_figwidth() == 5.5
    assert drawn.axes[0].xaxis.label.get_fontfamily() == ["serif"]
    assert figures.impulse_response(style="neurips2024").get_figwidth() == style.COLUMN


def test_a_figure_takes_the_place_of_an_axes():
    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.5))
    drawn = figures.frequency_response(ax=left)
    assert drawn is figure
    assert left not in figure.axes
    assert right in figure.axes
    assert len(figure.axes) == 1 + 4
    figure.draw_without_rendering()
    plt.close(figure)
    loose = plt.figure().add_axes((0, 0, 1, 1))
    with pytest.raises(ValueError, match="no grid"):
        figures.frequency_response(ax=loose)
    plt.close("all")


WRONG = {
    "unknown parameter": ("impulse-response", {"beta3": 0.9}, "beta3.*alpha, beta1, beta2"),
    "kept rates": ("regret", {"alpha": 1}, "it has none: it draws stored measured rates, and python -m theory rates"),
    "kept norms": ("gradient-norm", {"eta": 1}, "it has none: it draws stored measured rates"),
    "kept looseness": ("looseness", {"eta": 1}, "it has none: it draws stored measured rates"),
    "kept worst cases": ("worst-case", {"eta": 1}, "stored solved worst cases, and python -m theory worst-case"),
    "half a seed": ("batch-floor", {"seed": 0.5}, "seed = 0.5: every value must be a whole number from 0 on"),
    "a long step": ("figure-2", {"step": 1}, r"step = 1: every value must be in \(0, 0.1\]"),
    "outside the region": ("impulse-response", {"alpha": -30, "beta1": 0.95}, r"-30.*0\.95.*20"),
    "beta1 of 1": ("stability-map", {"beta1": 1.0}, r"beta1 = 1.*\[0, 1\)"),
    "one of two": ("mean-square", {"beta2": 0.5}, "2 values"),
    "no number": ("impulse-response", {"beta1": "x"}, "beta1 = 'x'"),
    "width": ("impulse-response", {"width": "5 parsecs"}, "width = '5 parsecs'.*5.5in"),
    "wide": ("impulse-response", {"width": 99}, "1 to 50 inches"),
    "style": ("impulse-response", {"style": "nips"}, "nips.*neurips2024"),
    "mark": ("divergence", {"mark": [1]}, "no place"),
    "no usual alpha left": ("figure-8", {"beta1": 0.5}, "give alpha"),
    "mark without alpha": ("stability-map", {"mark": [{"beta1": 0.9}]}, "needs alpha"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_argument_is_named_with_what_is_allowed(case):
    name, given, message = WRONG[case]
    with pytest.raises(ValueError, match=message):
        of(name)(**given)


def test_lengths():
    assert own.look("14cm").width == pytest.approx(5.5118, abs=1e-4)
    assert own.look("page").width == style.PAGE
    assert own.look("397pt").width == pytest.approx(5.4933, abs=1e-4)


def test_the_command_draws_ones_own_and_writes_the_data(tmp_path, capsys):
    arguments = "figures frequency-response --set beta1=.95 alpha=0,-15 --width 5.5in --format pdf,svg --data out.csv"
    assert command.main([*arguments.split(), "--out", str(tmp_path / "mine")]) == 0
    assert {path.name for path in (tmp_path / "mine").iterdir()} == {
        "frequency-response.pdf", "frequency-response.svg",
    }  # fmt: skip
    assert "frequency-response.svg" in capsys.readouterr().out
    rows = list(csv.DictReader(io.StringIO((tmp_path / "out.csv").read_text())))
    assert tuple(rows[0]) == drawn_data.COLUMNS
    gain = [row for row in rows if "gain of $u$" in row["panel"] and "15" in row["series"]]
    # at the highest frequency the gain is 1 - 2 c / (1 + beta1)
    last = max(gain, key=lambda row: float(row["x"]))
    assert float(last["y"]) == pytest.approx(abs(1 - 2 * 0.75 / 1.95), abs=1e-4)


def test_the_data_have_bars_and_maps():
    rows = list(csv.DictReader(io.StringIO(drawn_data.table(figures.valley_drift()))))
    assert {row["kind"] for row in rows} >= {"line", "bar", "band"}
    rows = list(csv.DictReader(io.StringIO(drawn_data.table(figures.stability_map()))))
    values = [float(row["value"]) for row in rows if row["kind"] == "map"]
    stored = store.load("stability-map")["panels"]
    assert len(values) == sum(np.size(panel["radius"]) for panel in stored)


REFUSED = {
    "--set beta1": "KEY=NUMBER",
    "--set beta1=x": "KEY=NUMBER",
    "--mark alpha=1,2": "one number",
    "--format gif": "gif.*png",
    "--width 5.5in --data x.csv divergence": "2 are drawn",
    "--fresh --width page": "--fresh",
    "--set beta3=.5": "no parameter 'beta3'",
}


@pytest.mark.parametrize("words", REFUSED)
def test_the_command_refuses(words, capsys):
    assert command.main(["figures", "impulse-response", *reversed(words.split()[4:]), *words.split()[:4]]) == 2
    assert re.search(REFUSED[words], " ".join(capsys.readouterr().err.split()))


def test_a_walk_with_longer_steps():
    drawn = figures.figure_2(step=0.1)
    assert len(drawn.axes[1].lines[0].get_xdata()) == pytest.approx(50 / 4, abs=1)


def test_settings_of_ones_own_among_the_ages():
    labels = [text.get_text() for text in figures.age_and_variance(alpha=[-15, 3], beta1=0.95).legends[0].get_texts()]
    assert [label for label in labels if "beta_1" in label] == [
        r"$\alpha=-15,\ \beta_1=0.95,\ \beta_2=0.9$", r"$\alpha=3,\ \beta_1=0.95,\ \beta_2=0.9$",
    ]  # fmt: skip


def test_figure_1_keeps_its_controls_beside_ones_own_alphas():
    changed = TABLE["figure-1"].constants({"alpha": (-15.0,), "beta1": (0.95,)}, "figure-1")
    assert [(m.label, m.alpha, m.beta1) for m in changed["cardioid"]["ADAM"]] == [
        ("Adam", 0.0, 0.99), ("EAdam(-15)", -15.0, 0.95), ("Adam(.99)", 0.0, 0.99), ("Adam, 10 eta", 0.0, 0.99),
        ("Adam(.99), 10 eta", 0.0, 0.99),
    ]  # fmt: skip
    assert list(changed["figure-1"]["RUNS"]) == ["SGD", "ESGD(-15)", "heavy ball(.99), eta/10"]
    assert changed["rosenbrock"].keys() == {"FAMILIES"}


def test_the_runs_at_three_beta3_are_the_readers():
    drawn = figures.batch_floor(beta3=[0.4, 0.6, 0.95], chains=3)
    labels = [str(line.get_label()) for line in drawn.axes[0].lines]
    assert labels[:3] == [rf"$\beta_3={b}$" for b in (0.4, 0.6, 0.95)]


def test_equal_parameters_give_equal_files():
    first, second = (own.draw_in(frequency_response, {"frequency-response": store.load("frequency-response")},
                                 style.Look(), None) for _ in range(2))  # fmt: skip
    from theory.figures import gallery

    assert gallery.files(first, ("svg", "pdf")) == gallery.files(second, ("svg", "pdf"))
