"""``python -m theory bound``: Theorem N for any optimizer with a diagonal preconditioner."""

import argparse
import sys
from typing import Any

from theory.commands.watch import steps

GIVEN = {
    "L": "Lipschitz constant of the gradient",
    "eta": "learning rate in front of Q",
    "q-min": "smallest entry of Q",
    "q-max": "largest entry of Q",
    "gap": "f(theta_1) - inf f",
    "first": "|grad f(theta_1)|^2",
    "variance": "E|g - grad f|^2 of a step's gradient",
    "alpha": "E's alpha",
    "beta1": "E's beta1",
    "beta2": "decay rate of the normalised momentum",
}
FILTER = ("alpha", "beta1", "beta2")


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Describe the command to the command line."""
    parser = commands.add_parser("bound", help="Theorem N with given or measured constants")
    parser.add_argument("optimizer", metavar="NAME", help="module:Class or FILE.py:Class, such as torch.optim:AdamW")
    parser.add_argument("--kwargs", nargs="+", action="extend", default=[], metavar="KEY=VALUE",
                        help="its arguments, such as lr=.01")  # fmt: skip
    parser.add_argument("--steps", type=steps, default=300, help="T, and the length of the measured training")
    for name, meaning in GIVEN.items():
        parser.add_argument(f"--{name}", type=float, metavar="NUMBER", help=f"{meaning}; measured if not given")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print the constants, what was checked and assumed, and the bound; exit code 1 if there is none, 2 for errors."""
    from theory.commands.shared import errors
    from theory.rates import user_code

    try:
        kind = user_code.load(options.optimizer, "--optimizer")
        lines, claimed = _lines(options, kind, user_code.keywords(options.kwargs))
    except (ValueError, user_code.UserCodeError) as error:
        errors.print(str(error))
        return 2
    sys.stdout.write("\n".join(lines) + "\n")
    return 0 if claimed else 1


def _lines(options: argparse.Namespace, kind: type, kwargs: dict) -> tuple[list[str], bool]:
    from theory.method.filters import Filter
    from theory.monitor import demo
    from theory.monitor.bound import bound
    from theory.rates import user_code
    from theory.theorems.bounds import Preconditioner

    given = {name: getattr(options, name.replace("-", "_")) for name in GIVEN}
    with user_code.of(f"training with {options.optimizer}"):
        report = demo.watched(lambda weights: kind(weights, **kwargs), options.steps)
    measured: dict[str, float] = {
        "L": report.L, "gap": report.first_loss, "first": report.first_gradient, "variance": 0.0, "eta": 1.0,
    }  # fmt: skip
    if report.Q:
        measured |= {"q-min": report.Q.smallest, "q-max": report.Q.largest}
    if report.filter:
        measured |= {name: getattr(report.filter, name) for name in FILTER}
    values: dict[str, Any] = {name: value if value is not None else measured.get(name) for name, value in given.items()}
    if missing := [f"--{name}" for name, value in values.items() if value is None]:
        raise ValueError(f"{report.unknown}: give {', '.join(missing)}")
    if (given["q-min"] is None) != (given["q-max"] is None) or (given["eta"] is not None and given["q-min"] is None):
        raise ValueError("--q-min and --q-max go together, and --eta needs both: measured ones contain the rate")
    if not all(0 <= values[name] < 1 for name in ("beta1", "beta2")):
        raise ValueError(f"--beta1 is {values['beta1']} and --beta2 {values['beta2']}: allowed are 0 <= beta < 1")
    F = Filter(*(values[name] for name in FILTER))
    found = bound(
        F, Preconditioner(values["q-min"], values["q-max"]), L=values["L"], eta=values["eta"], T=options.steps,
        gap=values["gap"], first=values["first"], variance=values["variance"],
    )  # fmt: skip
    lines = [f"Theorem N for {options.optimizer}, T = {options.steps}", "", "Constants"]
    for name, meaning in GIVEN.items():
        source = "given" if given[name] is not None else "measured on the tanh network 8-16-1, full batch"
        lines.append(f"  {name:<9}{values[name]:<12.5g}{meaning} ({source})")
    broken = [check for check in report.checks if check.theorem == "Theorem N" and check.first_broken is not None]
    limit = "eta is within its limit"
    broken = [check for check in broken if not check.assumption.startswith(limit)]  # that of these constants is below
    lines += ["", "Checked", f"  {'yes' if found.allowed else 'NO '}  eta = {values['eta']:.4g} <= {found.largest:.4g}"]
    lines += [
        f"  {'NO ' if check in broken else 'yes'}  {check.assumption}"
        for check in report.checks
        if check.theorem == "Theorem N" and not check.assumption.startswith(limit)
    ]
    lines += [
        "", "Assumed, not checked",
        "  each given constant; measured ones hold where the training did not go, too",
        "  the update is theta - eta Q m with diagonal Q between q-min and q-max, and m as alpha and the betas say",
        "  the noise has mean 0 given the past, and at most the variance above; f >= 0 where gap is measured",
        "",
    ]  # fmt: skip
    claimed = found.allowed and not broken
    why = "" if claimed else "not claimed, as a hypothesis above does not hold: "
    return [*lines, f"{why}(1/T) sum E|grad f|^2 <= {found.value:.5g}"], claimed
