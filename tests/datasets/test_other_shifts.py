import pytest
import torch
import torch.nn.functional as F
from pydantic import ValidationError

from harness.compute.draws import HashDraws
from harness_datasets import harness_shifts
from harness_datasets.shifts.blur import BLUR, BlurSettings
from harness_datasets.shifts.contrast import CONTRAST, ContrastSettings
from harness_datasets.shifts.inversion import INVERSION
from harness_datasets.shifts.occlusion import OCCLUSION, OcclusionSettings
from harness_datasets.shifts.rotation import ROTATION, RotationSettings
from harness_datasets.shifts.scale import SCALE, ScaleSettings
from harness_datasets.shifts.translation import TRANSLATION, TranslationSettings

SHIFTS = {shift.name: shift for shift in harness_shifts()}


@pytest.mark.parametrize("name", SHIFTS)
def test_a_shift_gives_an_example_the_same_result_in_any_batch(photos, draws_of, name):
    shift = SHIFTS[name]
    together = shift.apply(shift.settings(), {"image": photos}, draws_of(range(20)))["image"]
    chosen = [13, 4, 19]
    few = shift.apply(shift.settings(), {"image": photos[chosen]}, draws_of(chosen))["image"]
    assert torch.equal(few, together[chosen])


@pytest.mark.parametrize("name", SHIFTS)
def test_a_shift_changes_images_and_keeps_their_form(photos, draws_of, name):
    shift, before = SHIFTS[name], photos.clone()
    other = torch.ones(20, 3)
    shifted = shift.apply(shift.settings(), {"image": photos, "x": other}, draws_of(range(20)))
    assert shifted["image"].dtype == torch.uint8
    assert shifted["image"].shape == photos.shape
    assert not torch.equal(shifted["image"], photos)
    assert shifted["x"] is other
    assert torch.equal(photos, before)


@pytest.mark.parametrize("name", SHIFTS)
def test_a_shift_of_no_examples_is_empty(name):
    shift, nothing = SHIFTS[name], torch.zeros(0, 1, 8, 8, dtype=torch.uint8)
    draws = HashDraws(0, torch.arange(0))
    assert len(shift.apply(shift.settings(), {"image": nothing}, draws)["image"]) == 0


@pytest.mark.parametrize(
    ("direction", "down", "right"),
    [("right", 0, 3), ("left", 0, -3), ("up", -3, 0), ("down", 3, 0)],
)
def test_a_translation_by_whole_pixels_is_exact(photos, draws_of, direction, down, right):
    settings = TranslationSettings(pixels=3, direction=direction)
    moved = TRANSLATION.apply(settings, {"image": photos}, draws_of(range(20)))["image"]
    framed = F.pad(photos, (3, 3, 3, 3))
    expected = framed[:, :, 3 - down : 15 - down, 3 - right : 15 - right]
    assert torch.equal(moved, expected)


def test_a_translation_along_an_axis_uses_all_four_sides(draws_of):
    image = torch.zeros(60, 1, 7, 7, dtype=torch.uint8)
    image[:, :, 3, 3] = 200
    settings = TranslationSettings(pixels=2)
    moved = TRANSLATION.apply(settings, {"image": image}, draws_of(range(60)))["image"]
    places = {divmod(int(one.flatten().argmax()), 7) for one in moved}
    assert places == {(1, 3), (5, 3), (3, 1), (3, 5)}
    assert (moved.flatten(1).max(dim=1).values == 200).all()


def test_halving_a_square_halves_its_sides(draws_of):
    image = torch.zeros(1, 1, 64, 64, dtype=torch.uint8)
    image[:, :, 16:48, 16:48] = 255
    small = SCALE.apply(ScaleSettings(factor=0.5), {"image": image}, draws_of([0]))["image"]
    expected = torch.zeros_like(image)
    expected[:, :, 24:40, 24:40] = 255
    assert (small.int() - expected.int()).abs().max() <= 128  # the rim is blended
    assert torch.equal(small[:, :, 25:39, 25:39], expected[:, :, 25:39, 25:39])
    assert small[:, :, :23].max() == 0


def test_a_scale_of_one_changes_nothing_and_zero_is_refused(photos, draws_of):
    same = SCALE.apply(ScaleSettings(factor=1), {"image": photos}, draws_of(range(20)))["image"]
    assert torch.equal(same, photos)
    with pytest.raises(ValidationError, match="above 0"):
        ScaleSettings(factor=[0, 1])


