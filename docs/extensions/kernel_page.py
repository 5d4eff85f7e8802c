"""The page of the kernel-checked theorems: each statement as the kernel has it, with the axioms that it rests on."""

from pathlib import Path

from theory.rocq import LIBRARY

COMMAND = "python -m theory formal"


def write(folder: Path) -> str:
    """The page's text; it has no pictures."""
    del folder
    answer = LIBRARY.answer()
    said = {name: found for name, found in answer["theorems"].items() if not name.startswith("python_")}
    printed = len(answer["theorems"]) - len(said)
    axioms = sorted({axiom for found in answer["theorems"].values() for axiom in found["axioms"]})
    entries = "\n".join(
        f"## `{name}`\n\nIn words: {LIBRARY.theorems[name]}.\n\n```text\n{name} : {found['statement']}\n```\n\n"
        f"Rests on: {', '.join(found['axioms']) or 'no axiom'}.\n"
        for name, found in said.items()
    )
    return f"""# Theorems that a kernel has checked

{len(said)} theorems are proved in Rocq (version {answer["version"]}), in the `.v` files of `theory/rocq`. Its kernel
has checked every step of every proof. They rest on these axioms of Rocq's real numbers and functions alone:
{", ".join(f"`{axiom}`" for axiom in axioms)}. No proof is left open: an open one would show as a further axiom, and be
refused.

What to read before you believe one is its statement and the definitions in it, not its proof. Two things to know:
probability is finite here (each draw has finitely many outcomes, whose weights may depend on the whole past), and
smoothness enters as its two consequences, the quadratic upper bound and the Lipschitz gradient.

{printed} further statements are printed from the package's own Python: the constants of `theory/theorems/bounds.py`
and the first steps of `theory/method/algorithms.py`, run on symbols. The kernel proves them equal to its own
definitions, so a constant changed in Python is refused.

On Debian, `apt-get install --no-install-recommends coq` brings Rocq. This compiles everything again and compares the
answer with the stored one:

```sh
python -m theory formal --check
```

{entries}"""
