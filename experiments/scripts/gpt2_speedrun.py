"""Train GPT-2's small size on the public speedrun for optimizers, on one GPU or several: one file.

The task is the optimization track of modded-nanogpt (github.com/KellerJordan/modded-nanogpt, its folder
records/track_3_optimization, as of 1 August 2026): reach a validation loss of 3.28 on FineWeb in as few steps as
possible. Data, batch and architecture are fixed. Optimizer, schedule and initialisation are free. That repository's
``data/cached_fineweb10B.py`` fetches the tokens.

    torchrun --standalone --nproc_per_node 8 experiments/scripts/gpt2_speedrun.py train OUT --data fineweb10B \
        --optimizer alto --lr .01 --options alpha=-5 beta1=.99 --seed 1
    python experiments/scripts/gpt2_speedrun.py judge OUT-1 OUT-2 ...
    python experiments/scripts/gpt2_speedrun.py train OUT --tiny     # a small network on made text: seconds on a CPU

The same ``train`` command goes on after a stop. ``judge`` applies the track's test to runs of several seeds.

Where it does not match the track:

- It imports ``alto``. An entry must hold all its code in its log, so alto's files would have to be copied into it.
- The loss is the mean over the tokens of a batch, the track's is their sum: an eps of an optimizer has another size.
- One optimizer and one learning rate train all parameters. The track's records have several of each. torch's Muon takes
  matrices alone, so it cannot be named here.
- No setting here was tuned, and it was not run at the full size: tests train the small network alone.
"""

import argparse
import ast
import dataclasses
import datetime
import json
import math
import os
import platform
import random
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn import functional as F

import alto

TARGET, MARGIN = 3.28, 0.004
"""The track's loss, and its test of n runs: (TARGET - mean) sqrt(n) >= MARGIN: a z-test, deviation 0.0013, p < .001."""
MAGIC, VERSION, HEADER = 20240520, 1, 256
"""The first two of a token file's 256 int32; the third is the number of its uint16 tokens."""


@dataclasses.dataclass(frozen=True)
class Task:
    """What the track fixes; ``batch`` and ``validation`` in tokens, ``every`` in steps, early and in the last tenth."""

    layers: int = 12
    width: int = 768
    head: int = 128
    vocabulary: int = 50304
    context: int = 1024
    batch: int = 524288
    validation: int = 20 * 524288
    every: tuple[int, int] = (125, 25)


TINY = Task(2, 32, 16, 256, 32, 1024, 2048, (5, 1))


