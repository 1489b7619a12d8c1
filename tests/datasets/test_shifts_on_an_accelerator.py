import pytest
import torch

from harness.compute.draws import HashDraws
from harness_datasets import harness_shifts


@pytest.mark.gpu
@pytest.mark.parametrize("shift", harness_shifts(), ids=lambda shift: shift.name)
def test_a_shift_gives_the_same_images_on_an_accelerator(photos, shift):
    def shifted(device):
        draws = HashDraws(7, torch.arange(20, device=device))
        return shift.apply(shift.settings(), {"image": photos.to(device)}, draws)["image"].cpu()

    assert (shifted("cuda").int() - shifted("cpu").int()).abs().max() <= 1
