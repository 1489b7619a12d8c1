"""Metrics of runs that differ in one setting of the method: which cells they get."""

from dataclasses import replace

import pluggy
import pytest

from harness.api.errors import HarnessError
from harness.api.offers import Method, Metric
from harness.api.recipes import Phase, Recipe
from harness.api.settings import Settings
from harness.api.suites import Init, MetricUse, SeedDesign
from harness.plan import expand
from harness.plug import Catalogue, Loaded, Provided


class Rates(Settings):
    lr: float = 0.1
    steps: int = 100
    schedule: str = "constant"


@pytest.fixture
def offers():
    """A method with three settings, one without, and a metric across `lr`."""

    def recipe(settings, outline):
        return Recipe((Phase(steps=10),))

    def never(settings, probe):
        raise AssertionError("a plan measures nothing")

    listed = (
        Method(name="full", about="", settings=Rates, recipe=recipe),
        Method(name="other", about="", settings=Settings, recipe=recipe),
        Metric(
            name="sensitivity", about="", settings=Settings, measure=never, of="group",
            access="id", across="lr",
        ),
        Metric(
            name="words", about="", settings=Settings, measure=never, of="group", access="id",
            across="schedule",
        ),
    )  # fmt: skip
    provided = tuple(Provided(offer, "d", "1", "o", lambda: "x") for offer in listed)
    return Catalogue([Loaded("o", "d", "1", provided, pluggy.PluginManager("harness"))])


@pytest.fixture
def swept(suite, used):
    """Three learning rates, listed out of order, one of them the default; one other method."""
    return replace(
        suite,
        pretrain=None,
        inits=(Init("random", "random"),),
        methods=(
            used("method", "full", "full[lr=0.3]", lr=0.3),
            used("method", "full", "full[lr=0.1]"),
            used("method", "full", "full[lr=0.2]", lr=0.2),
            used("method", "other"),
        ),
        metrics=(MetricUse(used("metric", "sensitivity"), "group", ("test", "rotation-30")),),
        seeds=SeedDesign((0, 1), (0, 1, 2)),
    )


def measured(plan):
    return [cell for cell in plan.cells if cell.stage == "measure"]


def test_every_seeds_has_one_cell_with_a_run_of_every_value_in_rising_order(swept, offers):
    plan = expand(swept, offers)
    runs = {cell.key: cell for cell in plan.cells if cell.stage == "finetune"}

    cells = measured(plan)

    assert len(cells) == 6
    for cell in cells:
        assert cell.work.varied == (0.1, 0.2, 0.3)
        labels = [runs[parent].work.method.label for parent in cell.parents]
        assert labels == ["full[lr=0.1]", "full[lr=0.2]", "full[lr=0.3]"]
        assert {runs[parent].seeds for parent in cell.parents} == {cell.seeds[:1]}
        assert [split.name for split in cell.work.splits] == ["test"]  # what it has access to
    assert {cell.procedure for cell in cells} == {"random · full[lr=*]"}


def test_another_setting_swept_too_makes_a_group_for_each_of_its_values(swept, offers, used):
    methods = [
        used("method", "full", f"full[lr={lr}, steps={steps}]", lr=lr, steps=steps)
        for lr in (0.2, 0.3)
        for steps in (5, 6, 7)
    ]

    cells = measured(expand(replace(swept, methods=tuple(methods)), offers))

    assert len(cells) == 3 * 6
    labels = dict.fromkeys(cell.procedure for cell in cells)
    assert list(labels) == [f"random · full[lr=*, steps={n}]" for n in (5, 6, 7)]


def test_models_and_initialisations_are_never_mixed(swept, offers, used):
    models = (used("model", "cnn"), used("model", "mlp"))
    inits = (Init("random", "random"), Init("mine", "random"))

    plan = expand(replace(swept, models=models, inits=inits[:1]), offers)

    names = {cell.procedure for cell in measured(plan)}
    assert names == {"cnn · random · full[lr=*]", "mlp · random · full[lr=*]"}


def test_methods_with_names_of_their_own_are_listed(swept, offers, used):
    methods = (
        used("method", "full", "slow", lr=0.01),
        used("method", "full", "fast", lr=1.0),
    )

    (label,) = {c.procedure for c in measured(expand(replace(swept, methods=methods), offers))}

    assert label == "random · full[lr=*: slow, fast]"


def test_the_keys_are_those_of_the_runs_and_of_no_label(swept, offers):
    renamed = replace(
        swept,
        methods=tuple(replace(m, label=f"m{n}") for n, m in enumerate(swept.methods)),
    )

    keys = [{cell.key for cell in measured(expand(one, offers))} for one in (swept, renamed)]

    assert keys[0] == keys[1]


def test_a_suite_without_such_runs_is_refused_with_what_to_write(swept, offers):
    single = replace(swept, methods=swept.methods[1:2])

    with pytest.raises(HarnessError, match="differ in the method's lr alone") as caught:
        expand(single, offers)

    assert "sweep" in caught.value.fix


def test_values_that_are_no_numbers_are_refused(swept, offers, used):
    metrics = (MetricUse(used("metric", "words"), "group", ("test",)),)

    with pytest.raises(HarnessError, match="'constant', which is no number"):
        expand(replace(swept, metrics=metrics), offers)
