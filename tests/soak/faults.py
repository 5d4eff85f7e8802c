"""What many faults in a row do to real commands: ``make soak`` (minutes; not among the tests).

SIGKILLs at random moments over run, report, rates and verify; disks that are full or can only be read; two processes on
one folder; flipped bits in a checkpoint. What is there after each fault must be whole, and what is there at the end
must equal, bit for bit, what unbroken commands made. The exit code is 1 if anything differs.

With ``--keep`` the same command goes on: what is finished at this commit is printed again, and only the rest is done.
"""

import argparse
import contextlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch

from experiments.io.environment import commit
from experiments.io.errors import CheckpointError
from experiments.io.files import write_json
from experiments.runs import checkpoint
from tests.experiments import forked
from tests.experiments.conftest import TINY
from tests.experiments.sweep.test_kill import rows, states

CONFIG = TINY.replace("epochs = 3", "epochs = 60")  # steps slow enough that kills fall among them
IMPORTED = (
    "experiments.cli.report",
    "matplotlib.figure",
    "theory.claims.method.family",
    "theory.commands.rates",
    "theory.commands.verify",
    "theory.rates.runner",
    "hypothesis",
    "scipy.stats",
)
"""What the commands import late: imported once, so that the kills fall among their own work."""
PARTS = ("two", "bits", "disk", "run", "report", "rates", "verify")
PATIENCE = 3600  # seconds for a command on a busy machine
CPU = torch.device("cpu")
_VOLATILE = frozenset({
    "computed",
    "wall_s",
    "seconds",
    "cpu_s",
    "cells_s",
    "provenance",
    "commit",
    "platform",
    "detail",
})


def theory(words: list[str], output: Path) -> None:
    """A command of ``python -m theory``, in a process of its own."""
    from theory.__main__ import main

    forked.prints_to(output)
    sys.exit(main(words))


def settled(value: Any) -> Any:
    """Stored JSON without what depends on the day and the machine's load."""
    if isinstance(value, dict):
        return {key: settled(inner) for key, inner in value.items() if key not in _VOLATILE}
    return [settled(inner) for inner in value] if isinstance(value, list) else value


def contents(folder: Path) -> dict[str, object]:
    """The files of a folder, by name; what a killed writer left half-written has a hidden name."""
    found: dict[str, object] = {}
    for path in sorted(folder.rglob("[!.]*")):
        if path.name == "throughput.json":  # times
            continue
        if path.suffix == ".json":
            found[str(path.relative_to(folder))] = settled(json.loads(path.read_text(encoding="utf-8")))
        elif path.suffix in {".md", ".tex", ".png", ".pdf"}:
            found[str(path.relative_to(folder))] = path.read_bytes()
    return found


