import math

import pytest
import torch
from torch import nn

from harness.api.errors import HarnessError
from harness.measure.scene import Objective
from harness.testing.scenes import LOSS_ITSELF, World
from harness_landscape.wise_curve import WISE_CURVE, WiseCurveSettings


class Way(nn.Module):
    """Its output is its only weight."""

    def __init__(self):
        super().__init__()
        self.w = nn.Parameter(torch.zeros(1, dtype=torch.float64))

    def forward(self, x):
        return self.w.sum()


def chances(error_of):
    """Error and loss of an example are a function of the weight and of the example's number."""

    def losses(out, y):
        return error_of(out, y) + 0 * out

    return Objective(losses=losses, errors=losses)


def world(objective, test, ood):
    splits = {
        name: (torch.zeros(len(y), 1).double(), y.double())
        for name, y in (("train", test), ("test", test), ("ood-far", ood))
    }
    runs = {"a/init": {"w": torch.zeros(1).double()}, "a": {"w": torch.ones(1).double()}}
    return World(Way(), splits, runs, objective)


def curves(in_domain, out_of_domain):
    """Error curves in closed form: targets of the test split are 0, of the OOD split 1."""
    objective = chances(
        lambda a, y: torch.where(y == 0, in_domain(a) + 0 * y, out_of_domain(a) + 0 * y)
    )
    return world(objective, torch.zeros(4), torch.ones(5))


def values(reading, split="ood-far"):
    return {value.name: value.value for value in reading.values if value.split == split}


def test_a_parabola_of_ood_errors_gains_in_the_middle():
    scene = curves(lambda a: 1 - a, lambda a: 1 - 4 * a * (1 - a))
    reading = scene.read(WISE_CURVE, ["a"])
    assert values(reading)["middle-gain-error"] == pytest.approx(1.0)
    assert values(reading)["middle-gain-loss"] == pytest.approx(1.0)
    assert values(reading, "test")["middle-gain-error"] == pytest.approx(-0.5)


@pytest.mark.parametrize("steps", [10, 100])
def test_the_area_under_a_parabola_is_two_thirds(steps):
    scene = curves(lambda a: 1 - a, lambda a: 1 - 4 * a * (1 - a))
    found = values(scene.read(WISE_CURVE, ["a"], WiseCurveSettings(steps=steps)))
    assert found["area-error"] == pytest.approx(2 / 3 * (1 - 1 / steps**2))  # of the polygon


@pytest.mark.parametrize("in_domain", [lambda a: 1 - a, lambda a: a], ids=["better", "worse"])
@pytest.mark.parametrize("bend", [0.3, -0.3, 0.0])
def test_the_area_is_positive_where_the_curve_lies_above_its_chord(in_domain, bend):
    scene = curves(in_domain, lambda a: 0.5 + 0.2 * a - bend * a * (1 - a))
    found = values(scene.read(WISE_CURVE, ["a"]))
    assert found["area-error"] == pytest.approx(bend * (1 - 1 / 100) / 6, abs=1e-12)


def test_a_straight_line_has_no_area_and_no_gain():
    scene = curves(lambda a: 0.8 - 0.5 * a, lambda a: 0.7 - 0.1 * a)
    found = values(scene.read(WISE_CURVE, ["a"]))
    assert found["area-error"] == pytest.approx(0, abs=1e-12)
    assert found["middle-gain-error"] == pytest.approx(-0.05)
    assert found["chosen-gain-error"] == 0.0


def test_a_curve_that_ends_where_it_began_in_domain_has_no_side():
    scene = curves(lambda a: 0.5 + 0 * a, lambda a: 0.7 - 0.1 * a)
    assert math.isnan(values(scene.read(WISE_CURVE, ["a"]))["area-error"])


def test_alpha_is_chosen_in_domain_and_never_on_ood():
    scene = curves(lambda a: (a - 0.7) ** 2, lambda a: (a - 0.2) ** 2)
    reading = scene.read(WISE_CURVE, ["a"])
    assert values(reading, "test")["chosen-alpha"] == 0.7
    assert values(reading)["chosen-gain-error"] == pytest.approx(0.64 - 0.25)
    assert reading.protocol["chosen_on"] == "test"


def test_of_equally_good_alphas_the_one_nearest_to_the_end_is_chosen():
    scene = curves(lambda a: torch.where(a < 0.35, 0.5, 0.2), lambda a: a)
    assert values(scene.read(WISE_CURVE, ["a"]), "test")["chosen-alpha"] == 1.0


