"""`seedscape compare`: operands, forms, refusals, and a store of real runs."""

import json

import pytest
from comparison_scene import FAST, SLOW, SUITE, fill, is_of, write_suite

from harness import HarnessError
from harness import compare as from_python
from harness.cli import main
from harness.commands.operands import Operand, contenders_of
from harness.commands.options import SuiteOptions


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    """A suite of two procedures and its store, which tests do not change."""
    folder = tmp_path_factory.mktemp("filled")
    suite = write_suite(folder)
    fill(suite, folder / "runs")
    return suite, str(folder / "runs")


def seedscape(capfd, *words):
    code = main([str(word) for word in words])
    out, err = capfd.readouterr()
    return code, out, err


def test_a_suite_compares_its_procedures_in_words_and_tables(filled, capfd):
    suite, store = filled
    code, out, err = seedscape(capfd, "compare", suite, "--store", store, "--replicates", 200)
    assert (code, err) == (0, "")
    assert f"On noise (OOD), {FAST} is better than {SLOW}: accuracy 0." in out
    assert "p = 0.031" in out
    assert "drawn anew: pretraining seeds, fine-tuning seeds and examples" in out
    assert "200 replicates, seed 0, bca intervals" in out


@pytest.mark.parametrize("label", [FAST, "random v1.5 fast", " random  v1.5 fast "])
def test_labels_with_spaces_and_dots_are_found_with_or_without_their_middle_dots(filled, label):
    suite, store = filled
    (found,) = contenders_of([f"{suite}:{label}"], store, SuiteOptions(""), "float32")
    assert found.procedure == FAST


def test_operands_of_another_store_and_of_two_suites_have_labels_that_say_so(filled, tmp_path):
    suite, store = filled
    other = write_suite(tmp_path, SUITE.replace('version: "1"', 'version: "2"'))
    found = contenders_of(
        [f"{suite}:{SLOW}", f"{tmp_path}/new//{other}:{SLOW}"], store, SuiteOptions(""), "float32"
    )
    assert [each.label for each in found] == [
        f"tiny 1: {SLOW} ({store})",
        f"tiny 2: {SLOW} ({tmp_path}/new)",
    ]


def test_a_procedure_that_does_not_exist_or_is_named_twice_is_an_error(filled, capfd):
    suite, store = filled
    words = ("--store", store)
    code, _, err = seedscape(capfd, "compare", f"{suite}:random · slwo", *words)
    assert (code, err) == (
        2,
        "error: suite tiny: there is no procedure 'random · slwo'; did you mean 'random · slow'?\n",
    )
    code, _, err = seedscape(capfd, "compare", suite, f"{suite}:{SLOW}", *words)
    assert (code, err) == (
        2,
        f"error: {SLOW} is named twice; name every procedure once\n",
    )
    code, _, err = seedscape(capfd, "compare", f"{suite}:{SLOW}", *words)
    assert (code, err) == (2, "error: a comparison needs two procedures; name another one\n")


@pytest.mark.parametrize("text", ["", ":random", "quick:", "runs//:random", "runs//"])
def test_what_is_no_operand_is_refused(text):
    with pytest.raises(HarnessError):
        Operand.parse(text)


def test_what_is_not_comparable_takes_one_line_each(tmp_path, capfd):
    suite = write_suite(tmp_path)
    fill(suite, tmp_path / "runs", without=lambda c: is_of(SLOW, 1, 0)(c) or is_of(FAST, 2, 1)(c))
    code, out, err = seedscape(capfd, "compare", suite, "--store", tmp_path / "runs")
    assert (code, out) == (2, "")
    assert err.splitlines() == [
        f"not comparable: {SLOW}: 1 of 12 runs has no score on test (has not run): 1/0",
        f"not comparable: {FAST}: 1 of 12 runs has no score on test (has not run): 2/1",
        "to mend it: finish these runs, or compare the seeds that all have with --common-seeds",
    ]
    words = ("--store", tmp_path / "runs", "--common-seeds", "--replicates", 200)
    code, out, _ = seedscape(capfd, "compare", suite, *words)
    assert code == 0
    assert f"note: {SLOW}: 4 of 12 runs left out" in out
    assert "8 of 12" in out


@pytest.mark.parametrize("form", ["json", "csv", "parquet", "md", "tex"])
def test_all_forms_are_written_and_nothing_is_overwritten_unasked(filled, tmp_path, capfd, form):
    suite, store = filled
    out = tmp_path / f"found.{form}"
    words = ("compare", suite, "--store", store, "--replicates", 100, "--out", out)
    assert seedscape(capfd, *words)[0] == 0
    assert out.stat().st_size > 300
    code, _, err = seedscape(capfd, *words)
    assert (code, err) == (2, f"error: {out} exists; add --force to overwrite it\n")
    assert seedscape(capfd, *words, "--force")[0] == 0
    if form == "json":
        record = json.loads(out.read_text())
        assert (record["schema_version"], record["score"]) == (1, "accuracy")
        assert len(record["splits"]) == 2
    if form == "csv":
        head, *rows = out.read_text().splitlines()
        assert head.startswith("score,split,kind,examples,first_mean")
        assert len(rows) == 2
    if form == "md":
        assert f"| test | {SLOW} | {FAST} |" in out.read_text()
    if form == "tex":
        assert out.read_text().startswith(r"\begin{tabular}")


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("--out", "found.txt"), "does not say which format"),
        (("--levels", "seeds"), "no levels 'seeds'; write all, multiberts, or some of"),
        (("--score", "acuracy"), "has no score 'acuracy', but accuracy, nll and macro-f1"),
        (("--splits", "test,tset"), "has no split 'tset', but val, test and noise"),
    ],
)
def test_what_is_not_there_is_named_before_anything_is_drawn(filled, capfd, words, complaint):
    suite, store = filled
    code, _, err = seedscape(capfd, "compare", suite, "--store", store, *words)
    assert code == 2
    assert complaint in err


def test_python_gives_the_record_and_knows_its_arguments(filled):
    suite, store = filled
    found = from_python(suite, store=store, splits=["noise"], replicates=100, score="nll")
    assert [split.split for split in found.splits] == ["noise"]
    with pytest.raises(TypeError, match=r"unexpected argument 'scores'; see .*AskedToCompare"):
        from_python(suite, store=store, scores="nll")
    with pytest.raises(HarnessError, match="draw 100 at least"):
        from_python(suite, store=store, replicates=10)


def test_real_runs_are_compared_and_a_trial_says_that_it_is_one(tmp_path, capfd):
    suite, store = write_suite(tmp_path), tmp_path / "runs"
    words = (suite, "--store", store, "--smoke")
    seedscape(capfd, "run", *words, "--executor", "serial", "--no-report")

    code, out, _ = seedscape(capfd, "compare", *words, "--replicates", 100)
    assert code == 0
    assert "TRIAL RUN" in out
    assert "So few pretraining seeds cannot give p below 0.50" in out

    code, _, err = seedscape(capfd, "compare", suite, "--store", store)
    assert code == 2
    assert "a trial run of it is there: --smoke" in err
