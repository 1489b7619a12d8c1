import pytest
import torch
from pydantic import ValidationError

from harness.api.errors import HarnessError
from harness_datasets.shifts.block_shuffle import BLOCK_SHUFFLE, BlockShuffleSettings
from harness_datasets.shifts.noise import NOISE, NoiseSettings
from harness_datasets.shifts.rotation import ROTATION, RotationSettings


@pytest.mark.parametrize(("degrees", "quarters"), [(0, 0), (90, 1), (180, 2), (270, 3), (-90, 3)])
def test_a_rotation_by_right_angles_is_exact(photos, draws_of, degrees, quarters):
    turned = ROTATION.apply(
        RotationSettings(degrees=degrees), {"image": photos}, draws_of(range(20))
    )
    assert torch.equal(turned["image"], torch.rot90(photos, quarters, dims=(-2, -1)))


def test_a_rotated_disc_is_the_same_disc(draws_of):
    place = torch.arange(64) - 31.5
    distance = (place[:, None] ** 2 + place[None, :] ** 2).sqrt()
    disc = (255 * torch.sigmoid(20 - distance)).to(torch.uint8)[None, None]
    turned = ROTATION.apply(RotationSettings(degrees=33), {"image": disc}, draws_of([0]))
    assert (turned["image"].int() - disc.int()).abs().max() <= 8


def test_a_small_rotation_goes_counter_clockwise(draws_of):
    image = torch.zeros(1, 1, 41, 41, dtype=torch.uint8)
    image[0, 0, 20, 36] = 255  # to the right of the centre, 16 pixels away
    turned = ROTATION.apply(RotationSettings(degrees=30), {"image": image}, draws_of([0]))
    row, column = divmod(int(turned["image"].flatten().argmax()), 41)
    assert abs(row - (20 - 16 * 0.5)) <= 0.5
    assert abs(column - (20 + 16 * 3**0.5 / 2)) <= 0.5


def test_a_range_of_degrees_is_drawn_per_example_and_never_depends_on_the_batch(photos, draws_of):
    settings = RotationSettings(degrees=[20, 70])
    together = ROTATION.apply(settings, {"image": photos}, draws_of(range(20)))["image"]
    alone = ROTATION.apply(settings, {"image": photos[7:8]}, draws_of([7]))["image"]
    assert torch.equal(together[7:8], alone)
    same = photos[:1].expand(20, -1, -1, -1)
    spread = ROTATION.apply(settings, {"image": same}, draws_of(range(20)))["image"]
    assert len(spread.flatten(1).unique(dim=0)) == 20


def test_a_range_must_go_from_low_to_high():
    with pytest.raises(ValidationError, match="low to high"):
        RotationSettings(degrees=[70, 20])


def test_noise_has_the_standard_deviation_that_was_asked_for(draws_of):
    grey = torch.full((50, 1, 32, 32), 128, dtype=torch.uint8)
    noisy = NOISE.apply(NoiseSettings(sd=0.1), {"image": grey}, draws_of(range(50)))["image"]
    error = noisy.double() / 255 - 128 / 255
    # 51,200 draws: the standard error of the standard deviation is 0.1 / sqrt(102,400) = 0.0003.
    assert error.std().item() == pytest.approx(0.1, abs=0.0012)
    assert error.mean().item() == pytest.approx(0, abs=0.002)


def test_noise_stays_within_the_range_of_a_pixel(draws_of):
    white = torch.full((4, 1, 8, 8), 255, dtype=torch.uint8)
    noisy = NOISE.apply(NoiseSettings(sd=0.3), {"image": white}, draws_of(range(4)))["image"]
    assert noisy.dtype == torch.uint8
    assert (noisy == 255).double().mean().item() == pytest.approx(0.5, abs=0.15)


def test_noise_cannot_be_negative():
    with pytest.raises(ValidationError, match="negative"):
        NoiseSettings(sd=-0.1)


def test_a_block_shuffle_permutes_whole_blocks(photos, draws_of):
    shuffled = BLOCK_SHUFFLE.apply(
        BlockShuffleSettings(grid=3), {"image": photos}, draws_of(range(20))
    )["image"]
    for before, after in zip(photos, shuffled, strict=True):
        blocks = [before[:, r : r + 4, c : c + 4] for r in (0, 4, 8) for c in (0, 4, 8)]
        moved = [after[:, r : r + 4, c : c + 4] for r in (0, 4, 8) for c in (0, 4, 8)]
        found = [next(i for i, b in enumerate(blocks) if torch.equal(b, m)) for m in moved]
        assert sorted(found) == list(range(9))
    assert not torch.equal(shuffled, photos)


def test_a_block_shuffle_into_one_block_changes_nothing(photos, draws_of):
    settings = BlockShuffleSettings(grid=1)
    same = BLOCK_SHUFFLE.apply(settings, {"image": photos}, draws_of(range(20)))["image"]
    assert torch.equal(same, photos)


def test_a_grid_that_does_not_divide_the_image_is_refused(photos, draws_of):
    with pytest.raises(HarnessError, match="12 x 12 pixels cannot be cut into 5 x 5"):
        BLOCK_SHUFFLE.apply(BlockShuffleSettings(grid=5), {"image": photos}, draws_of(range(20)))


def test_an_image_shift_needs_an_image(draws_of):
    with pytest.raises(HarnessError, match="needs an image input"):
        NOISE.apply(NoiseSettings(), {"x": torch.zeros(2, 3)}, draws_of(range(2)))