class Tokens:
    """Batches of consecutive tokens from files, in the files' order; a file's rest that fills no batch is left out.

    Args:
        folder: where the files are.
        kind: ``train`` or ``val``.
        batch: tokens.

    Raises:
        ValueError: there is no such file, or one is damaged.
    """

    def __init__(self, folder: Path, kind: str, batch: int):
        self.batch, self.places = batch, list[tuple[Path, int]]()
        files = sorted(folder.glob(f"*_{kind}_*.bin"))
        if not files:
            raise ValueError(
                f"--data = {folder} has no file *_{kind}_*.bin; modded-nanogpt's data/cached_fineweb10B.py writes it"
            )
        for file in files:
            header = np.fromfile(file, np.int32, HEADER)
            if len(header) < HEADER or (header[0], header[1]) != (MAGIC, VERSION):
                raise ValueError(f"{file} is no file of tokens: it must begin with {MAGIC} and {VERSION} as int32")
            if file.stat().st_size != 4 * HEADER + 2 * int(header[2]):
                raise ValueError(f"{file} is cut short or too long: its header says {header[2]} tokens; fetch it again")
            self.places += [(file, k * batch) for k in range((int(header[2]) - 2) // batch)]  # the track's border

    def __len__(self) -> int:
        return len(self.places)

    def sequences(self, index: int, context: int, rank: int, world: int) -> tuple[Tensor, Tensor]:
        """Inputs and targets, both (batch / world / context, context) int64, of one process."""
        file, start = self.places[index]
        local = self.batch // world
        held = np.memmap(file, np.uint16, "r", 4 * HEADER)[start + rank * local :][: local + 1]
        tokens = torch.from_numpy(held.astype(np.int64))
        return tokens[:-1].view(-1, context), tokens[1:].view(-1, context)


def write_made_text(folder: Path, task: Task, steps: int) -> None:
    """Write token files of made sentences in bytes: enough for a run of the small network."""
    draw = random.Random(0)
    words = ("the", "a", "small", "green", "old", "dog", "cat", "tree", "house", "sees", "finds", "likes", "then")
    for kind, count in (("train", task.batch * steps), ("val", task.validation)):
        text = ""
        while len(text) < count + 2:
            text += " ".join(draw.choices(words, k=draw.randint(3, 9))) + ". "
        header = np.zeros(HEADER, np.int32)
        header[:3] = MAGIC, VERSION, count + 2
        _replace(
            folder / f"made_{kind}_0.bin",
            header.tobytes() + np.frombuffer(text.encode(), np.uint8)[: count + 2].astype(np.uint16).tobytes(),
        )


class Affine(nn.Linear):
    """A linear map with float32 numbers that computes in its input's dtype."""

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 (torch's name)
        """(..., in) -> (..., out)."""
        return F.linear(input, self.weight.to(input.dtype), self.bias.to(input.dtype))


class Norm(nn.RMSNorm):
    """RMSNorm that computes in its input's dtype."""

    def forward(self, x: Tensor) -> Tensor:
        """(..., width) -> (..., width)."""
        return F.rms_norm(x, self.normalized_shape, self.weight.to(x.dtype))


class Attention(nn.Module):
    """Causal attention with normalised queries and keys, of which half the channels turn with the place."""

    def __init__(self, task: Task):
        super().__init__()
        self.head = task.head
        self.query, self.key, self.value, self.out = (Affine(task.width, task.width) for _ in range(4))
        angles = torch.outer(torch.arange(task.context).float(), 1024 ** -torch.linspace(0, 1, task.head // 4))
        angles = F.pad(angles, (0, task.head // 4))
        self.register_buffer("cos", angles.cos(), persistent=False)
        self.register_buffer("sin", angles.sin(), persistent=False)

    def turn(self, x: Tensor) -> Tensor:
        """(n, heads, length, head) -> the same: normalised, then rotated."""
        a, b = F.rms_norm(x, (self.head,)).float().chunk(2, -1)
        cos, sin = self.cos[: x.shape[2]], self.sin[: x.shape[2]]  # pyright: ignore[reportIndexIssue]
        return torch.cat([a * cos + b * sin, b * cos - a * sin], -1).to(x.dtype)

    def forward(self, x: Tensor) -> Tensor:
        """(n, length, width) -> (n, length, width)."""
        q, k, v = (
            part(x).unflatten(-1, (-1, self.head)).transpose(1, 2) for part in (self.query, self.key, self.value)
        )
        mixed = F.scaled_dot_product_attention(self.turn(q), self.turn(k), v, is_causal=True, scale=0.12)
        return self.out(mixed.transpose(1, 2).flatten(2))


class Block(nn.Module):
    """Attention, then two layers with the squared ReLU between them; both add to the stream."""

    def __init__(self, task: Task):
        super().__init__()
        self.attention, self.norms = Attention(task), nn.ModuleList([Norm(task.width), Norm(task.width)])
        self.wide, self.out = Affine(task.width, 4 * task.width), Affine(4 * task.width, task.width)

    def forward(self, x: Tensor) -> Tensor:
        """(n, length, width) -> (n, length, width)."""
        x = x + self.attention(self.norms[0](x))
        return x + self.out(self.wide(self.norms[1](x)).relu().square())


class GPT(nn.Module):
    """The track's network. Its embedding, and with it every activation, is bfloat16."""

    def __init__(self, task: Task):
        super().__init__()
        self.embedding = nn.Embedding(task.vocabulary, task.width, dtype=torch.bfloat16)
        self.blocks = nn.Sequential(*(Block(task) for _ in range(task.layers)))
        self.norms = nn.ModuleList([Norm(task.width), Norm(task.width)])
        self.out = Affine(task.width, task.vocabulary)
        for name, weight in self.named_parameters():
            if name.endswith(("bias", "out.weight")):
                nn.init.zeros_(weight)
            elif weight.ndim == 2 and not name.startswith("embedding"):
                nn.init.normal_(weight, std=(3 * weight.shape[1]) ** -0.5)

    def forward(self, inputs: Tensor, targets: Tensor) -> Tensor:
        """Both (n, length) int64 -> the sum of the losses of all tokens, with logits bounded by 15."""
        x = self.blocks(self.norms[0](self.embedding(inputs)))
        logits = self.out(self.norms[1](x)).float()
        return F.cross_entropy(
            (15 * logits * (logits**2 + 225).rsqrt()).flatten(0, 1), targets.flatten(), reduction="sum"
        )


def optimizer(
    name: str, model: nn.Module, lr: float, weight_decay: float, options: Mapping[str, Any]
) -> torch.optim.Optimizer:
    """An optimizer by its name in ``torch.optim``, in any case, or in :func:`alto.create`.

    Raises:
        ValueError: there is no such name, or the optimizer has no such option.
    """
    theirs = {each.lower(): kind for each, kind in vars(torch.optim).items() if isinstance(kind, type)}
    try:
        if kind := theirs.get(name.lower()):
            return kind(alto.decay_groups(model, weight_decay), lr=lr, **options)
        return alto.create(name, model, lr, weight_decay, **options)
    except TypeError as error:
        raise ValueError(f"--optimizer {name} --options: {error}") from error


def factor(step: int, steps: int, warmup: int, cooldown: float) -> float:
    """What the peak learning rate is multiplied by: a linear warm-up, 1, and linear to 0 in the last fraction."""
    up = (step + 1) / warmup if step < warmup else 1.0
    return min(up, (1 - step / steps) / cooldown if cooldown else 1.0)


def train(options: argparse.Namespace) -> int:
    """Train one run, or go on with it; the result is OUT/result.json."""
    task, folder = TINY if options.tiny else Task(), Path(options.out)
    rank, world = int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1"))
    sequences = task.batch // task.context
    micro = options.micro or min(64, sequences // world)
    if sequences % (world * micro) or task.validation // task.context % (world * micro):
        raise ValueError(f"--micro = {micro} with {world} processes: their product must divide {sequences} sequences")
    device = (
        torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
        if torch.cuda.is_available()
        else torch.device("cpu")
    )
    if device.type == "cuda":
        torch.cuda.set_device(device)
    folder.mkdir(parents=True, exist_ok=True)
    if options.tiny and not options.data and rank == 0:
        write_made_text(folder, task, options.steps)
    if world > 1:
        dist.init_process_group("nccl" if device.type == "cuda" else "gloo")
        dist.barrier()
    data = Path(options.data or folder)
    batches, held = Tokens(data, "train", task.batch), Tokens(data, "val", task.validation)
    if len(batches) < options.steps or not len(held):
        raise ValueError(f"--steps = {options.steps}: {data} has {len(batches)} batches of {task.batch} tokens "
                         f"to train on and {len(held)} of {task.validation} for validation; fetch more")  # fmt: skip

    config = dataclasses.asdict(task) | {name: getattr(options, name) for name in (
        "optimizer", "lr", "weight_decay", "options", "steps", "warmup", "cooldown", "seed")}  # fmt: skip
    config = json.loads(json.dumps(config))
    torch.manual_seed(options.seed)  # on the CPU: all processes draw the same network
    model = GPT(task).to(device)
    if options.compile:
        model.compile(dynamic=False)
    updates = optimizer(options.optimizer, model, options.lr, options.weight_decay, options.options)
    rates = [group["lr"] for group in updates.param_groups]
    first, log, spent = 0, list[dict[str, float]](), 0.0
    checkpoint = folder / "checkpoint.pt"
    if checkpoint.exists():
        kept = torch.load(checkpoint, map_location=device)
        if other := [key for key in config if kept["config"].get(key) != config[key]]:
            raise ValueError(f"{checkpoint} is of another run: {other[0]} is {kept['config'].get(other[0])} there and "
                             f"{config[other[0]]} here; name another OUT")  # fmt: skip
        model.load_state_dict(kept["model"])
        updates.load_state_dict(kept["optimizer"])
        first, log, spent = kept["step"], kept["log"], kept["seconds"]
        _say(rank, f"goes on after step {first} of {options.steps}")

    def loss(batch: Tokens, index: int, *, backward: bool) -> Tensor:
        """The mean loss over a batch, and its gradient."""
        total = torch.zeros((), device=device, dtype=torch.float64)
        pieces = (part.to(device).split(micro) for part in batch.sequences(index, task.context, rank, world))
        for inputs, targets in zip(*pieces, strict=True):
            mean = model(inputs, targets) / batch.batch
            total += mean.detach()
            if backward:
                mean.backward()
        if world > 1:
            dist.all_reduce(total)
        return total

    def save(step: int) -> None:
        if rank == 0:
            part = checkpoint.with_suffix(".part")
            torch.save({"config": config, "model": model.state_dict(), "optimizer": updates.state_dict(), "step": step,
                        "log": log, "seconds": spent + time.monotonic() - begin}, part)  # fmt: skip
            part.replace(checkpoint)

    begin, step = time.monotonic(), first
    try:
        for step in range(first, options.steps + 1):
            due = step == options.steps or step % task.every[step >= 0.9 * options.steps] == 0
            if due and (not log or log[-1]["step"] < step):
                with torch.no_grad():
                    log.append({"step": step, "loss": float(loss(held, 0, backward=False))})
                each = (time.monotonic() - begin) / max(1, step - first)
                left = f", {each * (options.steps - step) / 60:.1f} minutes left" if step > first else ""
                _say(rank, f"step {step} of {options.steps}: validation loss {log[-1]['loss']:.5f}{left}")
                if not math.isfinite(log[-1]["loss"]):
                    raise ValueError(
                        f"the validation loss is {log[-1]['loss']} at step {step}: the run diverged; try a lower --lr"
                    )
            if step == options.steps:
                break
            if step > first and step % options.save == 0:
                save(step)
            loss(batches, step, backward=True)
            for parameter in model.parameters():
                if world > 1:
                    dist.all_reduce(parameter.grad)
            for group, rate in zip(updates.param_groups, rates, strict=True):
                group["lr"] = rate * factor(step, options.steps, options.warmup, options.cooldown)
            updates.step()
            updates.zero_grad()
    except KeyboardInterrupt:
        _say(rank, f"stopped in step {step}; the same command goes on from the last checkpoint (--save {options.save})")
        return 130
    finally:
        if world > 1:
            dist.destroy_process_group()
    save(options.steps)
    if rank == 0:
        _replace(folder / "result.json", json.dumps({
            "config": config, "log": log, "seconds": spent + time.monotonic() - begin, "processes": world,
            "versions": {"torch": torch.__version__, "alto": alto.__version__, "python": platform.python_version()},
            "device": torch.cuda.get_device_name(device) if device.type == "cuda" else platform.processor() or "CPU",
            "computed": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
            "code": Path(__file__).read_text(encoding="utf-8"),
        }).encode())  # fmt: skip
    return 0


def judge(options: argparse.Namespace) -> int:
    """Print the mean validation loss of several runs step by step, and the first step that passes the track's test."""
    results = [json.loads((Path(out) / "result.json").read_text(encoding="utf-8")) for out in options.outs]
    same = [{key: value for key, value in one["config"].items() if key != "seed"} for one in results]
    for out, other in zip(options.outs, same, strict=True):
        if different := [key for key in other if other[key] != same[0].get(key)]:
            raise ValueError(
                f"{out} differs from {options.outs[0]} in {', '.join(different)}: they may differ in the seed alone"
            )
    if len({one["config"]["seed"] for one in results}) < len(results):
        raise ValueError("two runs have the same seed: each must have its own")
    passed = first_step([{row["step"]: row["loss"] for row in one["log"]} for one in results])
    said = f"first at step {passed}" if passed is not None else "at no step"
    _say(0, f"(3.28 - mean) sqrt(n) >= 0.004 with n = {len(results)}: {said}")
    if results[0]["config"]["layers"] != Task().layers:
        _say(0, "these are runs of the small network: this says nothing about the track")
    return int(passed is None)


def first_step(losses: Sequence[Mapping[int, float]]) -> int | None:
    """The first step, validated in every run, at which the runs together pass the track's test."""
    for step in sorted(set.intersection(*map(set, losses))):
        mean = sum(one[step] for one in losses) / len(losses)
        if (TARGET - mean) * len(losses) ** 0.5 >= MARGIN:
            return step
    return None


def _replace(path: Path, content: bytes) -> None:
    """Write a file whole."""
    part = path.with_name(path.name + ".part")
    part.write_bytes(content)
    part.replace(path)


def _say(rank: int, text: str) -> None:
    if rank == 0:
        sys.stdout.write(text + "\n")
        sys.stdout.flush()


def _option(text: str) -> tuple[str, Any]:
    key, equals, value = text.partition("=")
    try:
        return key if equals else "", ast.literal_eval(value)
    except (SyntaxError, ValueError):
        raise argparse.ArgumentTypeError(
            f"{text!r} must be KEY=VALUE with a number, tuple, True, False or 'text'"
        ) from None


def main(words: Sequence[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description="GPT-2 small on modded-nanogpt's optimization track.")
    commands = parser.add_subparsers(required=True)
    run = commands.add_parser("train", help="train one run, or go on with it")
    run.set_defaults(run=train)
    run.add_argument("out", metavar="OUT", help="its folder")
    run.add_argument("--data", metavar="DIR", help="folder of fineweb_train_*.bin and fineweb_val_*.bin")
    run.add_argument("--tiny", action="store_true", help="a small network; made text, where no --data is given")
    run.add_argument("--optimizer", default="alto", metavar="NAME", help="of torch.optim or alto.create (alto)")
    run.add_argument("--lr", type=float, default=0.01, help="peak learning rate (.01, not tuned)")
    run.add_argument("--weight-decay", type=float, default=0.0, help="of the matrices (0)")
    run.add_argument(
        "--options", nargs="*", type=_option, default=[], metavar="KEY=VALUE", help="alpha=-5 'betas=(.9,.95)'"
    )
    run.add_argument("--steps", type=int, default=3250, help="(3250, the track's baseline)")
    run.add_argument("--warmup", type=int, default=0, help="steps of linear warm-up (0)")
    run.add_argument("--cooldown", type=float, default=0.7, help="fraction of the run with a falling rate (.7)")
    run.add_argument("--seed", type=int, default=0, help="of the initial network (0)")
    run.add_argument("--micro", type=int, default=0, help="sequences per forward pass and process (64, or all)")
    run.add_argument("--save", type=int, default=250, help="steps between checkpoints (250)")
    run.add_argument("--compile", action="store_true", help="torch.compile")
    several = commands.add_parser("judge", help="apply the track's test to finished runs")
    several.set_defaults(run=judge)
    several.add_argument("outs", nargs="+", metavar="OUT", help="folders of runs that differ in the seed")
    options = parser.parse_args(words)
    try:
        if options.run is train:
            options.options = dict(options.options)
            for name, low, high in (
                ("steps", 1, math.inf),
                ("save", 1, math.inf),
                ("warmup", 0, math.inf),
                ("micro", 0, math.inf),
                ("cooldown", 0, 1),
            ):
                if not low <= getattr(options, name) <= high:
                    raise ValueError(f"--{name} = {getattr(options, name)} must be in [{low}, {high}]")
        return options.run(options)
    except (ValueError, FileNotFoundError) as error:
        sys.stderr.write(f"{error}\n")
        return 2


if __name__ == "__main__":
    sys.exit(main())
