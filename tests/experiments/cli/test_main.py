import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from experiments import __main__ as command
from experiments.cli import bench, entry, report, run
from experiments.cli.which import Which
from experiments.data.dataset import data_folder
from experiments.io.errors import ConfigError

ROOT = Path(__file__).parents[3]


def call(*words: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-m", "experiments", *words], cwd=ROOT, capture_output=True, text=True, check=False
    )


def test_list_names_the_experiments():
    result = call("list")
    assert result.returncode == 0
    assert "digits" in result.stdout


def test_run_then_report(tiny_file, tmp_path):
    out = str(tmp_path / "out")
    early = call("report", str(tiny_file), "--out", out)
    assert early.returncode == 2
    assert "no finished runs" in early.stderr
    ran = call("run", str(tiny_file), "--out", out, "--jobs", "2")
    assert ran.returncode == 0, ran.stderr
    assert all(line.startswith("tiny: ") for line in ran.stderr.splitlines())  # no terminal, so no bar
    assert "\x1b" not in ran.stderr
    assert "trained 8 of 8 runs" in ran.stdout
    made = call("report", str(tiny_file), "--out", out)
    assert made.returncode == 0, made.stderr
    assert "ALTO - LAMB" in made.stdout
    assert (tmp_path / "out" / "tiny" / "laptop" / "report" / "curves.png").stat().st_size > 10_000


def act(monkeypatch, *words: str) -> int:
    monkeypatch.setattr("sys.argv", ["experiments", *words])
    return command.main()


def test_a_changed_experiment_leaves_what_is_kept_of_the_other_alone(tiny_file, tmp_path, monkeypatch, capsys):
    out, results = str(tmp_path / "out"), tmp_path / "results"
    for change in ([], ["--set", "training.epochs=1"]):
        chosen = [str(tiny_file), *change, "--out", out]
        assert act(monkeypatch, "run", *chosen, "--jobs", "1") == 0
        told = capsys.readouterr().out
        assert f"report {' '.join(chosen)}" in told
        assert (
            act(monkeypatch, *shlex.split(told.partition("python -m experiments ")[2]), "--results", str(results)) == 0
        )
        if not change:
            before = (results / "experiments/tiny-laptop.json").read_bytes()
    assert (results / "experiments/tiny-laptop.json").read_bytes() == before
    assert (results / "experiments/tiny+training.epochs=1-laptop.json").is_file()
    assert (results / "tiny+training.epochs=1/report.md").is_file()
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"tiny", "tiny+training.epochs=1"}


def test_the_help_names_every_command():
    text = call("--help").stdout
    for name in ("list", "run", "sweep", "fetch", "report", "figures", "evidence", "answers", "bench"):
        assert name in text.partition("subcommands")[0], f"the description leaves {name} out"


def test_some_final_runs_are_repeated_and_compared(tiny_file, tmp_path, monkeypatch, capsys):
    out, results = ["--out", str(tmp_path / "out")], ["--results", str(tmp_path / "results")]
    assert act(monkeypatch, "run", str(tiny_file), *out, "--jobs", "1") == 0
    assert act(monkeypatch, "report", str(tiny_file), *out, *results) == 0
    capsys.readouterr()
    chosen = ["repeat", "tiny", *results, "--optimizers", "ALTO", "LAMB", "--seeds", "2", "--jobs", "1"]
    assert act(monkeypatch, *chosen, "--out", str(tmp_path / "new")) == 0
    told = capsys.readouterr().out
    assert "small: ALTO - LAMB = " in told
    assert "paired by seed: " in told
    assert "4 of 4 trained networks equal the kept ones bit for bit" in told
    assert "trained 4 of 4 runs" in told
    (picture, *_) = [line.removeprefix("wrote ") for line in told.splitlines() if line.endswith(".png")]
    assert Path(picture).stat().st_size > 10_000
    assert act(monkeypatch, *chosen, "--out", str(tmp_path / "new")) == 0
    assert "nothing was left to train" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "kept"),
    [
        (("run", "digits", "--jobs", "1"), "finished runs and the checkpoints of begun ones are in runs/digits/laptop"),
        (
            ("sweep", "digits", "--set", "training.epochs=3"),
            "runs/digits+training.epochs=3/laptop; submitted jobs go on",
        ),
        (("repeat", "digits", "--seeds", "2"), "finished runs and the checkpoints of begun ones are in"),
        (("report", "digits"), "every file that was written is whole"),
        (("bench", "step"), "nothing of this one is kept"),
    ],
    ids=lambda words: words[0] if isinstance(words, tuple) else None,
)
def test_an_interruption_is_one_line_with_the_command_that_goes_on(words, kept, monkeypatch, capsys):
    def interrupted(_):
        raise KeyboardInterrupt

    kind = {"bench": bench.Bench, "report": report.Report}.get(words[0]) or getattr(run, words[0].title())
    monkeypatch.setattr(kind, "act", interrupted)
    assert act(monkeypatch, *words) == 130
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("stopped: ")
    assert kept in line
    assert line.endswith(f"Go on with: python -m experiments {shlex.join(words)}")


