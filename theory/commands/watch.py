"""``python -m theory watch``: the theorems' assumptions, watched while a small network trains."""

import argparse
import sys

from rich.console import Console

from theory.commands import tables


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Describe the command to the command line."""
    parser = commands.add_parser("watch", help="watch a small network train: measured constants beside the bounds")
    parser.add_argument("--steps", type=steps, default=300, help="length of the training, at least 2")
    parser.add_argument("--optimizer", metavar="NAME", help="module:Class or FILE.py:Class (ALTO, step by step beside "
                        "the paper's recursion)")  # fmt: skip
    parser.add_argument("--kwargs", nargs="+", action="extend", default=[], metavar="KEY=VALUE",
                        help="its arguments, such as lr=.01")  # fmt: skip
    parser.add_argument("--cost", action="store_true",
                        help="measure what theory.watch costs at every=10: CPU time, in pairs")  # fmt: skip
    parser.set_defaults(run=run)


def steps(text: str) -> int:
    """The number of steps, or an error that argparse prints."""
    try:
        count = int(text)
    except ValueError:
        count = 0
    if count < 2:
        raise argparse.ArgumentTypeError(f"{text}: allowed are whole numbers from 2 on; L needs two gradients")
    return count


def run(options: argparse.Namespace) -> int:
    """Watch a training, print the report; exit code 2 for a wrong argument."""
    from theory.commands.shared import errors
    from theory.monitor import demo
    from theory.rates import user_code

    if options.cost:
        return _cost()
    if options.optimizer is None:
        if options.kwargs:
            errors.print("--kwargs is for --optimizer, which was not given")
            return 2
        report, largest_curvature = demo.watched_training(options.steps)
        Console().print(tables.report_table(report, largest_curvature))
        return 0
    try:
        kind = user_code.load(options.optimizer, "--optimizer")
        kwargs = user_code.keywords(options.kwargs)
        with user_code.of(f"training with {options.optimizer}"):
            report = demo.watched(lambda weights: kind(weights, **kwargs), options.steps)
    except (ValueError, user_code.UserCodeError) as error:
        errors.print(str(error))
        return 2
    sys.stdout.write(f"{report}\n")
    return 0


def _cost() -> int:
    from theory.monitor import cost

    for name in cost.NETWORKS:
        one = cost.measure(name)
        ends = f"[{100 * (one.share - one.half):.1f}, {100 * (one.share + one.half):.1f}]"
        Console().print(f"{name}, {one.parameters} parameters, {one.milliseconds:.2f} ms per step with AdamW: "
                        f"{100 * one.share:.1f} % {ends} more", highlight=False, soft_wrap=True)  # fmt: skip
    return 0
