"""What a command cannot do is said on stderr, with exit code 2."""

import pytest

from theory.__main__ import main


@pytest.mark.parametrize("alpha", ["-1e-3", "-5.", "-.5", "-5"])
def test_a_negative_number_is_a_value_and_no_option(alpha, capsys):
    assert main(["advise", "--lr", "0.1", "--alpha", alpha, "--json"]) == 0
    assert f'"alpha": {float(alpha)}' in capsys.readouterr().out


@pytest.mark.parametrize(
    "words",
    [
        ("--alpha", "1e308"),
        ("--alpha", "-1e308"),
        ("--beta1", "0.9999999999999999"),
        ("--alpha", "nan"),
        ("--alpha", "-inf"),
    ],
    ids=" ".join,
)
def test_advice_that_no_number_can_hold_is_refused(words, capsys):
    assert main(["advise", "--lr", "0.1", *words]) == 2
    said = capsys.readouterr()
    assert said.err.strip()
    assert not said.out


def test_a_place_that_cannot_be_written_is_named(tmp_path, monkeypatch, capsys):
    from theory.commands import watch

    def failing(_):
        (tmp_path / "absent" / "file").write_text("", encoding="utf-8")

    monkeypatch.setattr(watch, "run", failing)
    assert main(["watch"]) == 2
    assert "absent/file cannot be used (No such file or directory)" in capsys.readouterr().err
