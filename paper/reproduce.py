"""``make reproduce``: every stored result computed again in order, and the paper built from them.

The steps, each a list of commands: verify, rates, figures, experiments, three benchmarks, answers, ledger, paper. A
finished step leaves a stamp in runs/reproduce with the seconds it took and a digest of what it depends on: the code
and, for the last three steps, the results that they read. A step is skipped if its stamp has today's digest, and most
commands continue where they were stopped. ``rm -r runs/reproduce`` starts over. The plan is printed first, with a time
for each step from the stamps or from the wall times in the stored results. Results are written into results/, in place
of the committed ones; the experiments are those whose laptop tier is kept there.
"""

import argparse
import hashlib
import json
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from theory.ledger.files import write

ROOT = Path(__file__).resolve().parents[1]
STAMPS = Path("runs") / "reproduce"
THEORY = [sys.executable, "-m", "theory"]
EXPERIMENTS = [sys.executable, "-m", "experiments"]
RESULTS = tuple(f"results/{name}" for name in ("evidence", "experiments", "rates", "theory", "worst-case"))
"""What the ledger's claims read."""
CODE = {".py", ".toml", ".txt"}
TEXTS = {".json", ".tex", ".bib", ".pdf", ".png"}
MADE = {"build", "generated"}
"""Folders that building the paper fills."""


@dataclass(frozen=True)
class Step:
    """A part of the whole.

    Attributes:
        name: also the stamp's.
        commands: run in this order, from the root.
        seconds: an estimate from stored results below a root; None where nothing is stored.
        reads: folders that it depends on besides the code; read when its turn comes, since earlier steps write there.
    """

    name: str
    commands: list[list[str]]
    seconds: Callable[[Path], float | None]
    reads: tuple[str, ...] = ()


def _read(path: Path) -> dict[str, Any] | None:
    return json.loads(path.read_text()) if path.exists() else None


def _ledger(root: Path, effort: str) -> float | None:
    """The evidence of all claims, where the stored ledger has this effort."""
    stored = _read(root / "results" / "ledger.json")
    if stored is None or stored["effort"] != effort:
        return None
    return sum(result["seconds"] for claim in stored["claims"] for result in claim["evidence"])


def _rates(root: Path) -> float | None:
    """The rate studies and the worst cases."""
    studies = [_read(path) or {} for path in (root / "results" / "rates").glob("*.json")]
    worst = _read(root / "results" / "worst-case" / "rows.json")
    known = [study["wall_s"] for study in studies if "wall_s" in study] + ([worst["seconds"]] if worst else [])
    return sum(known) if known else None


def _figures(root: Path) -> float | None:
    """The studies behind the figures."""
    known = [(_read(path) or {})["seconds"] for path in (root / "results" / "theory").glob("*.json")]
    return sum(known) if known else None


def kept(root: Path) -> list[str]:
    """The experiments whose laptop tier is kept in results/ and still has a config."""
    found = sorted((root / "results" / "experiments").glob("*-laptop.json"))
    names = [path.name.removesuffix("-laptop.json") for path in found]
    return [name for name in names if (root / "experiments" / "configs" / f"{name}.toml").exists()]


def _networks(root: Path) -> float | None:
    """Every final run, and the tuning runs at the mean of their cell's final runs."""
    total = 0.0
    for name in kept(root):
        stored = _read(root / "results" / "experiments" / f"{name}-laptop.json") or {}
        experiment = stored["experiment"]
        final = max(len(experiment["final"]["seeds"]), 1)
        tuning = experiment["tuning"]["learning_rates"]["count"] * len(experiment["tuning"]["seeds"])
        total += sum(run["seconds"] for run in stored["runs"]) * (1 + tuning / final)
    return total or None


def _bench(root: Path, kind: str) -> float | None:
    stored = _read(root / "results" / "bench" / "bench.json") or {}
    return stored[kind]["wall_seconds"] if kind in stored else None


