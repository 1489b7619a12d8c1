"""Keys are pinned: whoever changes one throws away everybody's stored work, and must mean it."""

from dataclasses import replace

from harness.api.cells import Limit, SplitUse
from harness.api.suites import Init, MetricUse
from harness.plan import expand, identity_of, key_of, predictions_prefix

PINNED = {
    "pretrain": "pretrain-1a995ca4d7c077f788a5b133405b7ae6",
    "finetune": "finetune-d20018dd8417cdfd6083bccff11c9bd5",
    "evaluate": "evaluate-b508ac674fd582b154d1311f-fcf3d717",
    "measure": "measure-9c76103452017e7fad4952d5f4d29d3a",
}


def keys_of(suite, offers, **more):
    return [cell.key for cell in expand(suite, offers, **more).cells]


def test_keys_are_what_they_have_always_been(suite, offers):
    cells = expand(suite, offers).cells

    first = {cell.stage.value: cell.key for cell in reversed(cells)}
    assert first == PINNED


def test_the_plan_as_a_whole_is_what_it_has_always_been(suite, offers):
    assert expand(suite, offers).digest == "dcc98760c473623bbfc343a92bd17084"


def test_a_key_is_the_hash_of_the_identity(suite, offers, used):
    suite = replace(
        suite,
        seeds=replace(suite.seeds, order=(0, 7), design="nested"),
        limit=Limit(examples=100, steps=5),
        metrics=(
            *suite.metrics,
            MetricUse(used("metric", "hessian"), "point", ("test",)),
            MetricUse(used("metric", "spread"), "group", ("test",)),
        ),
    )

    for cell in expand(suite, offers).cells:
        assert key_of(identity_of(cell)) == cell.key


def test_an_identity_is_plain_json_with_everything_that_counts(suite, offers):
    identities = {c.stage.value: identity_of(c) for c in reversed(expand(suite, offers).cells)}

    assert identities["finetune"] == {
        "stage": "finetune",
        "engine": 1,
        "precision": "float32",
        "model": {"name": "cnn", "digest": "source-of-cnn", "settings": {"width": 8}},
        "method": {"name": "full", "digest": "source-of-full"},
        "train": {
            "dataset": {"name": "digits", "digest": "source-of-digits"},
            "fingerprint": "bytes-1",
            "source": "train",
        },
        "batch": 64,
        "init": "pretrained",
        "parents": [PINNED["pretrain"]],
        "seeds": {"finetune": 0},
    }


def test_words_for_readers_are_in_no_key(suite, offers):
    (model,), (method,) = suite.models, suite.methods
    (metric,) = suite.metrics
    renamed = replace(
        suite,
        title="Another title",
        text="another: text",
        sources=("https://example.org",),
        without=("some-plugin",),
        plugins=("./here.py",),
        models=(replace(model, label="small"),),
        methods=(replace(method, label="everything"),),
        inits=(Init("from scratch", "random"), Init("warm", "pretrained"))[::-1],
        metrics=(replace(metric, use=replace(metric.use, label="bump")),),
        primary=replace(suite.primary, ood=()),
    )

    assert keys_of(renamed, offers) == keys_of(suite, offers)


def test_hidden_settings_are_in_no_key(suite, offers):
    def at(folder):
        def moved(split: SplitUse) -> SplitUse:
            dataset = replace(split.dataset, settings={"path": folder}, hidden=("path",))
            return replace(split, dataset=dataset)

        data = replace(
            suite.data,
            train=moved(suite.data.train),
            splits=tuple(moved(split) for split in suite.data.splits),
        )
        return replace(suite, data=data)

    assert keys_of(at("/here"), offers) == keys_of(at("/there"), offers)
    assert keys_of(at("/here"), offers) == keys_of(suite, offers)


def test_files_that_a_model_or_a_score_names_are_in_its_keys(suite, offers):
    (model,), scores = suite.models, suite.scores
    read = replace(suite, models=(replace(model, fingerprint="words-1"),))
    scored = replace(suite, scores=(replace(scores[0], fingerprint="script-1"), *scores[1:]))

    before = keys_of(suite, offers)
    assert not set(before) & set(keys_of(read, offers))
    for old, new in zip(before, keys_of(scored, offers), strict=True):
        assert (old == new) is not old.startswith("evaluate")


def test_the_order_of_settings_is_in_no_key(suite, offers, used):
    one = replace(suite, models=(used("model", "cnn", width=8, depth=2),))
    two = replace(suite, models=(used("model", "cnn", depth=2, width=8),))

    assert keys_of(one, offers) == keys_of(two, offers)


