"""Lines, robustness, transfer, controls and aggregates of a table."""

import json

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import harness

HOW = {"permutations": 99, "replicates": 100}
CALL = {"runs": ["run"], "id": "id", "ood": ["ood"]}


def on_a_line(runs: int = 20, slope: float = 0.8, offset: float = -0.5) -> pd.DataFrame:
    """Runs exactly on a probit line."""
    x = np.linspace(0.55, 0.9, runs)
    y = stats.norm.cdf(offset + slope * stats.norm.ppf(x))
    return pd.DataFrame({"run": [f"r{n:02}" for n in range(runs)], "id": x, "ood": y})


def saved(frame: pd.DataFrame, folder) -> str:
    frame.to_csv(folder / "t.csv", index=False)
    return str(folder / "t.csv")


def test_runs_on_a_probit_line_give_its_slope(tmp_path):
    found = harness.analyze_table(saved(on_a_line(), tmp_path), **CALL, **HOW)

    (line,) = found.lines
    assert (line.slope, line.intercept, line.r2) == pytest.approx((0.8, -0.5, 1.0))
    assert line.slope_low == pytest.approx(0.8)
    assert line.slope_high == pytest.approx(0.8)


def test_runs_at_0_or_1_leave_the_line_with_a_note(tmp_path):
    frame = on_a_line()
    frame.loc[0, "ood"] = 0.0
    frame.loc[1, "id"] = 1.0

    found = harness.analyze_table(saved(frame, tmp_path), **CALL, **HOW)

    (line,) = found.lines
    assert (line.models, line.left_out) == (18, 2)
    assert line.slope == pytest.approx(0.8)
    assert (
        "the line of 'ood' leaves out 2 runs at 0 or 1: no place on the probit scale" in found.notes
    )
    assert found.spreads[1].minimum == 0.0

    linear = harness.analyze_table(saved(frame, tmp_path), **CALL, **HOW, scale="linear")
    assert (linear.lines[0].models, linear.lines[0].left_out) == (20, 0)


def test_a_line_that_nothing_is_left_for_is_a_warning(tmp_path):
    frame = on_a_line(4)
    frame.loc[:1, "ood"] = [0.0, 1.0]

    found = harness.analyze_table(saved(frame, tmp_path), **CALL, **HOW)

    assert found.lines[0].slope is None
    assert found.lines[0].warning == "a line through 2 models says nothing"


def test_effective_robustness_is_told_of_others_than_the_baselines_alone(tmp_path):
    frame = on_a_line()
    frame["kind"] = ["plain"] * 15 + ["robust"] * 5
    expected = frame["ood"].copy()
    frame.loc[15:, "ood"] += 0.05

    found = harness.analyze_table(
        saved(frame, tmp_path), **CALL, **HOW, baselines={"kind": "^plain$"}, examples={"ood": 400}
    )

    assert found.lines[0].models == 15
    assert found.lines[0].slope == pytest.approx(0.8)
    assert {each.run for each in found.robustness} == {f"r{n}" for n in range(15, 20)}
    for each in found.robustness:
        assert each.effective == pytest.approx(0.05)
        assert each.expected == pytest.approx(expected[int(each.run[1:])])
        assert each.noise == pytest.approx(np.sqrt(each.ood * (1 - each.ood) / 400))


def test_without_baselines_no_run_is_judged_by_its_own_line(tmp_path):
    found = harness.analyze_table(saved(on_a_line(), tmp_path), **CALL, **HOW)
    assert found.robustness == ()


def test_in_domain_noise_is_a_warning_where_no_slope_can_be_read(tmp_path):
    frame = on_a_line()
    frame["id"] = 0.8 + 0.001 * (frame["id"] - 0.7)

    found = harness.analyze_table(saved(frame, tmp_path), **CALL, **HOW, examples={"id": 1000})

    assert found.lines[0].reliability == 0
    assert found.lines[0].warning.startswith("the spread in-domain is no larger than")


