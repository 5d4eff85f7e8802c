"""Proofs that the kernel of Rocq has checked whole: no piece of them is prose.

The kernel is asked by :meth:`Library.check`, which takes a few seconds and needs ``coqc``. What it said is stored with
the digest of exactly the sources that it read; evidence looks it up, and counts for nothing when these have changed.
"""

import hashlib
import json
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from theory.ledger.evidence import About, Effort, Evidence, Finding, Kind, Outcome
from theory.ledger.files import to_json, write
from theory.ledger.stored import read

# What the real numbers of Rocq's standard library rest on, and that functions with equal values are equal.
AXIOMS = frozenset({
    "ClassicalDedekindReals.sig_forall_dec",
    "ClassicalDedekindReals.sig_not_dec",
    "FunctionalExtensionality.functional_extensionality_dep",
})
_SECONDS = 1200  # for one file, on a busy machine
_BREAK = "tt\n     : unit\n"  # what "Check tt." prints: it parts the answers


class KernelError(RuntimeError):
    """The kernel refuses a source, or is not there."""


@dataclass(frozen=True)
class Library:
    """Sources in Rocq and what the kernel said of them.

    Args:
        folder: of the ``.v`` files.
        modules: their names, each after those that it needs.
        theorems: what the kernel judges, by name, and what each says in words.
        definitions: what their statements are made of, by name.
        printed: from nothing to the text of further modules, by name, which come last: what other code computes, as
            statements for the kernel.
        stored: the file of the kernel's answer.
    """

    folder: Path
    modules: Sequence[str]
    theorems: Mapping[str, str]
    definitions: Sequence[str]
    printed: Callable[[], Mapping[str, str]]
    stored: Path

    def sources(self) -> dict[str, str]:
        """The text of every module, in order."""
        own = {name: (self.folder / f"{name}.v").read_text(encoding="utf-8") for name in self.modules}
        return {**own, **self.printed()}

    def check(self) -> dict[str, Any]:
        """Compile everything, and find out on which axioms the theorems rest.

        Returns:
            ``digest`` of the sources, ``version`` of Rocq, ``theorems`` and ``definitions`` as Rocq prints them, by
            name, ``axioms`` of all theorems, and ``refused``: the theorems that rest on more than :data:`AXIOMS`, and
            on what.

        Raises:
            KernelError: ``coqc`` is not installed, or refuses a module; the message is its own.
        """
        if shutil.which("coqc") is None:
            raise KernelError("coqc is not installed; on Debian: apt-get install --no-install-recommends coq")
        sources, names = self.sources(), list(self.theorems)
        with tempfile.TemporaryDirectory() as place:
            folder = Path(place)
            for name, text in sources.items():
                _compile(folder, name, text)

            def answers(*questions: str) -> list[str]:
                head = f"From Coq Require Import Reals.\nFrom Proofs Require Import {' '.join(sources)}.\n"
                head += "Open Scope R_scope.\nSet Printing Width 110.\n"
                text = head + "".join(f"Check tt.\n{question}.\n" for question in questions)
                return _compile(folder, "Questions", text).split(_BREAK)[1:]

            # Finding out what a theorem rests on takes half a second, for all together as for one alone.
            every = "".join(f"pose proof @{name}; " for name in names)
            head = f"Definition every : True. Proof. {every}exact I. Qed.\n"
            together, *printed = answers(
                f"{head}Print Assumptions every",
                *(f"Check @{name}" for name in names),
                *(f"Print {name}" for name in self.definitions),
            )
            axioms = _axioms(together)
            refused = {}
            if more := set(axioms) - AXIOMS:
                each = answers(*(f"Print Assumptions {name}" for name in names))
                found = {name: more & set(_axioms(text)) for name, text in zip(names, each, strict=True)}
                refused = {name: sorted(extra) for name, extra in found.items() if extra}
        version = subprocess.run(["coqc", "--print-version"], capture_output=True, text=True, check=True).stdout.split()
        return {
            "digest": digest(sources),
            "version": version[0],
            "axioms": axioms,
            "refused": refused,
            "theorems": dict(zip(names, (text.partition(":")[2].strip() for text in printed), strict=False)),
            "definitions": {
                name: text.partition("\n     : ")[0].strip()  # without its type
                for name, text in zip(self.definitions, printed[len(names) :], strict=True)
            },
        }

    def store(self) -> dict[str, Any]:
        """:meth:`check`, and keep the answer."""
        answer = self.check()
        write(self.stored, to_json(answer, long=("theorems", "definitions")))
        return answer

    def answer(self) -> dict[str, Any]:
        """The stored answer.

        Raises:
            KernelError: there is none, or it is of other sources.
        """
        try:
            answer = read(self.stored)
        except (OSError, ValueError) as error:
            raise KernelError(f"{self.stored} has no answer of the kernel ({error})") from None
        if answer["digest"] != digest(self.sources()):
            raise KernelError(f"{self.stored} is the kernel's answer to other sources")
        return answer