def test_list_and_help_load_nothing_heavy():
    heavy = "{'torch', 'sklearn', 'scipy', 'matplotlib', 'transformers', 'pyarrow', 'pandas'}"
    for word in ("list", "--help"):
        program = f"""
import runpy, sys
sys.argv = ["experiments", {word!r}]
try:
    runpy.run_module("experiments", run_name="__main__")
except SystemExit as end:
    assert not end.code, end.code
loaded = {heavy} & set(sys.modules)
assert not loaded, loaded
"""
        done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("run", "digts"), "no such experiment"),
        (("run", "nofile.toml"), "nofile.toml: there is no such file in /"),
        (("run", "digits", "--set", "training.epoch=1"), "training.epoch: unknown key"),
        (("run", "digits", "--jobs", "-1"), "--jobs: -1 is not allowed"),
        (("run", "digits", "--device", "gpu"), "device: 'gpu' is not allowed"),
    ],
)
def test_a_mistake_is_named_on_stderr(words, complaint, tmp_path):
    result = call(*words, "--out", str(tmp_path))
    assert result.returncode == 2
    assert complaint in result.stderr
    assert "Traceback" not in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_the_home_folder_is_meant_by_its_sign(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    chosen = entry.with_home(report.Report(Which("digits", out=Path("~/runs"), data_dir=Path("~/data"))))
    assert (chosen.which.out, chosen.which.data_dir) == (tmp_path / "runs", tmp_path / "data")
    monkeypatch.setenv("ALTO_DATA_DIR", "~/data")
    assert data_folder(None, "") == tmp_path / "data"
    with pytest.raises(ConfigError, match="nobody-of-this-name"):
        entry.with_home(report.Answers(Path("~nobody-of-this-name/results")))


@pytest.mark.parametrize("words", [("run", "digits"), ("report", "digits")], ids=lambda words: words[0])
def test_a_place_that_is_a_file_is_named_on_one_line(words, tmp_path, monkeypatch, capsys):
    (tmp_path / "file").write_text("kept", encoding="utf-8")
    assert act(monkeypatch, *words, "--out", str(tmp_path / "file")) == 2
    told = capsys.readouterr().err
    assert str(tmp_path / "file") in told
    assert "Traceback" not in told
    assert (tmp_path / "file").read_text(encoding="utf-8") == "kept"


def test_figures_into_a_file_are_refused_on_one_line(tmp_path, monkeypatch, capsys):
    (tmp_path / "file").touch()
    assert act(monkeypatch, "figures", "digits", "--out", str(tmp_path / "file")) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "cannot be used (Not a directory): mend it, or name another place" in line


def test_a_sweep_without_slurm_is_refused_with_the_remedy(tiny_file, tmp_path, monkeypatch, capsys):
    pytest.importorskip("submitit")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert act(monkeypatch, "sweep", str(tiny_file), "--out", str(tmp_path / "out")) == 2
    assert "--executor: 'slurm' is not allowed; it must be local" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
