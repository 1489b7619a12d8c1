"""What was much is given back at once, in circles too; what was little is left to Python."""

import gc
import weakref

import pytest
from torch import nn

from harness.compute.letting_go import MUCH, let_go


@pytest.mark.parametrize(("size", "gone"), [(MUCH, True), (MUCH - 1, False)])
def test_a_module_in_a_circle_goes_where_it_was_large(size, gone):
    gc.disable()
    try:
        module = nn.Linear(2, 2)
        module.register_forward_hook(lambda *_, own=module: None)
        seen = weakref.ref(module)
        del module
        let_go(size)
        assert (seen() is None) is gone
    finally:
        gc.enable()
