"""Every figure draws from the committed data; its files are the same each time, and the gallery lists it."""

import json

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
    assert record.keys() >= {"effort", "source", "commit", "computed", "seconds", "hardware", "versions"}
    assert record["data"].keys() >= {"config", "seeds"}
    assert "dirty" not in record["commit"]


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
        "README.md", "drawn-from.json",
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


@pytest.mark.parametrize("arguments", [["no-figure"], ["--thorough"]])
def test_what_cannot_be_meant_is_refused(arguments, capsys):
    assert command.main(["figures", *arguments]) == 2
    assert capsys.readouterr().err


def test_fresh_computes_into_runs(tmp_path, monkeypatch):
    monkeypatch.setattr(store, "LOCAL", tmp_path / "studies")
    assert command.main(["figures", "impulse-response", "--fresh", "--out", str(tmp_path)]) == 0
    assert json.loads((tmp_path / "studies" / "impulse-response.json").read_text())["effort"] == "quick"
    assert (tmp_path / "impulse-response.png").exists()
