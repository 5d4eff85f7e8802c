"""Two configs of one file name: the second is refused wherever it would replace or mix with the first."""

import shutil

import pytest

from experiments.__main__ import main


@pytest.fixture
def act(monkeypatch):
    def act(*words: object) -> int:
        monkeypatch.setattr("sys.argv", ["experiments", *map(str, words)])
        return main()

    return act


def test_a_second_config_of_the_same_name_is_refused(act, tiny_file, tmp_path, capsys):
    first, second = tmp_path / "a" / "tiny.toml", tmp_path / "b" / "tiny.toml"
    for path in (first, second):
        path.parent.mkdir()
        shutil.copy(tiny_file, path)
    out, results = ("--out", tmp_path / "out"), ("--results", tmp_path / "results")
    assert act("run", first, *out, "--jobs", "1") == 0
    assert act("report", first, *out, *results) == 0
    kept = (tmp_path / "results" / "experiments" / "tiny-laptop.json").read_bytes()
    assert act("run", second, *out, "--jobs", "1") == 0, "a copy is the same experiment"

    second.write_text(tiny_file.read_text().replace("epochs = 3", "epochs = 1"))
    assert act("run", first, *out, "--jobs", "1") == 0, "the file that was copied is still there"
    capsys.readouterr()
    for words in (("run", second, *out, "--jobs", "1"), ("report", second, *out), ("rows", second, *out)):
        assert act(*words) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert f"holds the experiment of another file, {first}: rename one of the two" in line
    other = ("--out", tmp_path / "other")
    assert act("run", second, *other, "--jobs", "1") == 0
    assert act("report", second, *other, *results) == 2
    assert "tiny-laptop.json holds the experiment of another file" in capsys.readouterr().err
    assert (tmp_path / "results" / "experiments" / "tiny-laptop.json").read_bytes() == kept

    first.unlink()  # it was moved
    assert act("run", second, *out, "--jobs", "1") == 0