class Soak:
    """The faults, what they found, and what they were compared with.

    Args:
        folder: Where everything is written; it is there.
        seed: Of the moments; those of a part do not depend on which parts were done before it.
    """

    def __init__(self, folder: Path, seed: int):
        self.folder, self.seed, self.draw = folder, seed, random.Random(seed)
        self.config, self.printed = folder / "tiny.toml", folder / "printed.txt"
        self.config.write_text(CONFIG, encoding="utf-8")
        self.wrong: list[str] = []

    def all(self, parts: dict[str, Iterator[str]]) -> int:
        """Do the parts that are not finished, and print what each found; 1 if anything was wrong."""
        file = self.folder / "done.json"
        kept = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
        code, wrong = commit(), 0
        for name, part in parts.items():
            key = f"{name}, seed {self.seed}, at {code}"
            if key not in kept:
                for begun in self.folder.glob(f"{name.partition('-')[0]}*"):  # by a process that was killed
                    shutil.rmtree(begun)
                self.draw, self.wrong, begin = random.Random(f"{name} {self.seed}"), [], time.monotonic()
                lines = [f"{line}, {time.monotonic() - begin:.0f} s, at {code}" for line in part]
                kept[key] = {"lines": lines, "wrong": self.wrong}
                write_json(file, kept)
            for line in kept[key]["lines"] + [f"WRONG: {words}" for words in kept[key]["wrong"]]:
                sys.stdout.write(f"{line}\n")
            sys.stdout.flush()
            wrong += len(kept[key]["wrong"])
        sys.stdout.write(f"{wrong} wrong\n")
        return int(bool(wrong))

    def expect(self, holds: bool, words: str) -> None:
        """Note what does not hold."""
        if not holds:
            self.wrong.append(words)

    def done(self, *words: object) -> int | None:
        """The exit code of a command of experiments; a traceback is wrong whatever the code."""
        process = forked.start([str(word) for word in words], self.printed)
        process.join(PATIENCE)
        self.no_traceback(f"{words[0]}")
        return process.exitcode

    def no_traceback(self, what: str) -> None:
        """What a command printed has no traceback."""
        text = self.printed.read_text(encoding="utf-8", errors="replace")
        self.expect("Traceback" not in text, f"{what} printed a traceback: {text[-2000:]}")

    def run(self, out: Path, *more: object) -> list[object]:
        """The words of a run."""
        return ["run", self.config, "--out", out, "--jobs", "1", "--checkpoint-seconds", "0", *more]

    def over(self, name: str, start: Callable[[], Any], out: Path, count: int) -> Iterator[str]:
        """Kill a command again and again, at moments up to the time that it needs, then let it end.

        Every other time it begins in an empty folder. A file is the whole one or absent, and none vanishes.
        """
        begin = time.monotonic()
        process = start()
        process.join(PATIENCE)
        first = needed = time.monotonic() - begin
        kills, ended, code, reference = 0, 0, process.exitcode, contents(out)
        self.expect(code in {0, 1}, f"{name} ended with {code}")  # 1 where the tree is not the accepted one
        self.expect(bool(reference), f"{name} wrote nothing")
        while kills < count and ended < 10 * count:
            if kills % 2:
                shutil.rmtree(out)
                out.mkdir()
            before = contents(out)
            begin, process = time.monotonic(), start()
            process.join(self.draw.uniform(0, needed))
            if process.exitcode is None:
                process.kill()
                process.join()
                kills += 1
            else:
                needed, ended = time.monotonic() - begin, ended + 1  # the machine is less busy now
            found = contents(out)  # reads every file: half a file is no JSON
            differing = [key for key in found if found[key] != reference.get(key)]
            self.expect(not differing, f"{out} differs in {differing} after a kill")
            self.expect(before.keys() <= found.keys(), f"{out} has lost {before.keys() - found.keys()}")
        process = start()
        process.join(PATIENCE)
        self.expect(process.exitcode == code, f"{name} ended with {process.exitcode} after {kills} kills, not {code}")
        self.no_traceback(name)
        self.expect(contents(out) == reference, f"what {name} wrote after {kills} kills is not what it wrote at first")
        yield f"{name}: {kills} kills (the first needed {first:.1f} s), {len(reference)} files compared after each"

    def reached(self, out: Path, process: Any) -> None:
        """Wait until a process has left a checkpoint, or has ended."""
        before = states(out)
        while states(out) <= before and process.is_alive():
            time.sleep(0.005)

    def unbroken(self) -> Iterator[str]:
        """The run that the others are compared with."""
        whole = self.folder / "whole"
        self.expect(self.done(*self.run(whole)) == 0, "the unbroken run did not end well")
        yield f"unbroken run: {len(rows(whole))} rows"

    def over_run(self, count: int) -> Iterator[str]:
        """Kills over runs: a folder that is finished is put aside, and the next one begun."""
        reference, finished, kills, resumed = rows(self.folder / "whole"), 0, 0, 0
        while kills < count:
            out = self.folder / f"run-{finished}"
            while True:
                process = forked.start([str(word) for word in self.run(out)], self.printed)
                if kills % 4:  # every fourth at any moment, the others after a checkpoint of this process
                    self.reached(out, process)
                process.join(self.draw.uniform(0, 3.0) if kills < count else PATIENCE)
                if process.exitcode is not None:
                    break
                process.kill()
                process.join()
                kills += 1
                self.expect(rows(out).items() <= reference.items(), f"a row of {out} differs after a kill")
            self.no_traceback("run")
            self.expect(process.exitcode == 0, f"a run ended with {process.exitcode}")
            self.expect(rows(out) == reference, f"the rows of {out} are not those of the unbroken run")
            self.expect(not list(out.rglob(".*.tmp")) and not list(out.rglob("checkpoint.bin")), f"{out} has leftovers")
            resumed += sum(json.loads(file.read_text())["resumed"] for file in out.rglob("row.json"))
            finished += 1
        yield f"run: {kills} kills over {finished} folders of {len(reference)} rows, {resumed} runs resumed"

    def over_report(self, count: int) -> Iterator[str]:
        """Kills over reports of the unbroken run."""
        words = ["report", str(self.config), "--out", str(self.folder / "whole")]
        out = self.folder / "whole" / "tiny" / "laptop" / "report"
        return self.over("report", lambda: forked.start(words, self.printed), out, count)

    def over_theory(self, name: str, words: list[str], count: int) -> Iterator[str]:
        """Kills over a command of theory; the last word is the path that it writes to, in a folder of its own."""
        out = self.folder / name
        out.mkdir()
        words = [*words[:-1], str(out / words[-1])]
        yield from self.over(name, lambda: forked.call(theory, words, self.printed), out, count)

    def disks(self) -> Iterator[str]:
        """Full disks and one that can only be read; then the same command on a larger disk ends as an unbroken one."""
        reference, place = rows(self.folder / "whole"), self.folder / "disk"
        place.mkdir()
        for size in (40, 200, 700):
            with mounted(place, size) as ready:
                if not ready:
                    yield "disks: not tried, because this user cannot mount one"
                    return
                code = self.done(*self.run(place / "out"))
                kept = rows(place)
                fits = len(kept) == len(reference)
                self.expect(code in ({0, 1} if fits else {1, 2}), f"a run on a disk of {size} kB ended with {code}")
                self.expect(kept.items() <= reference.items(), f"a row on a full disk of {size} kB differs")
                remount(place, "size=64m")
                self.expect(
                    self.done(*self.run(place / "out")) == 0, "a run on a disk with room again did not end well"
                )
                self.expect(rows(place) == reference, "the rows after a full disk are not those of the unbroken run")
                report = ["report", self.config, "--out", place / "out"]
                self.expect(self.done(*report) == 0, "a report did not end well")
                before = contents(place / "out" / "tiny" / "laptop" / "report")
                fill(place)
                code = self.done(*report)
                self.expect(code == 2, f"a report on a full disk ended with {code}")
                after = contents(place / "out" / "tiny" / "laptop" / "report")
                self.expect(before == after, "a report on a full disk left another set of files")
                (place / "filler").unlink()
                remount(place, "ro")
                for words in (report, self.run(place / "new"), ["rows", self.config, "--file", place / "rows.jsonl"]):
                    code = self.done(*words)
                    self.expect(code == 2, f"{words[0]} on a disk that can only be read ended with {code}")
            some = f"{len(kept)} of {len(reference)} rows"
            yield f"disk of {size} kB: {some} before it was full, none lost; report whole; read-only"

    def two(self) -> Iterator[str]:
        """Two processes on one folder: one works, the other is refused by a line."""
        out = self.folder / "two"
        words = [str(word) for word in self.run(out)]
        printed = [self.folder / f"printed-{one}.txt" for one in range(2)]
        processes = [forked.start(words, output) for output in printed]
        for process in processes:
            process.join(PATIENCE)
        codes = sorted(process.exitcode if process.exitcode is not None else -1 for process in processes)
        said = "".join(output.read_text() for output in printed)
        self.expect(codes in ([0, 2], [0, 0]), f"two processes on one folder ended with {codes}")
        self.expect(codes == [0, 0] or "in use by another process" in said, f"the second one says {said}")
        self.expect("Traceback" not in said, f"two processes on one folder: {said}")
        self.expect(rows(out) == rows(self.folder / "whole"), "the rows of two processes are not those of one")
        yield f"two processes on one folder: exit codes {codes}"

    def bits(self, count: int = 50) -> Iterator[str]:
        """Flipped bits in a checkpoint: each is noticed, and named with the remedy."""
        out = self.folder / "bits"
        while not states(out):
            process = forked.start([str(word) for word in self.run(out)], self.printed)
            self.reached(out, process)
            process.kill()
            process.join()
            self.expect(process.exitcode != 0, "the run ended before it could be killed")
        (file,) = list(out.rglob("checkpoint.bin"))
        content, digest = file.read_bytes(), file.read_bytes()[8:24].decode()
        for _ in range(count):
            place = self.draw.randrange(8 * len(content))
            flipped = bytearray(content)
            flipped[place // 8] ^= 1 << place % 8
            file.write_bytes(flipped)
            try:
                checkpoint.load(file, digest, CPU)
                self.expect(False, f"bit {place} of a checkpoint was flipped, and it was read")
            except CheckpointError as error:
                self.expect(f"Delete {file}" in str(error), f"bit {place}: {error}")
        code = self.done(*self.run(out))
        self.expect(code == 1, f"a run with a damaged checkpoint ended with {code}")
        file.unlink()
        self.expect(self.done(*self.run(out)) == 0, "a run without its damaged checkpoint did not end well")
        self.expect(rows(out) == rows(self.folder / "whole"), "the rows after a damaged checkpoint differ")
        yield f"{count} flipped bits of a checkpoint of {len(content)} bytes: {count} noticed"


@contextlib.contextmanager
def mounted(place: Path, kilobytes: int) -> Iterator[bool]:
    """A small disk in memory; false where this user cannot mount one."""
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs", str(place)], check=False, capture_output=True
    )
    try:
        yield done.returncode == 0
    finally:
        if done.returncode == 0:
            subprocess.run(["umount", "-l", str(place)], check=True)


