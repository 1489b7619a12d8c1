"""What trackers are told of a cell."""

from dataclasses import replace

import made_up
import pytest

from harness.api.cells import Seeds, Stage
from harness_watchers.tracked import name_of, news_of, plain, run_of, seeds_of, tags_of

PLAN = made_up.plan(2, 2, splits=("test", "rotation-60"))
RECORDS = made_up.records(PLAN)


def first(stage, of=None):
    return next(c for c in PLAN.cells if c.stage == stage and (of is None or c.work.of == of))


def test_scores_and_readings_of_a_run_go_to_the_training_they_are_of():
    assert run_of(first(Stage.FINETUNE)) == first(Stage.FINETUNE).key
    assert run_of(first(Stage.EVALUATE)) == first(Stage.EVALUATE).parents[0]
    assert run_of(first(Stage.MEASURE, "point")) == first(Stage.MEASURE, "point").parents[0]


def test_what_is_of_several_runs_or_of_none_goes_to_no_run():
    assert run_of(first(Stage.MEASURE, "pair")) is None
    assert run_of(first(Stage.PRETRAIN)) is None


def test_a_score_is_named_by_split_and_a_reading_by_metric_value_and_split():
    cell = first(Stage.EVALUATE)
    assert news_of(cell, RECORDS[cell.key]).numbers.keys() == {"test/accuracy", "test/nll"}
    cell = first(Stage.MEASURE, "point")
    numbers = news_of(cell, RECORDS[cell.key]).numbers
    assert "hessian-top/eigenvalue-1/train" in numbers
    assert len(numbers) == 3


def test_settings_are_flat_and_an_offer_stands_by_its_name():
    cell = first(Stage.FINETUNE)
    settings = {"method": {"name": "full", "lr": 0.1}, "model": {"name": "cnn"}}
    record = RECORDS[cell.key].model_copy(update={"settings": settings})

    news = news_of(cell, record)

    assert news.trained
    assert news.settings == {
        "precision": "float32", "method": "full", "method.lr": "0.1", "model": "cnn",
        "init": "pretrained", "batch": "64",
    }  # fmt: skip
    assert news.losses[0] == (0, 2.3)


def test_seeds_name_a_run_as_reports_do():
    cell = replace(first(Stage.FINETUNE), seeds=(Seeds(3, 1, 7),))
    assert name_of(cell) == "pretrained 3/1/7"
    assert seeds_of(cell) == {"seed.pretrain": "3", "seed.finetune": "1", "seed.order": "7"}
    assert name_of(replace(cell, seeds=(Seeds(3, 1, 1),))) == "pretrained 3/1"


def test_tags_say_suite_key_and_plan():
    cell = first(Stage.EVALUATE)
    tags = tags_of(cell, cell.parents[0], PLAN)
    assert tags["seedscape.key"] == cell.parents[0]
    assert (tags["seedscape.suite"], tags["seedscape.plan"]) == ("made-up", PLAN.digest)
    assert tags["seedscape.trial"] == "false"


@pytest.mark.parametrize("name", ["a·b=c", "x[y]", "ä"])
def test_signs_that_trackers_refuse_are_replaced(name):
    assert plain(name).isascii()
    assert not set(plain(name)) & set("·=[]")
