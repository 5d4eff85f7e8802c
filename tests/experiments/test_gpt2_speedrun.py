"""The one-file script for the GPT-2 speedrun: its network is the track's, and a run resumes, splits and is judged."""

import importlib.util
import json
import math
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

ROOT = Path(__file__).parents[2]
PATH = ROOT / "experiments" / "scripts" / "gpt2_speedrun.py"
spec = importlib.util.spec_from_file_location("gpt2_speedrun", PATH)
SCRIPT = importlib.util.module_from_spec(spec)
sys.modules["gpt2_speedrun"] = SCRIPT  # its dataclass looks for its module
spec.loader.exec_module(SCRIPT)


def run(folder, *words, steps=6):
    return SCRIPT.main(["train", str(folder), "--tiny", "--steps", str(steps), *words])


def kept(folder):
    return json.loads((folder / "result.json").read_text())


def test_the_network_is_of_the_tracks_size():
    with torch.device("meta"):
        model = SCRIPT.GPT(SCRIPT.Task())
    w, layers, words = 768, 12, 50304
    matrices = layers * 12 * w * w + 2 * words * w
    vectors = layers * (4 * w + 5 * w + 2 * w) + 2 * w + words  # biases of attention and of the two layers, gains
    assert sum(p.numel() for p in model.parameters()) == matrices + vectors
    assert {name for name, p in model.named_parameters() if p.dtype == torch.bfloat16} == {"embedding.weight"}


def test_the_first_loss_is_that_of_a_guess_and_no_token_sees_a_later_one():
    torch.manual_seed(0)
    model = SCRIPT.GPT(SCRIPT.TINY)
    tokens = torch.randint(256, (1, 32))
    assert model(tokens, tokens).item() / 32 == pytest.approx(math.log(256), abs=1e-4)
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    early = [None, None]
    for k, last in enumerate((1, 200)):
        tokens[0, -1] = last
        early[k] = model.blocks(model.norms[0](model.embedding(tokens)))[0, :-1]
    assert torch.equal(*early)


def test_the_rotation_is_by_the_place_and_leaves_half_of_the_channels():
    attention = SCRIPT.Attention(SCRIPT.TINY)
    x = torch.randn(1, 2, 4, 16)
    unit = torch.nn.functional.rms_norm(x, (16,))
    angle = 3 * 1024.0 ** -(1 / 3)  # the second of four frequencies, at place 3
    a, b = unit[0, 0, 3, 1], unit[0, 0, 3, 9]
    turned = attention.turn(x)[0, 0, 3]
    assert turned[1].item() == pytest.approx((a * math.cos(angle) + b * math.sin(angle)).item(), rel=1e-5)
    assert turned[9].item() == pytest.approx((b * math.cos(angle) - a * math.sin(angle)).item(), rel=1e-5)
    assert torch.equal(turned[4:8], unit[0, 0, 3, 4:8])


def test_a_run_lowers_the_loss_and_keeps_its_settings_and_its_code(tmp_path):
    assert run(tmp_path, "--lr", ".02", "--options", "alpha=-5", "beta1=.9", steps=10) == 0
    result = kept(tmp_path)
    assert [row["step"] for row in result["log"]] == [0, 5, 9, 10]
    assert result["log"][-1]["loss"] < result["log"][0]["loss"] - 0.3
    assert result["config"]["options"] == {"alpha": -5, "beta1": 0.9}
    assert result["code"] == PATH.read_text()


@pytest.mark.parametrize("name", ["alto", "e_adamw", "AdamW", "lamb"])
def test_a_run_that_is_cut_goes_on_bit_for_bit(name, tmp_path, monkeypatch, capsys):
    words = ["--optimizer", name, "--save", "2"]
    assert run(tmp_path / "whole", *words) == 0
    begun = SCRIPT.factor

    def cut(step, *rest):
        if step == 5:
            raise KeyboardInterrupt
        return begun(step, *rest)

    with monkeypatch.context() as patched:
        patched.setattr(SCRIPT, "factor", cut)
        assert run(tmp_path / "cut", *words) == 130
    assert not (tmp_path / "cut" / "result.json").exists()
    assert run(tmp_path / "cut", *words) == 0
    assert "goes on after step 4 of 6" in capsys.readouterr().out
    assert kept(tmp_path / "cut")["log"] == kept(tmp_path / "whole")["log"]
    whole, cut = (torch.load(tmp_path / each / "checkpoint.pt")["model"] for each in ("whole", "cut"))
    assert all(torch.equal(whole[key], cut[key]) for key in whole)


