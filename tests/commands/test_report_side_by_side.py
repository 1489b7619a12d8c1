"""`seedscape report A B`: suites or stores side by side, and compared where they may be."""

import json
from dataclasses import replace

import pytest
from comparison_scene import FAST, SLOW, SUITE, drawn, fill, is_of, write_suite

from harness import HarnessError, load_findings
from harness.analyze.comparison_design import Asked
from harness.analyze.side_by_side import side_by_side
from harness.cli import main
from harness.commands.operands import contenders_of
from harness.commands.options import SuiteOptions
from harness.plan import expand
from harness.store import Store
from harness.suite import open_suite

OTHER = SUITE.replace("id: tiny", "id: other").replace(
    "{full: {steps: 3}, as: slow}", "{full: {steps: 5}, as: late}"
)
LATE = "random · late"


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    """Two suites with the same data, a store of both, and another store of the first."""
    folder = tmp_path_factory.mktemp("filled")
    tiny, other = write_suite(folder), write_suite(folder, OTHER, "other.yaml")
    fill(tiny, folder / "a")
    fill(other, folder / "a")
    fill(tiny, folder / "b", drawn_later)
    return folder, tiny, other


def drawn_later(cell):
    return drawn(cell)[::-1]


def reported(capfd, out, *words):
    code = main(["report", *map(str, words), "--out", str(out), "--format", "json"])
    said = capfd.readouterr()
    return code, said.out, said.err, load_findings(out) if code == 0 else None


def test_two_suites_stand_side_by_side_with_the_spreads_and_shares_of_both(filled, tmp_path, capfd):
    folder, tiny, other = filled

    code, out, _, found = reported(capfd, tmp_path, tiny, other, "--store", folder / "a")

    assert code == 0
    assert "tiny and other, side by side" in out
    assert [source.label for source in found.sources] == ["tiny", "other"]
    labels = [f"tiny: {SLOW}", f"tiny: {FAST}", f"other: {LATE}", f"other: {FAST}"]
    assert [note.label for note in found.procedures] == labels
    for records in (found.spreads, found.variance, found.runs):
        assert list(dict.fromkeys(each.procedure for each in records)) == labels
    assert {spread.split for spread in found.spreads} == {"val", "test", "noise"}


def test_a_side_has_the_same_numbers_as_its_own_report(filled, tmp_path, capfd):
    folder, tiny, other = filled
    _, _, _, both = reported(capfd, tmp_path / "2", tiny, other, "--store", folder / "a")
    _, _, _, alone = reported(capfd, tmp_path / "1", tiny, "--store", folder / "a")

    numbers = {(s.procedure, s.split, s.score): (s.mean, s.sd, s.worst) for s in both.spreads}
    for spread in alone.spreads:
        key = (f"tiny: {spread.procedure}", spread.split, spread.score)
        assert numbers[key] == (spread.mean, spread.sd, spread.worst)


def test_what_may_be_compared_is_compared_as_compare_does(filled, tmp_path, capfd):
    folder, tiny, other = filled
    operands = (f"{tiny}:{SLOW}", f"{other}:{FAST}", "--store", folder / "a")

    _, out, _, found = reported(capfd, tmp_path, *operands)

    assert found.refusals == ()
    (split,) = [s for s in found.comparison.splits if s.split == "noise"]
    assert split.pairs[0].verdict == "second"
    assert f"other: {FAST} is better than tiny: {SLOW}" in " ".join(out.split())
    main(
        ["compare", *map(str, operands), "--replicates", "2000", "--out", str(tmp_path / "c.json")]
    )
    compared = json.loads((tmp_path / "c.json").read_text())
    (same,) = [s for s in compared["splits"] if s["split"] == "noise"]
    assert same["pairs"][0]["p"] == split.pairs[0].p
    assert same["pairs"][0]["effect"] == split.pairs[0].effect


def test_two_stores_of_one_suite_are_told_apart_by_their_stores(filled, tmp_path, capfd):
    folder, tiny, _ = filled

    code, _, _, found = reported(capfd, tmp_path, f"{folder}/a//{tiny}", f"{folder}/b//{tiny}")

    assert code == 0
    assert [source.label for source in found.sources] == [f"{folder}/a", f"{folder}/b"]
    assert {note.label for note in found.procedures} == {
        f"{name} ({folder}/{store})" for name in (SLOW, FAST) for store in "ab"
    }
    means = {s.procedure: s.mean for s in found.spreads if (s.split, s.score) == ("test", "nll")}
    assert len(means) == 4


def test_other_data_is_shown_and_not_compared_and_the_report_says_why(filled, tmp_path, capfd):
    folder, tiny, _ = filled
    noisy = OTHER.replace("sd: 0.3", "sd: 0.6").replace("id: other", "id: noisy")
    noisy = write_suite(tmp_path, noisy, "noisy.yaml")
    fill(noisy, folder / "a")

    code, out, _, found = reported(capfd, tmp_path / "out", tiny, noisy, "--store", folder / "a")

    assert code == 0
    assert found.comparison is None
    (same, refusal) = found.refusals
    assert (same.source, same.reasons) == (
        f"noisy: {FAST}",
        (f"it has the same runs as tiny: {FAST}",),
    )
    assert refusal.source == "noisy"
    assert any("was scored otherwise than" in reason for reason in refusal.reasons)
    assert "noisy is not compared with tiny: " in " ".join(out.split())
    assert any(s.procedure.startswith("noisy: ") and s.mean for s in found.spreads)


