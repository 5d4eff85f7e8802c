"""One file for all benchmarks of a machine."""

import json

import pytest

from experiments.analysis import benchmarks
from experiments.bench import figure, record, shapes
from experiments.io.errors import ConfigError, DataError
from experiments.report.figures import draw
from tests.experiments.bench.cases import wish


def test_one_file_keeps_the_newest_of_each_kind_and_feeds_the_figures(tmp_path):
    sizes = shapes.tensors(10_000)
    for made in (
        record.make(wish(only=("alto-foreach",), rounds=1)),
        record.make(wish("memory", only=("alto-foreach",), rounds=0)),
        record.make(wish("scaling", only=("alto-foreach",), rounds=1, cases=sizes)),
    ):
        path = benchmarks.write(tmp_path, made)
    newest = record.make(wish(only=("lamb-foreach",), rounds=1))
    assert benchmarks.write(tmp_path, newest) == path == tmp_path / "bench.json"
    stored = benchmarks.read(tmp_path)
    assert set(stored) == {"step", "memory", "scaling"}
    assert stored["step"] == json.loads(json.dumps(newest))
    for bench, report in stored.items():
        for file in draw.write(figure.draw(report), tmp_path, f"bench-{bench}"):
            assert file.stat().st_size > 5_000
    assert not list(tmp_path.glob(".*.tmp"))


@pytest.mark.parametrize("content", ["{", "[]", '{"step": {"format": 0}}', '{"step": 1}'])
def test_a_foreign_file_is_not_overwritten(tmp_path, content):
    (tmp_path / "bench.json").write_text(content)
    with pytest.raises((ConfigError, DataError), match=r"bench\.json is (not from this version|damaged)"):
        benchmarks.write(tmp_path, {"bench": "step", "format": benchmarks.FORMAT})
    assert (tmp_path / "bench.json").read_text() == content