def test_two_processes_train_as_one(tmp_path):
    words = ["--lr", ".02", "--optimizer", "lamb"]
    assert run(tmp_path / "one", *words) == 0
    subprocess.run(
        [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", str(PATH),
         "train", str(tmp_path / "two"), "--tiny", "--steps", "6", *words],
        check=True, capture_output=True, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    one, two = (kept(tmp_path / each) for each in ("one", "two"))
    assert two["processes"] == 2
    assert one["log"][-1]["loss"] < one["log"][0]["loss"] - 0.1
    # bfloat16 gradients of the embedding are summed in another order
    assert [row["loss"] for row in two["log"]] == pytest.approx([row["loss"] for row in one["log"]], abs=2e-3)


def test_files_are_read_as_the_track_reads_them(tmp_path):
    for number, count in enumerate((25, 9, 10)):
        header = np.zeros(SCRIPT.HEADER, np.int32)
        header[:3] = SCRIPT.MAGIC, SCRIPT.VERSION, count
        tokens = np.arange(count, dtype=np.uint16) + 100 * number
        (tmp_path / f"x_train_{number}.bin").write_bytes(header.tobytes() + tokens.tobytes())
    batches = SCRIPT.Tokens(tmp_path, "train", 8)
    firsts = [batches.sequences(k, 4, 0, 2)[0][0, 0].item() for k in range(len(batches))]
    assert firsts == [0, 8, 200]  # a batch needs one more token after it than the one that it predicts
    inputs, targets = batches.sequences(1, 4, 1, 2)
    assert inputs.tolist() == [[12, 13, 14, 15]]
    assert targets.tolist() == [[13, 14, 15, 16]]


def test_the_rate_rises_stays_and_falls():
    rates = [SCRIPT.factor(k, 10, 2, 0.5) for k in range(10)]
    assert rates == pytest.approx([0.5, 1, 1, 1, 1, 1, 0.8, 0.6, 0.4, 0.2])


def test_the_tracks_test_needs_a_margin_that_falls_with_the_number_of_runs():
    assert SCRIPT.first_step([{100: 3.277, 125: 3.2759}]) == 125
    assert SCRIPT.first_step([{100: 3.277, 125: 3.2759}] * 2) == 100
    assert SCRIPT.first_step([{100: 3.2, 125: 3.2}, {125: 3.2}]) == 125
    assert SCRIPT.first_step([{100: 3.279}]) is None


def test_judge_takes_runs_of_several_seeds(tmp_path, capsys):
    for seed in (1, 2):
        run(tmp_path / str(seed), "--seed", str(seed), steps=1)
    run(tmp_path / "other", "--seed", "3", "--lr", ".1", steps=1)
    assert SCRIPT.main(["judge", str(tmp_path / "1"), str(tmp_path / "2")]) == 1
    assert "at no step" in capsys.readouterr().out
    assert SCRIPT.main(["judge", str(tmp_path / "1"), str(tmp_path / "other")]) == 2
    assert "differs" in (said := capsys.readouterr().err)
    assert " in lr:" in said
    assert SCRIPT.main(["judge", str(tmp_path / "1"), str(tmp_path / "1")]) == 2
    assert "same seed" in capsys.readouterr().err


@pytest.mark.parametrize(("words", "said"), [
    (["--optimizer", "altoo"], "must be one of alto, lamb"), (["--options", "speed=1"], "unexpected keyword"),
    (["--steps", "0"], "--steps = 0 must be in [1, inf]"), (["--micro", "5"], "must divide 32 sequences"),
    (["--micro", "-1"], "--micro = -1 must be in [0, inf]"),
    (["--cooldown", "2"], "--cooldown = 2.0 must be in [0, 1]"), (["--data", "/nowhere"], "has no file *_train_*.bin"),
], ids=["optimizer", "option", "steps", "micro", "negative", "cooldown", "data"])  # fmt: skip
def test_what_cannot_be_run_is_refused_in_a_line(words, said, tmp_path, capsys):
    assert run(tmp_path, *words) == 2
    assert said in capsys.readouterr().err


def test_a_folder_of_another_run_and_a_damaged_file_are_refused(tmp_path, capsys):
    run(tmp_path, steps=1)
    assert run(tmp_path, "--lr", ".5", steps=1) == 2
    assert "lr is 0.01 there and 0.5 here" in capsys.readouterr().err
    data = tmp_path / "data"
    data.mkdir()
    held = (tmp_path / "made_train_0.bin").read_bytes()
    (data / "made_train_0.bin").write_bytes(held[:-1])
    assert run(tmp_path / "new", "--data", str(data), steps=1) == 2
    assert "cut short" in capsys.readouterr().err
    (data / "made_train_0.bin").write_bytes(held)
    (data / "made_val_0.bin").write_bytes((tmp_path / "made_val_0.bin").read_bytes())
    assert run(tmp_path / "new", "--data", str(data), steps=9) == 2
    assert "has 1 batches of 1024 tokens" in capsys.readouterr().err