def test_of_three_the_one_that_may_not_be_compared_stops_no_other(filled, tmp_path, capfd):
    folder, tiny, other = filled
    noisy = OTHER.replace("sd: 0.3", "sd: 0.7").replace("id: other", "id: third")
    noisy = write_suite(tmp_path, noisy, "third.yaml")
    fill(noisy, folder / "a")

    words = (f"{tiny}:{SLOW}", f"{noisy}:{FAST}", f"{other}:{FAST}", "--store", folder / "a")
    _, _, _, found = reported(capfd, tmp_path / "out", *words)

    assert [refusal.source for refusal in found.refusals] == ["third"]
    assert [one.label for one in found.comparison.contestants] == [
        f"tiny: {SLOW}", f"other: {FAST}",
    ]  # fmt: skip


def test_designs_that_cannot_be_drawn_together_are_a_refusal_and_no_end(filled, tmp_path, capfd):
    folder, tiny, _ = filled
    nested = OTHER.replace("finetune: 2}", "finetune: 2, design: nested}")
    nested = write_suite(tmp_path, nested.replace("id: other", "id: nested"), "nested.yaml")
    fill(nested, folder / "a")

    words = (f"{tiny}:{SLOW}", f"{nested}:{LATE}", "--store", folder / "a")
    code, _, _, found = reported(capfd, tmp_path / "out", *words)

    assert code == 0
    (refusal,) = found.refusals
    assert "crossed here and nested there" in refusal.reasons[0]


def test_missing_runs_are_refused_with_what_mends_it_and_common_seeds_does(filled, tmp_path, capfd):
    _, tiny, other = filled
    fill(tiny, tmp_path / "runs")
    fill(other, tmp_path / "runs", without=is_of(LATE, 2, 1))
    words = (f"{tiny}:{SLOW}", f"{other}:{LATE}", "--store", tmp_path / "runs")

    _, out, _, found = reported(capfd, tmp_path / "1", *words)
    assert found.comparison is None
    assert "compare the seeds that all have with --common-seeds" in " ".join(out.split())

    _, _, _, found = reported(capfd, tmp_path / "2", *words, "--common-seeds")
    assert found.refusals == ()
    assert [one.runs for one in found.comparison.contestants] == [10, 10]


def test_every_form_is_written_of_several_suites(filled, tmp_path, capfd, monkeypatch):
    folder, tiny, other = filled
    monkeypatch.chdir(tmp_path)
    forms = "html,markdown,latex,json,csv,parquet"

    assert main(["report", tiny, other, "--store", str(folder / "a"), "--format", forms]) == 0

    place = tmp_path / "side-by-side"
    assert {"report.html", "report.md", "report.json", "csv"} <= {
        path.name for path in place.iterdir()
    }
    assert (place / "csv" / "sources.csv").is_file()
    assert "tiny and other, side by side" in (place / "report.html").read_text(encoding="utf-8")
    for name in ("report.md", "report.html"):
        text = (place / name).read_text(encoding="utf-8")
        assert f"tiny: {SLOW}" in text
        assert f"other: {FAST} not compared: it has the same runs as tiny: {FAST}" in text
    tables = "".join(path.read_text(encoding="utf-8") for path in (place / "latex").iterdir())
    assert "accuracy: differences between procedures" in tables
    assert "accuracy: differences between procedures" in (place / "report.md").read_text("utf-8")


def test_all_suites_of_a_store_are_meant_by_the_store_alone(filled, tmp_path, capfd):
    folder, tiny, other = filled
    for suite in (tiny, other):
        checked, catalogue = open_suite(suite)
        Store(folder / "a").save_suite(expand(checked, catalogue), checked.text)

    code, _, _, found = reported(capfd, tmp_path, f"{folder}/a//")

    assert code == 0
    assert [source.label for source in found.sources] == ["other", "tiny"]
    code, _, err, _ = reported(capfd, tmp_path, f"{folder}/b//")
    assert code == 2
    assert f"no suite was run on the store {folder}/b" in err


def test_suites_without_a_common_split_are_refused_by_name(filled):
    _, tiny, _ = filled
    one, two = contenders_of([f"{tiny}:{SLOW}", f"{tiny}:{FAST}"], "a", SuiteOptions(""), "float32")
    splits = tuple(replace(split, name=f"my-{split.name}") for split in two.plan.splits)
    two = replace(two, plan=replace(two.plan, suite_id="mine", splits=splits))

    with pytest.raises(HarnessError, match=r"no split is in all of them: tiny has .*my-noise"):
        side_by_side([one, two], Asked())


def test_one_suite_of_one_store_is_no_side_by_side(filled, tmp_path, capfd):
    folder, tiny, _ = filled

    code, _, err, _ = reported(capfd, tmp_path, f"{folder}/a//{tiny}")

    assert code == 2
    assert "there is one suite only; name another suite, or another store" in err