def steps(root: Path) -> list[Step]:
    """All steps, in order; the experiments are those that ``root`` keeps."""
    networks = [
        command
        for name in kept(root)
        for command in (
            [*EXPERIMENTS, "run", name, "--tier", "laptop"],
            [*EXPERIMENTS, "report", name, "--tier", "laptop", "--results", "results"],
        )
    ]
    benchmarks = [
        Step(
            f"bench-{kind}",
            [[*EXPERIMENTS, "bench", kind, "--out", "results/bench"]],
            lambda root, k=kind: _bench(root, k),
        )
        for kind in ("step", "memory", "scaling")
    ]
    return [
        Step("verify", [[*THEORY, "verify"]], lambda root: _ledger(root, "quick")),
        Step(
            "rates",
            [
                [*THEORY, "rates", "--full", "--out", "results/rates"],
                [*THEORY, "worst-case", "--full", "--out", "results/worst-case"],
            ],
            _rates,
        ),
        Step(
            "figures",
            [[*THEORY, "figures", "--fresh", "--thorough", "--studies", "results/theory", "--out", "results/figures"]],
            _figures,
        ),
        Step("experiments", networks, _networks),
        *benchmarks,
        # The answers are drawn from the experiments and from the benchmark of a step.
        Step(
            "answers", [[*EXPERIMENTS, "evidence"], [*EXPERIMENTS, "answers"]], lambda _: 30.0,
            ("results/experiments", "results/bench"),
        ),
        # The ledger once more, with every check, now that all results that it reads are new.
        Step(
            "ledger", [[*THEORY, "verify", "--accept"]],
            lambda root: _ledger(root, "thorough"), RESULTS,
        ),
        Step("paper", [["make", "paper"]], lambda _: 30.0, ("paper", "results")),
    ]  # fmt: skip


def sources(root: Path, reads: Sequence[str] = ()) -> str:
    """SHA-256 of the code, the configs, the pinned versions, and the texts and results that a step reads besides."""
    digest = hashlib.sha256()
    code = [path for name in ("alto", "theory", "experiments") for path in (root / name).rglob("*")]
    other = [path for name in reads for path in (root / name).rglob("*") if not MADE & set(path.parts)]
    found = {path for path in code if path.suffix in CODE} | {path for path in other if path.suffix in CODE | TEXTS}
    for path in sorted({*found, root / "constraints.txt"}):
        if path.is_file():
            digest.update(str(path.relative_to(root)).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def _duration(seconds: float | None) -> str:
    return "unknown" if seconds is None else str(timedelta(seconds=round(seconds)))


def plan(root: Path) -> list[tuple[Step, bool, float | None]]:
    """Each step with whether it is done by these sources, and the seconds it will take: its own last time if known."""
    found = []
    for step in steps(root):
        stamp = _read(root / STAMPS / f"{step.name}.json")
        found.append((step, _done(root, step), stamp["seconds"] if stamp else step.seconds(root)))
    return found


def _done(root: Path, step: Step) -> bool:
    """Whether the step was finished with what it depends on as it is now."""
    stamp = _read(root / STAMPS / f"{step.name}.json")
    return stamp is not None and stamp["sources"] == sources(root, step.reads)


def describe(planned: list[tuple[Step, bool, float | None]]) -> str:
    """The plan in words, with the sum of what is left and known."""
    lines = [f"{step.name:<12} {'done' if done else _duration(seconds)}" for step, done, seconds in planned]
    left = [seconds for _, done, seconds in planned if not done]
    unknown = sum(seconds is None for seconds in left)
    total = sum(seconds or 0.0 for seconds in left)
    rest = f", and {unknown} of unknown length" if unknown else ""
    return "\n".join([*lines, f"{'left':<12} {_duration(total)} as on the machines of the stored results{rest}", ""])


def main(arguments: list[str] | None = None) -> int:
    """Print the plan and carry it out; exit code 1 at the first step that fails."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--plan", action="store_true", help="print the plan and the estimates, and run nothing")
    parser.add_argument("--root", type=Path, default=ROOT, help="the checkout")
    options = parser.parse_args(arguments)
    planned = plan(options.root)
    sys.stdout.write(describe(planned))
    sys.stdout.flush()
    if options.plan:
        return 0
    for step, _, _ in planned:
        if _done(options.root, step):  # checked again: an earlier step may have written what this one reads
            continue
        begin = time.monotonic()
        for command in step.commands:
            sys.stdout.write(f"== {step.name}: {' '.join(command)}\n")
            sys.stdout.flush()
            if subprocess.run(command, cwd=options.root, check=False).returncode != 0:
                sys.stderr.write(f"{step.name} failed; make reproduce continues with this step\n")
                return 1
        stamp = {"sources": sources(options.root, step.reads), "seconds": round(time.monotonic() - begin, 1)}
        write(options.root / STAMPS / f"{step.name}.json", json.dumps(stamp) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
