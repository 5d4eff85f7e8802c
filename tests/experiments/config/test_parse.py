from dataclasses import dataclass, field
from typing import Literal

import pytest

from experiments.config.parse import build
from experiments.io.errors import ConfigError, require


@dataclass(frozen=True)
class Inner:
    size: int = 1

    def __post_init__(self):
        require(self.size > 0, "size", self.size, "above 0")


@dataclass(frozen=True)
class Outer:
    name: str
    rate: float = 1.0
    mode: Literal["on", "off"] | int = "on"
    flag: bool = False
    sizes: tuple[int, ...] = ()
    inner: Inner = field(default_factory=Inner)
    more: dict[str, Inner] = field(default_factory=dict)


def test_builds_nested_values():
    table = {"name": "x", "rate": 2, "mode": 3, "sizes": [1, 2], "inner": {"size": 4}, "more": {"a": {"size": 5}}}
    assert build(Outer, table) == Outer("x", 2.0, 3, False, (1, 2), Inner(4), {"a": Inner(5)})
    assert type(build(Outer, table).rate) is float


@pytest.mark.parametrize(
    ("table", "key", "words"),
    [
        pytest.param({"name": "x", "nmae": 1}, "nmae", "unknown key", id="unknown"),
        pytest.param({}, "name", "missing", id="missing"),
        pytest.param({"name": 1}, "name", "a string", id="int-for-str"),
        pytest.param({"name": "x", "rate": "2"}, "rate", "a number", id="str-for-float"),
        pytest.param({"name": "x", "rate": True}, "rate", "a number", id="bool-for-float"),
        pytest.param({"name": "x", "flag": 1}, "flag", "true or false", id="int-for-bool"),
        pytest.param({"name": "x", "mode": "maybe"}, "mode", "'on' or 'off' or an integer", id="literal"),
        pytest.param({"name": "x", "mode": True}, "mode", "'on' or 'off' or an integer", id="bool-for-int"),
        pytest.param({"name": "x", "sizes": [1, 2.5]}, "sizes[1]", "an integer", id="inside-list"),
        pytest.param({"name": "x", "sizes": 1}, "sizes", "a list", id="no-list"),
        pytest.param({"name": "x", "inner": {"sise": 1}}, "inner.sise", "unknown key", id="nested-unknown"),
        pytest.param({"name": "x", "inner": 3}, "inner", "a table", id="no-table"),
        pytest.param({"name": "x", "more": {"a": {"size": 0}}}, "more.a.size", "above 0", id="nested-range"),
    ],
)
def test_refuses_by_name(table, key, words):
    with pytest.raises(ConfigError) as caught:
        build(Outer, table)
    assert caught.value.key == key
    assert words in caught.value.problem
