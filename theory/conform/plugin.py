"""A pytest plugin: the contract of an optimizer that is named on the command line, or in pytest's configuration.

``pytest -p theory.conform.plugin --conform module:Optimizer --conform-kwargs lr=.1`` adds one test per part to those
that are collected. With ``--conform-alone`` no other test runs.
"""

from collections.abc import Sequence
from typing import Any

import pytest

from theory.conform import parts, suite
from theory.rates import user_code


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the plugin's options to pytest's."""
    group = parser.getgroup("conform", "the contract of torch optimizers")
    group.addoption("--conform", action="append", default=[], metavar="MODULE:OPTIMIZER", help="test this optimizer")
    group.addoption("--conform-kwargs", action="append", default=[], metavar="KEY=VALUE", help="its arguments")
    group.addoption(
        "--conform-budget", type=int, metavar="N", help="problems per part (the Hypothesis profile's number)"
    )
    group.addoption("--conform-alone", action="store_true", help="run no other test")
    parser.addini("conform", "optimizers to test, one MODULE:OPTIMIZER KEY=VALUE ... per line", type="linelist")


def pytest_configure(config: pytest.Config) -> None:
    """Refuse a number of problems that is none."""
    budget = config.getoption("--conform-budget")
    if budget is not None and budget < 1:
        raise pytest.UsageError(f"--conform-budget {budget}: must be at least 1")


def pytest_collection_modifyitems(session: pytest.Session, config: pytest.Config, items: list[pytest.Item]) -> None:
    """Add a test per optimizer and part."""
    lines: list[Sequence[str]] = [line.split() for line in config.getini("conform")]
    words = config.getoption("--conform-kwargs") or ()
    lines += [(target, *words) for target in config.getoption("--conform") or ()]
    if config.getoption("--conform-alone"):
        config.hook.pytest_deselected(items=list(items))
        items.clear()
    for target, *words in lines:
        try:
            cls, kwargs = user_code.load(target, "--conform"), user_code.keywords(words)
        except (ValueError, user_code.UserCodeError) as error:
            raise pytest.UsageError(str(error)) from error
        for part in parts.CONTRACT:
            name = f"conform[{target}-{part}]"
            items.append(_Part.from_parent(session, name=name, part=part, make=cls, kwargs=kwargs))


class _Part(pytest.Item):
    """One part of the contract of one optimizer."""

    def __init__(self, *, part: str, make: Any, kwargs: dict[str, Any], **options: Any) -> None:
        super().__init__(**options)
        self.part, self.make, self.kwargs = part, make, kwargs

    def runtest(self) -> None:
        """Run it as the test of :func:`theory.conform.contract` does."""
        budget = self.config.getoption("--conform-budget")
        suite.contract(lambda params: self.make(params, **self.kwargs), budget=budget)(self.part)

    def reportinfo(self) -> tuple[str, None, str]:
        """Where it is: nowhere in a file."""
        return "conform", None, self.name
