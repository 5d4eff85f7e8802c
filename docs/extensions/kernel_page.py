"""The page of the kernel-checked theorems: each statement as the kernel has it, with the axioms that it rests on."""

from pathlib import Path

from theory.rocq import LIBRARY

COMMAND = "python -m theory formal"


def write(folder: Path) -> str:
    """The page's text; it has no pictures."""
    del folder
    answer = LIBRARY.answer()
    said = {name: text for name, text in answer["theorems"].items() if not name.startswith("python_")}
    printed = len(answer["theorems"]) - len(said)
    axioms = ", ".join(f"`{axiom}`" for axiom in answer["axioms"])
    theorems = "\n".join(
        f"### `{name}`\n\nIn words: {LIBRARY.theorems[name]}.\n\n```text\n{name} : {text}\n```\n"
        for name, text in said.items()
    )
    definitions = "\n".join(f"```text\n{text}\n```\n" for text in answer["definitions"].values())
    return f"""# Theorems that a kernel has checked

{len(said)} theorems are proved in Rocq (version {answer["version"]}), in the `.v` files of `theory/rocq`. Its kernel
has checked every step of every proof. They rest on these axioms of Rocq's real numbers and functions alone:
{axioms}. No proof is left open: an open one would show as a further axiom, and be refused. The law of the excluded
middle is not used.

What to read before you believe one is its statement and the [definitions](#definitions) in it, not its proof. Two
things to know. Probability is finite here: each draw has finitely many outcomes, whose weights may depend on the whole
past. A vector is a function of an index, of which the first `n` count.

{printed} further statements are printed from the package's own Python: the constants of `theory/theorems/bounds.py`
and the first steps of `theory/method/algorithms.py`, run on symbols. The kernel proves them equal to its own
definitions, so a constant changed in Python is refused.

On Debian, `apt-get install --no-install-recommends coq` brings Rocq. This compiles everything again and compares the
answer with the stored one:

```sh
python -m theory formal --check
```

## Theorems

{theorems}
## Definitions

{definitions}"""
