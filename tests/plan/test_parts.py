"""Metrics whose work is split: cells of parts, and the cell that joins them."""

from collections import Counter
from dataclasses import replace

import pluggy
import pytest

from harness.api.errors import HarnessError
from harness.api.offers import Method, Metric, Parts
from harness.api.recipes import Phase, Recipe
from harness.api.settings import Settings, setting
from harness.api.suites import Init, MetricUse
from harness.plan import expand, identity_of, key_of
from harness.plan.parts import without_idle
from harness.plug import Catalogue, Loaded, Provided


class Pieces(Settings):
    fine: int = 5
    pieces: int = setting(3, "how many parts", identity=False)


@pytest.fixture
def offers():
    def recipe(settings, outline):
        return Recipe((Phase(steps=10),))

    def never(*given):
        raise AssertionError("a plan measures nothing")

    def count(settings):
        return settings.pieces

    listed = (
        Method(name="full", about="", settings=Settings, recipe=recipe),
        Metric(
            name="plane", about="", settings=Pieces, measure=never, of="pair", access="ood-labels",
            parts=Parts(count=count, measure=never, join=never),
        ),
    )  # fmt: skip
    provided = tuple(Provided(offer, "d", "1", "o", lambda: "x") for offer in listed)
    return Catalogue([Loaded("o", "d", "1", provided, pluggy.PluginManager("harness"))])


@pytest.fixture
def planes(suite, used):
    """Makes the plan's measure and part cells, with some settings of the metric."""

    def make(offers, **settings):
        use = replace(used("metric", "plane", **settings), hidden=("pieces",))
        small = replace(
            suite,
            pretrain=None,
            inits=(Init("random", "random"),),
            methods=(used("method", "full"),),
            metrics=(MetricUse(use, "pair", ("test", "rotation-30"), 2),),
        )
        return expand(small, offers)

    return make


def cells(plan, stage):
    return [cell for cell in plan.cells if cell.stage == stage]


def test_every_subject_has_its_parts_and_one_cell_that_joins_them(planes, offers):
    plan = planes(offers)

    assert Counter(cell.stage.value for cell in plan.cells)["part"] == 2 * 3
    for whole in cells(plan, "measure"):
        parts = [cell for cell in cells(plan, "part") if cell.key in whole.parents]
        assert [cell.work.part for cell in parts] == [0, 1, 2]
        assert all(cell.parents == whole.parents[:2] for cell in parts)
        assert whole.parents[2:] == tuple(cell.key for cell in parts)
        assert whole.work.parts == 3
        assert len(whole.seeds) == 2


def test_one_part_is_no_part(planes, offers):
    plan = planes(offers, pieces=1)

    assert cells(plan, "part") == []
    assert all(len(cell.parents) == 2 for cell in cells(plan, "measure"))


def test_how_the_work_is_split_enters_the_keys_of_parts_and_not_that_of_the_whole(planes, offers):
    split, finer, whole = (planes(offers, pieces=n) for n in (3, 4, 1))

    keys = [[cell.key for cell in cells(plan, "measure")] for plan in (split, finer, whole)]

    assert keys[0] == keys[1] == keys[2]
    assert not {c.key for c in cells(split, "part")} & {c.key for c in cells(finer, "part")}
    other = planes(offers, fine=6)
    assert not {c.key for c in cells(split, "part")} & {c.key for c in cells(other, "part")}


def test_keys_are_those_of_identities(planes, offers):
    for cell in planes(offers).cells:
        assert cell.key == key_of(identity_of(cell))


def test_parts_are_in_vain_once_what_they_belong_to_is_done(planes, offers):
    plan = planes(offers)
    first, second = cells(plan, "measure")
    parts = {whole.key: set(whole.parents[2:]) for whole in (first, second)}
    started = first.parents[2]

    def left_out(done):
        return {c.key for c in plan.cells} - {c.key for c in without_idle(plan, done).cells}

    assert left_out({started}) == set()
    assert left_out({first.key}) == parts[first.key]
    assert left_out({first.key, started}) == parts[first.key] - {started}
    assert left_out({first.key, second.key}) == parts[first.key] | parts[second.key]


@pytest.mark.parametrize("pieces", [0, -1, 10**9])
def test_a_number_of_parts_that_makes_no_sense_is_refused(planes, offers, pieces):
    with pytest.raises(HarnessError, match=r"'plane' wants .* parts"):
        planes(offers, pieces=pieces)