def test_transfer_recovers_the_law_on_the_hull(tmp_path):
    x = np.linspace(0.05, 0.5, 12)
    y = 0.9 * x**1.7 + 0.1
    frame = pd.DataFrame({"run": range(24), "up": 1 - np.tile(x, 2)})
    frame["ood"] = 1 - np.concatenate([y, y + 0.05])
    frame["id"] = frame["up"] - 0.01

    found = harness.analyze_table(saved(frame, tmp_path), **CALL, **HOW, upstream="up")

    law = next(each for each in found.transfer if each.target == "ood")
    assert (law.k, law.alpha, law.e_inf) == pytest.approx((0.9, 1.7, 0.1), rel=1e-3)
    assert {point.run for point in law.hull} == {str(n) for n in range(12)}
    assert law.alpha_ends.low <= 1.7 + 1e-6
    assert [spread.kind for spread in found.spreads] == ["id", "ood", "upstream"]


def test_a_law_that_cannot_be_fitted_is_a_note(tmp_path):
    found = harness.analyze_table(
        saved(on_a_line(5).assign(up=[0.5, 0.6, 0.7, 0.8, 1.0]), tmp_path),
        **CALL, **HOW, upstream="up",
    )  # fmt: skip
    assert [each.k for each in found.transfer] == [None, None]
    assert found.transfer[0].note == "3 points on the lower hull: three parameters want four"
    assert found.transfer[0].runs == 4


def test_hyper_parameters_are_joined_by_run(tmp_path):
    frame = on_a_line(12)
    more = {run: {"lr": 0.1 * (n + 1), "aug": ["a", "b"][n % 2]} for n, run in enumerate(frame.run)}
    more["spare"] = {"lr": 1.0, "aug": "a"}
    (tmp_path / "h.json").write_text(json.dumps(more))

    found = harness.analyze_table(
        saved(frame, tmp_path), **CALL, **HOW, join=tmp_path / "h.json",
        predictors=["lr"], log=["lr"], controls=["aug"],
    )  # fmt: skip

    assert "h.json: 1 run not in the table" in found.notes
    assert "'aug' is text: coded as b against a" in found.notes
    assert [test.predictor for test in found.predictors] == ["log lr"]
    assert found.predictors[0].tau == pytest.approx(1.0)
    assert found.predictors[0].controls == ("aug=b", "id")
    assert [source.part for source in found.sources] == ["join"]


def test_a_run_that_the_joined_file_lacks_has_a_hole(tmp_path):
    frame = on_a_line(6)
    other = pd.DataFrame({"run": frame.run[1:], "lr": range(5)})
    other.to_parquet(tmp_path / "h.parquet")
    given = {"join": tmp_path / "h.parquet", "predictors": ["lr"]}

    with pytest.raises(harness.HarnessError, match="column 'lr': no value in 1 row"):
        harness.analyze_table(saved(frame, tmp_path), **CALL, **HOW, **given)
    found = harness.analyze_table(saved(frame, tmp_path), **CALL, **HOW, **given, drop_missing=True)
    assert found.runs == 5


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("[]", "is no object of runs"),
        ('{"r00": 1}', "is no object of runs"),
        ("{}", "has no rows"),
        ('{"x": {"lr": 1}}', "no run in common with the table; it names x"),
        ('{"r00": {"id": 1}}', "the table has a column 'id' too"),
        ("{", "is no such table"),
    ],
)
def test_a_bad_file_to_join_is_one_line(content, says, tmp_path):
    (tmp_path / "h.json").write_text(content)
    with pytest.raises(harness.HarnessError, match=says):
        harness.analyze_table(saved(on_a_line(6), tmp_path), **CALL, join=tmp_path / "h.json")


def test_two_rows_of_one_run_cannot_be_joined(tmp_path):
    pd.DataFrame({"run": ["r00", "r00"], "lr": [1, 2]}).to_csv(tmp_path / "h.csv")
    with pytest.raises(harness.HarnessError, match="run 'r00' is there twice"):
        harness.analyze_table(saved(on_a_line(6), tmp_path), **CALL, join=tmp_path / "h.csv")


def grid() -> pd.DataFrame:
    """The score follows `good` on both axes; `axis` only tells the depth."""
    rows = []
    for depth in range(3):
        for width in range(3):
            for copy in range(4):
                score = 0.3 + 0.08 * depth + 0.02 * width + 0.001 * copy
                rows.append((f"{depth}-{width}-{copy}", depth, width, score))
    frame = pd.DataFrame(rows, columns=["run", "depth", "width", "ood"])
    return frame.assign(
        id=np.linspace(0.5, 0.9, len(frame)), good=frame["ood"] * 2, axis=-frame["depth"]
    )