def test_without_an_ood_split_there_is_a_curve_and_the_middle_but_no_area():
    scene = curves(lambda a: 1 - a, lambda a: a)
    splits = {name: data for name, data in scene.splits.items() if name != "ood-far"}
    reading = World(scene.module, splits, scene.runs, scene.objective).read(WISE_CURVE, ["a"])
    names = {value.name for value in reading.values}
    assert {"middle-gain-loss", "middle-gain-error", "chosen-alpha", "lerp-loss"} <= names
    assert not {"area-error", "chosen-gain-error"} & names
    assert reading.protocol["access"] == "id"


def test_the_curves_run_from_the_start_to_the_end_of_training():
    scene = curves(lambda a: 1 - a, lambda a: a)
    reading = scene.read(WISE_CURVE, ["a"])
    assert reading.curves[0].x == pytest.approx([n / 10 for n in range(11)])
    assert reading.curves[0].y["error"] == pytest.approx([1 - n / 10 for n in range(11)])
    assert reading.protocol["start"] == "random initialisation"
    scene.runs["a/pretrained"] = scene.runs["a/init"]
    assert scene.read(WISE_CURVE, ["a"]).protocol["start"] == "pretrained"


def test_a_run_whose_start_is_not_known_is_refused_in_words():
    scene = curves(lambda a: a, lambda a: a)
    del scene.runs["a/init"]
    with pytest.raises(HarnessError, match="initial weights"):
        scene.read(WISE_CURVE, ["a"])


@pytest.mark.parametrize("steps", [1, 3, 0])
def test_the_middle_is_always_on_the_line(steps):
    with pytest.raises(ValueError, match="steps"):
        WiseCurveSettings(steps=steps)


def test_reported_standard_errors_agree_with_the_spread_over_samples():
    """Errors are coins that example i throws once: wrong at every a where p(a) exceeds its y."""
    generator = torch.Generator().manual_seed(4)

    def in_domain(a):
        return 0.6 - 0.4 * a

    def out_of_domain(a):
        return 0.7 - 0.2 * a - 0.8 * a * (1 - a)

    def error_of(a, y):  # OOD examples are numbered from 2 on
        return torch.where(y < 1, (y < in_domain(a)) * 1.0, (y - 2 < out_of_domain(a)) * 1.0)

    found: dict[str, list[tuple[float, float]]] = {}
    for _ in range(120):
        test, ood = (torch.rand(200, generator=generator).double() for _ in range(2))
        reading = world(chances(error_of), test, 2 + ood).read(WISE_CURVE, ["a"])
        for value in reading.values:
            if value.split == "ood-far":
                found.setdefault(value.name, []).append((value.value, value.standard_error))
    exact = {"middle-gain-error": 0.5 - 0.4, "chosen-gain-error": 0.0}
    exact["area-error"] = 0.4 * 0.8 * (1 - 1 / 100) / 6
    for name, mean in exact.items():
        numbers, errors = torch.tensor(found[name]).double().T
        spread = numbers.std().item()
        assert abs(numbers.mean().item() - mean) <= 4 * spread / 120**0.5 + 1e-12
        assert errors.mean().item() == pytest.approx(spread, rel=0.3, abs=1e-12)


def test_readings_do_not_depend_on_the_pack():
    scene = curves(lambda a: (a - 0.7) ** 2, lambda a: a)
    shared = scene.shared()
    first, second = (scene.read(WISE_CURVE, ["a"], shared=shared) for _ in range(2))
    assert first.values == second.values == scene.read(WISE_CURVE, ["a"]).values


def test_a_diverged_run_gives_no_number_and_no_exception():
    scene = World(
        Way(),
        curves(lambda a: a, lambda a: a).splits,
        {"a/init": {"w": torch.zeros(1).double()}, "a": {"w": torch.full((1,), math.nan).double()}},
        LOSS_ITSELF,
    )
    reading = scene.read(WISE_CURVE, ["a"])
    assert all(math.isnan(value.value) for value in reading.values)  # its error is 1, as beside it


def test_barriers_between_start_and_end_are_read_on_either_domain():
    """In-domain the error falls in a straight line, OOD it rises to .5 in between."""
    scene = curves(lambda a: 1 - a, lambda a: 2 * a * (1 - a))
    reading = scene.read(WISE_CURVE, ["a"])
    assert values(reading, "test")["lerp-error"] == pytest.approx(0)
    assert values(reading, "test")["frankle-error"] == pytest.approx(0.5)
    assert values(reading)["lerp-error"] == pytest.approx(0.5)
    assert values(reading)["frankle-error"] == pytest.approx(0.5)