def formal(name: str, library: Library, *theorems: str, about: About = About.STATEMENT) -> Evidence:
    """Evidence that the kernel has accepted these theorems, on no axioms but :data:`AXIOMS`.

    Args:
        name: what is proved.
        library: where.
        *theorems: together they are the whole statement.
        about: the claim's statement or its correction.

    Returns:
        The evidence.
    """

    def compute(_: Effort) -> Finding:
        try:
            answer = library.answer()
        except KernelError as error:
            return Finding(Outcome.INCONCLUSIVE, f"not checked: {error}: run python -m theory formal")
        pieces = [_piece(theorem, answer) for theorem in theorems]
        refused = [f"{piece['name']}: {piece['detail']}" for piece in pieces if not piece["ok"]]
        if refused:
            return Finding(Outcome.INCONCLUSIVE, f"not proved: {'; '.join(refused)}", pieces)
        detail = f"accepted by the kernel of Rocq {answer['version']}, whose answer to these sources is stored"
        return Finding(Outcome.SUPPORTS, detail, pieces)

    return Evidence(Kind.FORMAL, name, compute, about)


def digest(sources: Mapping[str, str]) -> str:
    """SHA-256 of modules, names and order included."""
    return hashlib.sha256(json.dumps(list(sources.items())).encode()).hexdigest()


def _piece(theorem: str, answer: Mapping[str, Any]) -> dict[str, Any]:
    more = answer["refused"].get(theorem, ())
    known = theorem in answer["theorems"]
    detail = f"rests on {', '.join(more)}" if more else "accepted" if known else "no such theorem"
    ok = known and not more
    piece = {"name": theorem, "tool": f"Rocq {answer['version']}", "ok": ok, "detail": detail}
    return {**piece, "concludes": sorted(_bound(answer["theorems"][theorem]))} if ok else piece


def _bound(statement: str) -> set[str]:
    """The names of the variables over which a statement is, as Rocq prints it."""
    return set(re.findall(r"[A-Za-z]\w*", " ".join(re.findall(r"\(([^():]*):", statement))))


def _compile(folder: Path, name: str, text: str) -> str:
    """Compile a module in a folder and return what it printed."""
    (folder / f"{name}.v").write_text(text, encoding="utf-8")
    command = ["coqc", "-q", "-Q", ".", "Proofs", f"{name}.v"]
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        raise KernelError(f"{name}.v took more than {_SECONDS} s") from None
    if done.returncode:
        raise KernelError(f"{name}.v is refused: {' '.join(done.stderr.split())[:500]}")
    return done.stdout


def _axioms(printed: str) -> list[str]:
    """The names in the answer to ``Print Assumptions``; whatever else is there counts as one, and is then refused."""
    lines = [line for line in printed.splitlines() if line and not line[0].isspace()]
    names = [line.partition(" ")[0] for line in lines if line != "Axioms:"]
    return [] if lines == ["Closed under the global context"] else sorted(names) or ["an answer that cannot be read"]
