"""One thread, so that sums round alike; a workbench that all tests here share."""

import pytest
import torch
from training_scene import open_bench


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def bench(tmp_path_factory):
    return open_bench(tmp_path_factory.mktemp("bench"))
