"""The page of the kernel-checked theorems: each statement as the kernel has it, with the axioms that it rests on."""

from pathlib import Path

from theory.rocq import LIBRARY

COMMAND = "python -m theory formal"

DUAL = """{
  "class": "convex",
  "steps": [[1], [1.25, 1]],
  "performance": "final value",
  "initial": "distance",
  "tau": 0.0909092,
  "multipliers": {
    "-1,0": 0.2177548, "-1,1": 0.3081692, "-1,2": 0.4740760, "0,1": 0.2677296, "0,2": 0.1316794,
    "1,0": 0.1109176, "1,2": 0.6163215, "2,0": 0.0707366, "2,1": 0.1513403
  }
}
"""

EXPORT = """import json
from PEPit import PEP
from PEPit.functions import SmoothConvexFunction
from theory.rocq import pepit

pep = PEP()
f = pep.declare_function(SmoothConvexFunction, L=1.0)
x_star, x0 = f.stationary_point(), pep.set_initial_point()
x1 = x0 - f.gradient(x0)
x2 = x1 - f.gradient(x1) - 0.25 * f.gradient(x0)
pep.set_initial_condition((x0 - x_star) ** 2 <= 1)
pep.set_performance_metric(f(x2) - f(x_star))
tau = pep.solve(wrapper="cvxpy", solver="CLARABEL", verbose=0)
dual = pepit.dual(f, [x0, x1, x2], performance="final value", initial="distance", tau=tau)
with open("bound.json", "w") as file:
    json.dump(dual, file)
"""


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
definitions, so a constant changed in Python is refused. The stored certificates of worst cases are printed, too, and
a theorem about each class of functions says that every one of them holds.

On Debian, `apt-get install --no-install-recommends coq` brings Rocq. This compiles everything again and compares the
answer with the stored one:

```sh
python -m theory formal --check
```

## A bound of your own

A solver of performance estimation problems ends with a number and with multipliers of inequalities: a dual. This
command makes a theorem of them:

```sh
python -m theory certify bound.json --out Bound.v
```

It rounds the multipliers to rationals, checks them in exact arithmetic, and, where `coqc` is installed, has the kernel
prove the bound for every function of the class in every dimension, from differentiability, the Lipschitz constant and
convexity alone. Where the rounded multipliers miss the bound by a hair, it looks for others, at a bound larger by one
part in a million, and says so. The exit code is 0 for a proof (without `coqc`: an exact check), 1 for none, 2 for a
file that is no dual. The file is JSON:

```text
{DUAL}```

The method has fixed steps, and the gradient's Lipschitz constant is 1.

- `class`: `smooth`, `convex` (and smooth) or `strongly convex` (and smooth), which needs `mu`, in [0, 1).
- `steps`: row k has the weights of the gradients at x_0 ... x_k in x_0 - x_(k+1).
- `performance`: `final value`, f(x_N) - f\\*; `final gradient`, |grad f(x_N)|²; `smallest gradient`, the least of the
  |grad f(x_k)|², k = 0 ... N. The last may have `shares`, the weights of a mean of them.
- `initial`: `distance`, |x_0 - x\\*|²; `value`, f(x_0) - f\\*; `fall`, f(x_0) - f(x_N). The class `smooth` has no
  minimiser: it needs `fall` and a gradient.
- `tau`: performance ≤ tau · initial.
- `multipliers`: of the inequality between points i and j, under `"i,j"`; -1 is the minimiser. With g the gradient at a
  point and d = x_i - x_j it reads, for the two convex classes,
  f_j - f_i + ⟨g_j, d⟩ + (|g_i - g_j|² + mu |d|² - 2 mu ⟨g_i - g_j, d⟩) / (2 (1 - mu)) ≤ 0, and for `smooth`
  f_j - f_i + ⟨g_i + g_j, d⟩ / 2 + (|g_i - g_j|² - |d|²) / 4 ≤ 0.

Numbers may be rationals as text, such as `"1/3"`. From PEPit:

```python
{EXPORT}```

## Theorems

{theorems}
## Definitions

{definitions}"""