def test_discrete_controls_bring_the_stricter_tests(tmp_path):
    found = harness.analyze_table(
        saved(grid(), tmp_path), **CALL, **HOW, predictors=["good", "axis"],
        controls=["depth", "width"],
    )  # fmt: skip

    _, good, axis = found.strict
    assert good.axes == ("depth", "width")
    assert good.granulated == pytest.approx(1.0)
    assert good.worst_error == 0.0
    assert axis.by_axis["depth"] < 0
    assert axis.by_axis["width"] is None
    assert axis.worst_error == pytest.approx(1.0)
    assert good.information > 0.9


def test_controls_that_hardly_repeat_bring_none_and_a_note(tmp_path):
    frame = on_a_line(12).assign(lr=range(12), x=np.random.default_rng(0).random(12))
    found = harness.analyze_table(
        saved(frame, tmp_path), **CALL, **HOW, controls=["lr"], predictors=["x"]
    )
    assert found.strict == ()
    assert "strict tests over hyper-parameters leave out 'lr': values hardly repeat" in found.notes


def test_several_ood_scores_are_summed_up(tmp_path):
    frame = on_a_line(20).assign(far=lambda t: t["ood"] / 2)
    found = harness.analyze_table(saved(frame, tmp_path), **CALL | {"ood": ["ood", "far"]}, **HOW)
    by_name = {each.name: each for each in found.aggregates}
    assert by_name["mean"].value == pytest.approx(0.75 * frame["ood"].mean())
    assert by_name["worst score (mean over runs)"].value == pytest.approx(frame["far"].mean())
    assert by_name["mean"].ends.low < by_name["mean"].value < by_name["mean"].ends.high
    assert by_name["worst run (mean over scores)"].ends is None


def test_the_mean_over_ood_scores_has_the_interval_of_a_mean(tmp_path):
    frame = on_a_line(20).assign(far=lambda t: t["ood"])
    found = harness.analyze_table(saved(frame, tmp_path), **CALL | {"ood": ["ood", "far"]}, **HOW)
    ends, alone = found.aggregates[0].ends, found.spreads[1].mean_ends_runs
    assert ends.high - ends.low == pytest.approx(alone.high - alone.low, rel=0.15)


def test_means_are_drawn_from_all_runs_of_groups_that_differ_in_size(tmp_path):
    frame = on_a_line(12).assign(seed=list("aaaaaaabbbcc"))
    found = harness.analyze_table(saved(frame, tmp_path), **CALL, groups=["seed"], **HOW)
    spread = found.spreads[1]
    assert spread.group_mean == pytest.approx(frame.groupby("seed")["ood"].mean().mean())
    assert spread.mean_ends_runs.low < spread.group_mean < spread.mean_ends_runs.high


def test_losses_may_be_asked_on_the_linear_scale(tmp_path):
    frame = on_a_line(10)
    frame["ood"] = 3 - 2 * frame["ood"]
    found = harness.analyze_table(saved(frame, tmp_path), **CALL, **HOW, scale="linear")
    assert found.lines[0].slope < 0


def test_a_crossed_table_with_a_hole_leaves_the_level_out(tmp_path):
    frame = on_a_line(12).assign(seed=[n // 4 for n in range(12)], order=[n % 4 for n in range(12)])
    frame["ood"] += np.random.default_rng(0).normal(0, 0.02, 12)
    found = harness.analyze_table(
        saved(frame.drop(index=5), tmp_path), **CALL, **HOW, groups=["seed", "order"]
    )
    assert found.design == "crossed"
    assert any(
        "leave out 1 level of 'order' that not every 'seed' has: 1" in n for n in found.notes
    )
    assert found.runs == 11


def test_an_argument_of_another_name_is_a_type_error(tmp_path):
    with pytest.raises(TypeError, match="unexpected argument 'predictor'"):
        harness.analyze_table("t.csv", **CALL, predictor=["x"])
    with pytest.raises(harness.HarnessError, match="runs is a list of columns"):
        harness.analyze_table("t.csv", runs="run", id="id", ood=["ood"])


def test_findings_survive_their_file(tmp_path):
    from harness.api.tables import TableFindings

    found = harness.analyze_table(
        saved(grid(), tmp_path), **CALL, **HOW, predictors=["good"], controls=["depth"]
    )
    assert TableFindings.model_validate_json(found.model_dump_json()) == found
