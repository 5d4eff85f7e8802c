"""What all tests share: one torch thread a process (they run in parallel), and hypothesis without time limits."""

import hypothesis
import pytest
import torch

hypothesis.settings.register_profile("quick", max_examples=40, deadline=None, derandomize=True)
hypothesis.settings.register_profile("thorough", max_examples=1000, deadline=None)
hypothesis.settings.load_profile("quick")


def pytest_configure(config):
    """``--hypothesis-seed`` counts: the quick profile's fixed draws would take no notice of it."""
    if config.getoption("--hypothesis-seed") is not None and not config.getoption("--hypothesis-profile"):
        hypothesis.settings.register_profile("seeded", hypothesis.settings.get_profile("quick"), derandomize=False)
        hypothesis.settings.load_profile("seeded")


@pytest.fixture(autouse=True, scope="session")
def _one_thread():
    torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def _seeded():
    torch.manual_seed(0)
