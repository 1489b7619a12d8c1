"""What `analyze` says of public results, against what their authors publish.

The pages under docs/tables quote the numbers that are tested here.
"""

import os
from pathlib import Path

import pytest

import harness

FOLDER = os.environ.get("SEEDSCAPE_DATA")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not FOLDER or not Path(FOLDER).is_dir(),
        reason="SEEDSCAPE_DATA names no folder with real data",
    ),
]
DATA = Path(FOLDER or ".")
HANS = ["Lexical (nonent)", "Subseq (nonent)", "Constituent (nonent)"]
QUICK = {"permutations": 999, "replicates": 500}


def test_a_hundred_berts_differ_on_hans_and_not_on_mnli():
    found = harness.analyze_table(
        DATA / "feather_berts" / "berts_of_a_feather_accuracies_by_run.csv",
        runs=["Run"], id="MNLI dev acc.", ood=HANS, keep={"Run": r"^Run \d"},
        examples={"MNLI dev acc.": 9815} | dict.fromkeys(HANS, 5000), **QUICK,
    )  # fmt: skip

    mnli, lexical, subsequence, constituent = found.spreads
    assert found.runs == 100
    # the file's own last rows: mean and standard deviation
    assert (mnli.mean, mnli.sd) == pytest.approx((0.843392765, 0.00241974), rel=1e-5)
    assert (lexical.mean, lexical.sd) == pytest.approx((0.276572, 0.123642852), rel=1e-5)
    assert (lexical.minimum, lexical.maximum) == (0.0524, 0.5452)
    assert (subsequence.sd, constituent.sd) == pytest.approx((0.02416, 0.040625), rel=1e-3)
    assert mnli.sd < mnli.sampling_sd
    assert lexical.sd > 15 * lexical.sampling_sd
    assert found.predictors[0].tau == pytest.approx(0.303, abs=5e-4)
    assert found.predictors[0].p < 0.01
    assert all(line.reliability == 0 and line.warning for line in found.lines)


def test_cifar_models_keep_their_order_on_new_images():
    found = harness.analyze_table(
        DATA / "cifar10_1_predictions" / "cifar10_1_predictions.npz",
        runs=["models"], id="original", ood=["v4", "v6"], scale="linear", **QUICK,
    )  # fmt: skip

    assert [spread.examples for spread in found.spreads] == [10_000, 2_021, 2_000]
    for line in found.lines:
        assert 1.55 < line.slope < 1.65
        assert line.slope_low < 1.69 < line.slope_high
        assert line.r2 > 0.98
    drops = [found.spreads[0].maximum - found.spreads[2].maximum]
    assert drops[0] == pytest.approx(0.0401, abs=1e-4)
    assert all(test.tau > 0.85 for test in found.predictors)


KEEP = r"^(?!.*(_epochs|clip|vit_|BiT-M|simclr|simsiam|swav|lstsq|random_forests|one_nn))"
STANDARD = (
    r"^(?!.*(FixResNeXt101|CutMix|cutmix|_lpf|imagenet21k|imagenet11k|dpn107|dpn68b|dpn92|advprop|"
    r"noisystudent|facebook_adv|jft|instagram|tencent|-rotation-|_ssl|swsl|noise_(0.[25]|1)|"
    r"adv-train|augmix|cutout|deepaug|_robust|mixup|SIN|_with_))"
)


def test_imagenet_models_lie_on_one_line_and_more_data_lies_above():
    v2 = "imagenetv2-matched-frequency-format-val"
    found = harness.analyze_table(
        DATA / "result_tables" / "imagenet_testbed_robustness_top1s.csv",
        runs=["model"], id="val", ood=[v2], percent=True, drop_missing=True,
        keep={"model": KEEP}, baselines={"model": STANDARD}, examples={"val": 50_000, v2: 10_000},
        **QUICK,
    )  # fmt: skip

    (line,) = found.lines
    assert line.r2 > 0.99
    assert 0.9 < line.slope < 1.0
    assert line.reliability > 0.99
    beyond = {each.run: each.effective for each in found.robustness}
    assert len(beyond) + line.models == found.runs
    assert beyond["efficientnet-l2-noisystudent"] > 0.01
    assert abs(beyond["resnet50_cutmix"]) < 0.02


def test_the_learning_rate_tells_which_clip_stays_robust():
    folder = DATA / "result_tables"
    found = harness.analyze_table(
        folder / "model_soups_individual_model_results.jsonl",
        join=folder / "model_soups_hparam_info.json",
        runs=["model_name"], id="ImageNet", ood=["ImageNetV2", "ImageNetR"],
        predictors=["lr", "epochs"], controls=["wd", "mix", "smoothing"], log=["lr", "wd"],
        drop_missing=True, **QUICK,
    )  # fmt: skip

    assert found.runs == 71
    v2, renditions = found.lines
    assert v2.r2 > 0.85
    assert renditions.r2 < 0.1
    test = next(t for t in found.predictors if (t.target, t.predictor) == ("ImageNetR", "log lr"))
    assert test.partial < -0.8
    assert test.partial_p_family < 0.01


def test_texts_of_augmentation_are_too_many_to_control_for():
    folder = DATA / "result_tables"
    with pytest.raises(harness.HarnessError, match=r"column 'aug': \d+ different texts"):
        harness.analyze_table(
            folder / "model_soups_individual_model_results.jsonl",
            join=folder / "model_soups_hparam_info.json",
            runs=["model_name"], id="ImageNet", ood=["ImageNetV2"], controls=["aug"],
            drop_missing=True,
        )  # fmt: skip