def test_blur_is_a_convolution_with_a_gaussian(photos, draws_of):
    at = torch.arange(-4, 5, dtype=torch.float64)
    kernel = torch.exp(-0.5 * at**2)
    kernel = kernel / kernel.sum()
    framed = F.pad(photos.double(), (4, 4, 4, 4), mode="replicate")
    expected = F.conv2d(
        framed.reshape(60, 1, 20, 20), torch.outer(kernel, kernel)[None, None]
    ).reshape(photos.shape)
    found = BLUR.apply(BlurSettings(sigma=1), {"image": photos}, draws_of(range(20)))["image"]
    assert (found.double() - expected).abs().max() <= 0.5 + 1e-3


def test_blur_keeps_the_mean_of_what_lies_in_the_interior(draws_of):
    image = torch.zeros(1, 1, 41, 41, dtype=torch.uint8)
    image[0, 0, 15:26, 15:26] = 240
    found = BLUR.apply(BlurSettings(sigma=2), {"image": image}, draws_of([0]))["image"]
    assert found.double().mean().item() == pytest.approx(image.double().mean().item(), abs=0.05)


def test_blur_of_a_flat_image_and_with_sigma_zero_changes_nothing(photos, draws_of):
    flat = torch.full((2, 1, 9, 9), 77, dtype=torch.uint8)
    blurred = BLUR.apply(BlurSettings(sigma=[1, 3]), {"image": flat}, draws_of(range(2)))["image"]
    assert torch.equal(blurred, flat)
    same = BLUR.apply(BlurSettings(sigma=0), {"image": photos}, draws_of(range(20)))["image"]
    assert torch.equal(same, photos)


def test_contrast_scales_the_distances_from_the_mean(photos, draws_of):
    settings = ContrastSettings(factor=0.5)
    found = CONTRAST.apply(settings, {"image": photos}, draws_of(range(20)))["image"].double()
    mean = photos.double().mean(dim=(2, 3), keepdim=True)
    assert (found - (mean + 0.5 * (photos - mean))).abs().max() <= 0.5 + 1e-3


def test_a_contrast_of_zero_leaves_grey(photos, draws_of):
    found = CONTRAST.apply(ContrastSettings(factor=0), {"image": photos}, draws_of(range(20)))
    assert (found["image"].flatten(2).amax(-1) == found["image"].flatten(2).amin(-1)).all()


def test_an_inversion_undoes_itself(photos, draws_of):
    draws = draws_of(range(20))
    once = INVERSION.apply(INVERSION.settings(), {"image": photos}, draws)
    twice = INVERSION.apply(INVERSION.settings(), once, draws)
    assert torch.equal(once["image"].int() + photos.int(), torch.full_like(photos, 255).int())
    assert torch.equal(twice["image"], photos)


def test_an_occlusion_is_one_square_that_lies_wholly_inside(photos, draws_of):
    settings = OcclusionSettings(size=0.25, value=255)
    found = OCCLUSION.apply(settings, {"image": photos}, draws_of(range(20)))["image"]
    hidden = (found == 255).all(dim=1)
    corners = set()
    for one in hidden:
        rows, columns = one.nonzero(as_tuple=True)
        assert len(rows) == 9
        assert rows.max() - rows.min() == 2
        assert columns.max() - columns.min() == 2
        corners.add((int(rows.min()), int(columns.min())))
    assert len(corners) > 10
    assert torch.equal(found.where(~hidden[:, None], photos), photos)


def test_an_occlusion_of_the_whole_image_leaves_nothing(photos, draws_of):
    found = OCCLUSION.apply(OcclusionSettings(size=1), {"image": photos}, draws_of(range(20)))
    assert not found["image"].any()


def test_a_rotation_of_a_wide_image_keeps_its_proportions(draws_of):
    image = torch.zeros(1, 1, 21, 41, dtype=torch.uint8)
    image[0, 0, 10, 28] = 255  # 8 pixels to the right of the centre
    turned = ROTATION.apply(RotationSettings(degrees=90), {"image": image}, draws_of([0]))["image"]
    assert divmod(int(turned.flatten().argmax()), 41) == (2, 20)  # 8 pixels above it
    assert turned.max() == 255