def remount(place: Path, options: str) -> None:
    """Give the disk other options."""
    subprocess.run(["mount", "-o", f"remount,{options}", str(place)], check=True)


def fill(place: Path) -> None:
    """Leave no room on the disk."""
    with contextlib.suppress(OSError), (place / "filler").open("wb") as file:
        while True:
            file.write(bytes(1 << 16))


def main() -> int:
    """All faults; 1 if anything was wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    for name, count in (("run", 55), ("report", 15), ("rates", 15), ("verify", 15)):
        parser.add_argument(f"--{name}", type=int, default=count, help=f"SIGKILLs over {name} ({count})")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS, help="the parts to do (all)")
    parser.add_argument("--seed", type=int, default=0, help="of the moments (0)")
    parser.add_argument("--keep", type=Path, help="folder in which the work is kept, so that the same command goes on")
    options = parser.parse_args()
    os.environ["MPLBACKEND"] = "agg"
    forked.IMPORTED.extend(IMPORTED)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that no disk stays mounted
    with contextlib.ExitStack() as stack:
        folder = (options.keep or Path(stack.enter_context(tempfile.TemporaryDirectory()))).resolve()
        folder.mkdir(parents=True, exist_ok=True)
        soak = Soak(folder, options.seed)
        rates, verify = ["rates", "--only", "floor", "--out", ""], ["verify", "--only", "identity-grokfast", "--json"]
        parts = {
            "whole": soak.unbroken(),
            "two": soak.two(),
            "bits": soak.bits(),
            "disk": soak.disks(),
            f"run-{options.run}": soak.over_run(options.run),
            f"report-{options.report}": soak.over_report(options.report),
            f"rates-{options.rates}": soak.over_theory("rates", rates, options.rates),
            f"verify-{options.verify}": soak.over_theory("verify", [*verify, "found.json"], options.verify),
        }
        return soak.all({name: part for name, part in parts.items() if name.split("-")[0] in {"whole", *options.only}})
