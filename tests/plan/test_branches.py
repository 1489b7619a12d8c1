"""Which branches of runs a plan trains, and what their cells are."""

from collections import Counter
from dataclasses import replace
from typing import Any

import pluggy
import pytest

from harness.api.cells import Branch, Limit, TrainWork
from harness.api.errors import HarnessError
from harness.api.offers import Method, Metric
from harness.api.recipes import Phase, Recipe
from harness.api.settings import Settings
from harness.api.suites import Init, MetricUse
from harness.plan import expand, identity_of, key_of
from harness.plug import Catalogue, Loaded, Provided

PINNED = "branch-0b51f231aaba6fc791da3ad903bd7f8a"


class Steps(Settings):
    steps: int = 100


class At(Settings):
    at: tuple[int, ...] = (0, 50)


class Epochs(Settings):
    epochs: float = 1.0


def fork(settings: At, steps: int | None) -> tuple[Branch, ...]:
    return tuple(Branch(step) for step in settings.at)


def halfway(settings: Settings, steps: int | None) -> tuple[Branch, ...]:
    if steps is None:
        raise HarnessError("how long?", fix="say it")
    return (Branch(steps // 2), Branch(steps // 2, 2), Branch(steps // 2))


def backwards(settings: Settings, steps: int | None) -> tuple[Branch, ...]:
    return (Branch(-1),)


def never(*_: object) -> Any:
    raise AssertionError("a plan measures nothing")


@pytest.fixture
def offers(offers: Catalogue) -> Catalogue:
    """Those of all plans, two metrics that ask for branches, and two that ask amiss."""
    seen = {"about": "", "measure": never, "access": "ood-labels"}
    listed = [
        *(p.offer for noun in ("method", "metric") for p in offers.all(noun)),
        Metric(name="fork", of="point", settings=At, branches=fork, **seen),
        Metric(name="halfway", of="point", branches=halfway, **seen),
        Metric(name="backwards", of="point", branches=backwards, **seen),
        Metric(name="numbers", of="point", branches=lambda settings, steps: (3,), **seen),
        Metric(name="broken", of="point", branches=lambda settings, steps: (1 / 0,), **seen),
        Metric(name="forked-pair", of="pair", branches=halfway, **seen),
        Method(
            name="epochs",
            about="",
            settings=Epochs,
            recipe=lambda settings, outline: Recipe((Phase(epochs=settings.epochs),)),
        ),
    ]
    provided = tuple(Provided(offer, "d", "1", "o", lambda: "x") for offer in listed)
    return Catalogue([Loaded("o", "d", "1", provided, pluggy.PluginManager("harness"))])


def asking(suite, used, *names, **settings):
    uses = (MetricUse(used("metric", name, **settings), "point", ("test",)) for name in names)
    return replace(suite, metrics=(*suite.metrics, *uses))


def of_stage(plan, stage):
    return [cell for cell in plan.cells if cell.stage == stage]


def test_every_run_has_the_branches_that_a_metric_asks_for(suite, offers, used):
    plan = expand(asking(suite, used, "fork"), offers)

    branches = of_stage(plan, "branch")
    assert Counter((b.procedure, b.work.branch) for b in branches) == {
        (procedure, Branch(step)): 6 for procedure in ("pretrained", "random") for step in (0, 50)
    }
    runs = {(run.procedure, run.seeds): run for run in of_stage(plan, "finetune")}
    for branch in branches:
        run = runs[branch.procedure, branch.seeds]
        assert replace(branch.work, branch=None) == run.work
        assert (branch.parents, branch.steps) == (run.parents, run.steps)


def test_a_reading_rests_on_the_run_and_then_its_branches_in_order(suite, offers, used):
    plan = expand(asking(suite, used, "fork"), offers)

    cells = {cell.key: cell for cell in plan.cells}
    readings = [c for c in of_stage(plan, "measure") if c.work.metric.name == "fork"]
    assert len(readings) == 12
    for reading in readings:
        run, *branches = (cells[key] for key in reading.parents)
        assert run.stage == "finetune"
        assert tuple(b.work.branch for b in branches) == reading.work.branches
        assert reading.work.branches == (Branch(0), Branch(50))
        assert {b.seeds for b in branches} == {run.seeds} == {reading.seeds}


def test_parents_come_first_and_runs_alone_are_scored(suite, offers, used):
    plan = expand(asking(suite, used, "fork"), offers)

    seen = {}
    for cell in plan.cells:
        assert set(cell.parents) <= seen.keys()
        if cell.stage == "evaluate":
            assert {seen[key] for key in cell.parents} == {"finetune"}
        seen[cell.key] = cell.stage.value
    assert len(seen) == len(plan.cells)


def test_metrics_that_ask_for_the_same_branch_share_it(suite, offers, used):
    one = expand(asking(suite, used, "fork"), offers)
    both = expand(asking(suite, used, "fork", "halfway"), offers)

    assert len(of_stage(one, "branch")) == 12 * 2
    assert len(of_stage(both, "branch")) == 12 * 3  # halfway adds a second copy at 50
    assert {c.key for c in of_stage(one, "branch")} < {c.key for c in of_stage(both, "branch")}


def test_asking_for_branches_changes_no_other_key_and_more_of_them_none_that_is_there(
    suite, offers, used
):
    before = {cell.key for cell in expand(suite, offers).cells}
    few = expand(asking(suite, used, "fork"), offers)
    more = expand(asking(suite, used, "fork", at=[0, 20, 50]), offers)

    assert before < {cell.key for cell in few.cells}
    branches = [{cell.key for cell in of_stage(plan, "branch")} for plan in (few, more)]
    assert branches[0] < branches[1]


def test_the_key_of_a_branch_is_what_it_has_always_been(suite, offers, used):
    first = of_stage(expand(asking(suite, used, "fork"), offers), "branch")[0]

    assert first.key == PINNED
    assert key_of(identity_of(first)) == PINNED
    assert identity_of(first)["branch"] == {"step": 0, "copy": 1}


def test_a_step_beyond_the_end_is_refused_and_means_the_end_in_a_trial(suite, offers, used):
    far = asking(suite, used, "fork", at=[5, 80, 101])
    with pytest.raises(HarnessError, match="'fork': a branch after 101 steps, of a training of 10"):
        expand(far, offers)
    trial = replace(far, limit=Limit(examples=50, steps=10))
    branches = {cell.work.branch for cell in of_stage(expand(trial, offers), "branch")}
    assert branches == {Branch(5), Branch(10)}


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("backwards", "'backwards': asks for .*step=-1.*: a Branch has a step of at least 0"),
        ("numbers", "'numbers': asks for 3: a Branch has a step"),
        ("broken", "'broken': its branches raised ZeroDivisionError: .*; tell its author"),
        ("forked-pair", "'forked-pair': is of a pair, and only metrics of a point have branches"),
    ],
)
def test_a_metric_that_asks_amiss_is_named(suite, offers, used, name, complaint):
    of = "pair" if name == "forked-pair" else "point"
    metric = MetricUse(used("metric", name), of, ("test",))
    with pytest.raises(HarnessError, match=complaint):
        expand(replace(suite, metrics=(metric,)), offers)


def test_a_metric_is_told_where_the_length_of_a_run_is_not_known(suite, offers, used):
    outline = replace(suite.data.outline, train=None)
    unknown = replace(
        asking(suite, used, "halfway"),
        methods=(used("method", "epochs"),),
        data=replace(suite.data, outline=outline),
    )
    with pytest.raises(HarnessError, match="metric 'halfway': how long\\?; say it"):
        expand(unknown, offers)


def test_runs_from_checkpoints_of_their_own_branch_from_these(suite, offers, used, tmp_path):
    for seed in (0, 1):
        (tmp_path / f"{seed}.safetensors").write_bytes(b"%d" % seed)
    given = Init("mine", "checkpoint", str(tmp_path / "{seed}.safetensors"))
    plan = expand(replace(asking(suite, used, "fork"), inits=(given,), pretrain=None), offers)

    starts = {
        stage: {(c.seeds, c.work.checkpoint_digest) for c in of_stage(plan, stage)}
        for stage in ("finetune", "branch")
    }
    assert starts["branch"] == starts["finetune"]
    assert all(isinstance(cell.work, TrainWork) for cell in of_stage(plan, "branch"))
