"""Text on a device that wants aligned batches."""

import torch

from harness.api.texts import Tokens
from harness.compute.packed import Packed


def test_no_batch_is_filled_up_beyond_the_longest_text_of_the_split():
    """A model may have positions for no more: 13 is not to become 16."""
    tokens = Tokens({"input_ids": torch.arange(18)}, torch.tensor([0, 5, 18]))
    packed = Packed.on(torch.device("meta"), tokens)  # a stand-in for any device but the CPU
    short, all_ = packed.padded(torch.tensor([0])), packed.padded(slice(None))
    assert short["input_ids"].shape == (1, 8) and all_["input_ids"].shape == (2, 13)