def test_renaming_a_split_keeps_its_predictions(suite, offers):
    test, turned = suite.data.splits
    renamed = replace(suite.data, splits=(test, replace(turned, name="turned", parent="test")))

    assert keys_of(replace(suite, data=renamed), offers) == keys_of(suite, offers)


def test_more_seeds_splits_or_metrics_change_no_key(suite, offers, used):
    before = set(keys_of(suite, offers))
    noise = replace(suite.data.splits[1], name="noise", by=(used("shift", "noise", sd=0.3),))
    point = MetricUse(used("metric", "hessian"), "point", ("test",))

    for more in (
        replace(suite, seeds=replace(suite.seeds, pretrain=(0, 1, 2))),
        replace(suite, seeds=replace(suite.seeds, finetune=(3, 0, 1, 2))),
        replace(suite, data=replace(suite.data, splits=(*suite.data.splits, noise))),
        replace(suite, metrics=(*suite.metrics, point)),
        replace(suite, methods=(*suite.methods, used("method", "full", "long", steps=900))),
        replace(suite, models=(*suite.models, used("model", "mlp"))),
    ):
        after = set(keys_of(more, offers))
        assert before < after


def test_another_score_changes_evaluate_keys_alone_and_keeps_their_predictions(suite, offers, used):
    more = replace(suite, scores=(*suite.scores, used("score", "nll")))

    before, after = keys_of(suite, offers), keys_of(more, offers)

    for old, new in zip(before, after, strict=True):
        if old.startswith("evaluate"):
            assert old != new
            assert predictions_prefix(old) == predictions_prefix(new)
        else:
            assert old == new


def test_the_order_of_scores_is_in_no_key_but_a_label_is(suite, offers, used):
    one, two = used("score", "accuracy"), used("score", "nll")
    renamed = used("score", "nll", "log loss")

    before = keys_of(replace(suite, scores=(one, two)), offers)

    assert keys_of(replace(suite, scores=(two, one)), offers) == before
    after = keys_of(replace(suite, scores=(one, renamed)), offers)
    changed = {old for old, new in zip(before, after, strict=True) if old != new}
    assert changed == {key for key in before if key.startswith("evaluate")}


def test_what_changes_a_result_changes_the_key_of_the_training_and_of_all_its_children(
    suite, offers, used
):
    before = set(keys_of(suite, offers))
    data = suite.data
    train = replace(data.train, fingerprint="bytes-2")
    augment = (used("shift", "translation", pixels=1),)

    for changed in (
        replace(suite, models=(used("model", "cnn", width=9),)),
        replace(suite, models=(replace(suite.models[0], digest="edited"),)),
        replace(suite, limit=Limit(examples=100)),
        replace(suite, data=replace(data, batch=32), pretrain=replace(suite.pretrain, data=data)),
        replace(suite, data=replace(data, train=train)),
        replace(suite, data=replace(data, augment=augment)),
        replace(suite, methods=(used("method", "full", steps=101),)),
    ):
        after = set(keys_of(changed, offers))
        assert {key for key in before & after if not key.startswith("pretrain")} == set()
    assert not before & set(keys_of(suite, offers, precision="bfloat16"))


def test_a_limit_of_steps_does_not_touch_what_only_predicts(suite, offers):
    cells = expand(replace(suite, limit=Limit(examples=10, steps=5)), offers).cells

    limits = {cell.stage.value: identity_of(cell)["limit"] for cell in cells}

    assert limits["finetune"] == {"examples": 10, "steps": 5}
    assert limits["evaluate"] == limits["measure"] == {"examples": 10}


def test_only_seeds_that_draw_something_are_in_a_key(suite, offers):
    split = replace(suite, seeds=replace(suite.seeds, order=(0, 5)))
    nested = replace(suite, seeds=replace(suite.seeds, design="nested"))

    def seeds(of, init):
        cells = [c for c in expand(of, offers).cells if c.stage == "finetune"]
        return [identity_of(cell)["seeds"] for cell in cells if cell.procedure == init]

    assert seeds(suite, "pretrained")[:2] == [{"finetune": 0}, {"finetune": 1}]
    assert seeds(suite, "random")[0] == {"finetune": 0, "pretrain": 0}
    assert seeds(split, "pretrained")[:2] == [{"finetune": 0}, {"finetune": 0, "order": 5}]
    assert seeds(nested, "pretrained")[0] == {"finetune": 0, "nested": True, "pretrain": 0}


def test_an_order_seed_that_equals_the_fine_tuning_seed_is_the_same_run(suite, offers):
    split = replace(suite, seeds=replace(suite.seeds, finetune=(3,), order=(3,)))
    plain = replace(suite, seeds=replace(suite.seeds, finetune=(3,)))

    assert keys_of(split, offers) == keys_of(plain, offers)
