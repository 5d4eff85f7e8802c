import importlib.util
import os
import subprocess

import pytest
import torch

from experiments.io import environment
from experiments.io.cores import cores


@pytest.fixture
def uncached():
    environment.versions.cache_clear()
    yield
    environment.versions.cache_clear()


def git(folder, *words):
    identity = ["-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", *identity, "-C", str(folder), *words], check=True, capture_output=True)


@pytest.fixture
def repository(tmp_path):
    git(tmp_path, "init")
    (tmp_path / "file").write_text("one", encoding="utf-8")
    git(tmp_path, "add", "file")
    git(tmp_path, "commit", "-m", "first")
    return tmp_path


def test_without_a_git_program_the_commit_is_unknown_and_nothing_fails(monkeypatch, tmp_path, uncached):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert environment.versions()["commit"] == "unknown"


@pytest.mark.parametrize("failure", [PermissionError("git"), subprocess.TimeoutExpired("git", 30)])
def test_a_git_that_fails_makes_the_commit_unknown(monkeypatch, uncached, failure):
    def failing(*_, **__):
        raise failure

    monkeypatch.setattr(subprocess, "run", failing)
    assert environment.versions()["commit"] == "unknown"


def test_the_commit_of_a_repository_is_told_and_that_a_file_was_edited(repository):
    clean = environment.commit(repository)
    assert len(clean) == 12
    (repository / "file").write_text("two", encoding="utf-8")
    assert environment.commit(repository) == f"{clean}-dirty"


def test_the_commit_is_that_of_the_beginning_and_not_one_made_during_the_training(monkeypatch, uncached, tmp_path):
    monkeypatch.setattr(environment, "commit", lambda: "loaded")
    environment.Environment(tmp_path).prepare()
    monkeypatch.setattr(environment, "commit", lambda: "later")
    assert environment.versions()["commit"] == "loaded"


def test_a_repository_around_an_installed_copy_is_not_taken_for_this_code(repository, tmp_path_factory):
    inside = repository / "site-packages"
    inside.mkdir()
    assert environment.commit(inside) == "unknown"
    assert environment.commit(tmp_path_factory.mktemp("none")) == "unknown"


def test_the_variables_that_git_sets_for_hooks_do_not_name_another_repository(
    repository, monkeypatch, tmp_path_factory
):
    other = tmp_path_factory.mktemp("other")
    monkeypatch.setenv("GIT_DIR", str(repository / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(other))
    assert environment.commit(other) == "unknown"


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system has no affinity of processes")
def test_only_the_cores_that_this_process_may_use_are_counted():
    allowed = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {min(allowed)})
        assert cores() == 1
    finally:
        os.sched_setaffinity(0, allowed)
    assert cores() == len(allowed)


def test_float32_means_float32(tmp_path):
    cudnn, products = torch.backends.cudnn, torch.backends.cuda.matmul
    before = cudnn.allow_tf32, products.allow_tf32
    try:
        cudnn.allow_tf32 = products.allow_tf32 = True
        environment.Environment(tmp_path).prepare()
        assert (cudnn.allow_tf32, products.allow_tf32) == (False, False)
    finally:
        cudnn.allow_tf32, products.allow_tf32 = before


def test_a_row_names_the_processor_its_vector_instructions_and_the_engine(monkeypatch, tmp_path):
    lines = "processor : 0\nmodel name : AMD EPYC\ncpu family : 25\nmodel : 17\nflags : fpu avx512_bf16 avx fma\n"
    (tmp_path / "cpuinfo").write_text(lines, encoding="utf-8")
    monkeypatch.setattr(environment, "Path", lambda _: tmp_path / "cpuinfo")
    for cached in (environment._cpu, environment._processor):
        monkeypatch.setattr(environment, cached.__name__, cached.__wrapped__)
    found = environment.hardware(environment.Environment(tmp_path, device="cpu"), 1)
    assert found["name"] == "AMD EPYC, family 25, model 17"
    assert found["flags"] == "avx avx512_bf16 fma"
    fused = importlib.util.find_spec("numba") is not None
    assert found["engine"] == ("cpu" if fused else "blocked")
