"""The bytes that each method must move."""

import pytest

from experiments.bench.contestants import CONTESTANTS


@pytest.mark.parametrize(
    ("name", "bytes_a_parameter"),
    [
        ("alto-single", 48),
        ("alto-foreach", 48),
        ("alto-fused", 48),
        ("lamb-foreach", 40),
        ("lamb-fused", 40),
        ("e-adamw-foreach", 44),
        ("e-adamw-fused", 44),
        ("adamw-foreach", 28),
        ("adamw-fused", 28),
        ("po-lamb", 40),
        ("po-adan", 44),
        ("official-alto", 48),
        ("official-e-adamw", 44),
        ("copy", 8),
        ("in-place", 8),
    ],
)
def test_bytes_that_a_method_must_move(name, bytes_a_parameter):
    assert CONTESTANTS[name].traffic.bytes == bytes_a_parameter


def test_every_contestant_has_a_byte_model_above():
    assert len(CONTESTANTS) == 15
