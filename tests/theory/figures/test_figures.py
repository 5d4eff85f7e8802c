"""Every figure draws from the committed data; its files are the same each time, and the gallery lists it."""

import json
import subprocess
import sys

import pytest
from matplotlib.figure import Figure

from theory import __main__ as command
from theory import figures, studies
from theory.figures import gallery
from theory.plotting import style
from theory.studies import store

NAMES = list(figures.ALL)


def stored(drawing):
    return {study: store.load(study) for study in drawing.STUDIES}


@pytest.mark.parametrize("name", NAMES)
def test_a_figure_is_drawn_from_committed_data(name):
    """With every axis labelled and nothing reaching out of the canvas."""
    drawing = figures.ALL[name]
    with style.context():
        drawn = drawing.draw(stored(drawing))
        assert isinstance(drawn, Figure)
        assert drawn.get_figwidth() in {style.COLUMN, style.PAGE}
        drawn.draw_without_rendering()
        box = drawn.get_tightbbox()
    panels = [axes for axes in drawn.axes if axes.get_label() != "<colorbar>"]
    assert any(axes.get_xlabel() for axes in panels)
    assert any(axes.get_ylabel() for axes in panels)
    assert box.x0 > -0.02, "something reaches out on the left"
    assert box.x1 < drawn.get_figwidth() + 0.02, "something reaches out on the right"
    assert box.y0 > -0.02, "something reaches out below"
    assert box.y1 < drawn.get_figheight() + 0.02, "something reaches out above"


@pytest.mark.parametrize("name", NAMES)
def test_a_figure_says_what_to_see_in_one_sentence(name):
    see = figures.ALL[name].SEE
    assert see.endswith(".")
    assert ". " not in see
    assert "  " not in see


def test_every_study_of_ours_is_drawn():
    drawn = {study for drawing in figures.ALL.values() for study in drawing.STUDIES if "/" not in study}
    assert drawn == set(studies.ALL)


@pytest.mark.parametrize("name", list(studies.ALL))
def test_committed_studies_are_strict_json_with_their_origin(name):
    text = (store.COMMITTED / f"{name}.json").read_text()
    record = json.loads(text, parse_constant=lambda constant: pytest.fail(f"{constant} is not JSON"))
    assert record["study"] == name
    assert record["effort"] == "thorough"
    assert record["provenance"].keys() >= {"source", "commit", "computed", "processor", "cores", "versions"}
    assert record["data"].keys() >= {"config", "seeds"}


@pytest.mark.parametrize("name", ["divergence", "impulse-response"])
def test_equal_data_give_equal_files(name):
    drawing = figures.ALL[name]
    first, second = (gallery.render(drawing, stored(drawing)) for _ in range(2))
    assert first == second
    assert first["pdf"].startswith(b"%PDF")
    assert b"CreationDate" not in first["pdf"]


def test_the_command_draws_and_lists(tmp_path, capsys):
    assert command.main(["figures", "divergence", "impulse-response", "--out", str(tmp_path)]) == 0
    assert {path.name for path in tmp_path.iterdir()} == {
        "README.md", "drawn-from.json", ".drawn-from.json.lock",
        "divergence.pdf", "divergence.png", "impulse-response.pdf", "impulse-response.png",
    }  # fmt: skip
    page = (tmp_path / "README.md").read_text()
    assert figures.ALL["divergence"].SEE in page
    assert "](divergence.png)" in page
    assert "edge-of-stability" not in page
    assert command.main(["figures", "--list"]) == 0
    assert "divergence" in capsys.readouterr().out


def test_missing_data_are_said_and_the_rest_is_drawn(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(store, "COMMITTED", tmp_path / "none")
    assert command.main(["figures", "divergence", "--out", str(tmp_path)]) == 1
    assert "--fresh" in capsys.readouterr().err
    assert not (tmp_path / "divergence.png").exists()


@pytest.mark.parametrize("arguments", [["no-figure"], ["--thorough"], ["--studies", "x"]])
def test_what_cannot_be_meant_is_refused(arguments, capsys):
    assert command.main(["figures", *arguments]) == 2
    assert capsys.readouterr().err


def test_a_study_can_be_stored_where_it_is_wanted(tmp_path, monkeypatch):
    folder = tmp_path / "studies"
    arguments = ["figures", "impulse-response", "--fresh", "--studies", str(folder), "--out", str(tmp_path)]
    assert command.main(arguments) == 0
    assert [path.name for path in folder.iterdir()] == ["impulse-response.json"]
    study = studies.ALL["impulse-response"]
    monkeypatch.setattr(study, "compute", lambda _: pytest.fail("computed again"))
    assert command.main(arguments) == 0


def test_an_interrupt_says_that_the_command_continues(tmp_path, monkeypatch, capsys):
    def stop(_):
        raise KeyboardInterrupt

    monkeypatch.setattr(figures.ALL["divergence"], "draw", stop)
    assert command.main(["figures", "divergence", "--out", str(tmp_path)]) == 130
    assert "the same command continues" in " ".join(capsys.readouterr().err.split())


def test_a_list_of_figures_imports_none():
    code = "import sys; from theory.__main__ import main; main(['figures', '--list']); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.splitlines()[-1].split())
    assert "rich" in loaded
    assert not loaded & {"matplotlib", "numba", "torch", "sklearn", "cvxpy", "scipy"}


def test_a_study_computes_without_matplotlib():
    code = f"import sys; from theory import studies; [studies.ALL[n] for n in {list(studies.ALL)}]; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not set(done.stdout.split()) & {"matplotlib", "sklearn", "cvxpy"}


def test_an_alpha_without_a_colour_of_its_own_lies_between_its_neighbours():
    assert style.colour(-5.0) == style.SKY
    between = style.colour(-10.0)
    assert between not in {style.colour(-5.0), style.colour(-20.0)}
    assert all(
        min(a, b) <= c <= max(a, b) for a, b, c in zip(*map(rgb, (style.SKY, style.GREEN, between)), strict=True)
    )
    assert style.colour(1e6) == style.colour(80.0)
    assert style.marker(-10.0) == "h"


def rgb(colour):
    return bytes.fromhex(colour[1:])


def test_fresh_computes_into_runs(tmp_path, monkeypatch):
    monkeypatch.setattr(store, "LOCAL", tmp_path / "studies")
    assert command.main(["figures", "impulse-response", "--fresh", "--out", str(tmp_path)]) == 0
    assert json.loads((tmp_path / "studies" / "impulse-response.json").read_text())["effort"] == "quick"
    assert (tmp_path / "impulse-response.png").exists()
