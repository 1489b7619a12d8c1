"""`seedscape analyze`: what it says of a table, and every way in which a table can be bad."""

import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from harness.api.numbers import figures
from harness.cli import main

GIVEN = ["--runs", "run", "--id", "id", "--ood", "ood"]
QUICK = ["--permutations", "99", "--replicates", "100"]


def table(runs: int = 12) -> pd.DataFrame:
    generator = np.random.default_rng(0)
    x = generator.uniform(0.6, 0.9, runs)
    return pd.DataFrame(
        {
            "run": [f"r{n}" for n in range(runs)],
            "seed": [n // 3 for n in range(runs)],
            "order": [n % 3 for n in range(runs)],
            "id": x,
            "ood": x - 0.2 + generator.normal(0, 0.02, runs),
            "far": x - 0.4 + generator.normal(0, 0.02, runs),
            "width": generator.normal(size=runs),
            "lr": [0.1, 0.01] * (runs // 2),
            "aug": ["none", "crop", "mix"] * (runs // 3),
        }
    )


@pytest.fixture
def path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    table().to_csv("t.csv", index=False)
    return tmp_path / "t.csv"


def refused(capsys, *arguments: str) -> str:
    assert main(["analyze", *arguments]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    (line,) = said.err.splitlines()
    return line.removeprefix("error: ")


def told(capsys, *arguments: str) -> str:
    assert main(["analyze", *arguments, *QUICK]) == 0
    return capsys.readouterr().out


def test_a_table_is_answered_question_by_question(path, capsys):
    out = told(capsys, "t.csv", *GIVEN, "--ood", "far", "--predictors", "width", "--groups", "seed")

    assert "t.csv: 12 runs, 4 groups, nested" in out
    titles = [
        "How much do runs differ?",
        "Which seed carries the variance?",
        "How good are runs over all OOD scores?",
        "Does OOD accuracy follow in-domain accuracy on a line?",
        "What do the baselines predict?",
        "Which columns predict it beyond id?",
    ]
    places = [out.index(title) for title in titles]
    assert places == sorted(places)


def test_all_findings_go_to_a_file_that_is_not_overwritten_unasked(path, capsys):
    told(capsys, "t.csv", *GIVEN, "--out", "deep/found.json")

    found = json.loads((path.parent / "deep" / "found.json").read_text())
    assert found["runs"] == 12
    again = ["t.csv", *GIVEN, "--out", "deep/found.json"]
    assert "exists; add --force" in refused(capsys, *again)
    told(capsys, *again, "--force")


def test_nothing_is_written_of_a_table_that_is_refused(path, capsys):
    refused(capsys, "t.csv", "--runs", "run", "--id", "no", "--ood", "ood", "--out", "found.json")
    assert sorted(p.name for p in path.parent.iterdir()) == ["t.csv"]


def test_the_same_seed_gives_the_same_findings(path, capsys):
    found = []
    for seed in ("0", "0", "1"):
        told(capsys, "t.csv", *GIVEN, "--out", "f.json", "--force", "--seed", seed)
        found.append((path.parent / "f.json").read_text())
    assert found[0] == found[1]
    assert found[0] != found[2]


def test_the_help_names_defaults_and_units(capsys):
    main(["analyze", "--help"])
    said = " ".join(capsys.readouterr().out.split())
    for words in ("default: 9999", "default: 2000", "default: probit", "0 to 100", "95 %"):
        assert words in said


def test_the_help_imports_no_pandas():
    code = (
        "import sys; from harness.cli import main; main(['analyze', '--help']); "
        "print([n for n in ('pandas', 'numpy', 'scipy', 'torch') if n in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("t.xlsx", b"x", "'.xlsx' is no format of a table"),
        ("t.csv", b"", "is empty"),
        ("t.csv", b" \n\n", "is empty"),
        ("t.csv", b"run,id,ood\n", "has no rows"),
        ("t.csv", b"run,id,ood\na,0.5\n", "t.csv:2: 2 values where the header names 3"),
        ("t.csv", b"run,id,ood\na,0.5,\xff\n", "is not UTF-8 text (byte 18); save it as UTF-8"),
        ("t.csv", b"run,id,ood,id\na,1,1,1\n", "two columns are called 'id'"),
        ("t.csv", b'run,id,ood\na,"0.5,0.1\n', "is no such table"),
        ("t.parquet", b"PAR1 nonsense", "is no such table"),
        ("t.jsonl", b'{"run": "a"\n', "t.jsonl:1: is no JSON"),
        ("t.jsonl", b"[1, 2]\n", "t.jsonl:1: is no object of columns"),
        ("t.npz", b"no zip", "is no .npz file"),
        ("missing.csv", None, "cannot be read: No such file"),
    ],
)
def test_a_file_that_is_no_table_is_one_line(name, content, says, capsys, tmp_path):
    file = tmp_path / name
    if content is not None:
        file.write_bytes(content)
    assert says in refused(capsys, str(file), *GIVEN)


def test_a_folder_is_no_table(capsys, tmp_path):
    assert "is a directory" in refused(capsys, str(tmp_path), *GIVEN)


def cell(column: str, row: int, value: object) -> pd.DataFrame:
    frame = table().astype(object)
    frame.loc[row, column] = value
    return frame


@pytest.mark.parametrize(
    ("frame", "says"),
    [
        (cell("ood", 3, ""), "column 'ood': no value in 1 row (first row 4); leave such rows out"),
        (cell("ood", 3, "n/a"), "column 'ood': no value in 1 row"),
        (cell("ood", 3, "high"), "column 'ood', row 4: 'high' is no number"),
        (cell("ood", 3, "inf"), "column 'ood', row 4: 'inf' is not finite"),
        (cell("ood", 3, "1_0"), "'1_0' is no number"),
        (cell("ood", 3, "51%"), "'51%' is no number; leave the signs out and add --percent"),
        (cell("ood", 3, "0,5"), "'0,5' is no number; write a decimal point"),
        (cell("ood", 3, 51.2), "column 'ood': 51.2 is no share of 1; scores are shares"),
        (cell("ood", 3, -0.1), "-0.1 is no share of 1; with --scale linear"),
        (cell("run", 3, "r2"), "run 'r2' is there twice; name all the columns"),
        (cell("run", 3, ""), "column 'run': row 4 names no run"),
        (table().assign(ood=0.5), "column 'ood': all runs have 0.5; leave it out"),
        (table().head(2), "2 runs left; use three"),
    ],
)
def test_a_bad_cell_is_one_line_that_says_where(frame, says, capsys, tmp_path):
    frame.to_csv(tmp_path / "t.csv", index=False)
    assert says in refused(capsys, str(tmp_path / "t.csv"), *GIVEN)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--id", "idd"], "no column 'idd' (--id); did you mean 'id'?"),
        (
            ["--predictors", "nothing-like"],
            "no column 'nothing-like' (--predictors); there are run",
        ),
        (["--ood", "ood"], "column 'ood' is named twice by --ood"),
        (["--predictors", "id"], "column 'id' is asked for as --id and as --predictors"),
        (["--controls", "ood"], "column 'ood' is asked for as --ood and as --controls"),
        (["--groups", "seed,order,run"], "--groups takes one or two columns"),
        (["--groups", "aug,lr"], "two runs have 'aug' none and 'lr' 0.1; name only the first"),
        (["--keep", "run=["], "--keep: '[' is no regular expression"),
        (["--keep", "run=^x"], "column 'run': no row matches '^x'"),
        (["--keep", "run"], "--keep 'run' is not COLUMN=REGEX"),
        (["--examples", "id=many"], "--examples id: 'many' is no number of examples"),
        (["--examples", "width=5"], "--examples: 'width' is no score"),
        (["--examples", "id=5", "--examples", "id=6"], "--examples names column 'id' twice"),
        (["--percent"], "no value above 0."),
        (["--log", "width", "--predictors", "width"], "has no logarithm; leave it out of --log"),
        (["--log", "seed"], "--log: 'seed' is neither of them"),
        (["--baselines", "run=^r"], "all runs are baselines"),
        (["--baselines", "run=^r1$"], "1 baseline left; a line takes three"),
        (["--controls", "run"], "12 different texts (r0, r1, r10 and 9 more) are too many"),
        (["--seed", "-1"], "-1 is not in the range"),
        (["--scale", "cubic"], "'cubic' is not one of"),
    ],
)
def test_a_question_that_makes_no_sense_is_one_line(arguments, says, path, capsys):
    given = ["--runs", "run", "--id", "id", "--ood", "ood"]
    if "--id" in arguments:
        given = ["--runs", "run", "--ood", "ood"]
    assert says in refused(capsys, "t.csv", *given, *arguments)


def test_groups_of_one_name_are_no_groups(path, capsys):
    table().assign(seed=1).to_csv("one.csv", index=False)
    assert "all runs have the same 'seed'" in refused(capsys, "one.csv", *GIVEN, "--groups", "seed")


def test_a_hole_in_a_group_is_told(path, capsys):
    cell("seed", 2, "").to_csv("hole.csv", index=False)
    line = refused(capsys, "hole.csv", *GIVEN, "--groups", "seed")
    assert "column 'seed': no value in 1 row (first row 3)" in line
    out = told(capsys, "hole.csv", *GIVEN, "--groups", "seed", "--drop-missing")
    assert "note: 1 row left out for want of a value: 'seed' (1)" in out
    assert "groups differ in size" in out


def test_percentages_give_what_shares_give(path, capsys):
    frame = table()
    frame[["id", "ood"]] *= 100
    frame.to_csv("percent.csv", index=False)

    shares = told(capsys, "t.csv", *GIVEN).splitlines()[1:]
    assert told(capsys, "percent.csv", *GIVEN, "--percent").splitlines()[1:] == shares


def test_a_share_among_percentages_is_pointed_at(path, capsys):
    frame = table()
    frame[["id", "ood"]] *= 100
    frame.loc[0, "ood"] /= 100
    frame.to_csv("mixed.csv", index=False)

    assert "'ood': 1 value of at most 1 %" in told(capsys, "mixed.csv", *GIVEN, "--percent")


def test_every_form_of_one_table_gives_the_same_answer(path, capsys):
    table().to_csv("t.tsv", index=False, sep="\t")
    table().to_parquet("t.parquet")
    table().to_json("t.jsonl", orient="records", lines=True, double_precision=15)

    said = [
        told(capsys, f"t.{form}", *GIVEN, "--groups", "seed,order").splitlines()[1:]
        for form in ("csv", "tsv", "parquet", "jsonl")
    ]
    assert said[0] == said[1] == said[2] == said[3]


def test_names_with_commas_are_given_one_by_one(path, capsys):
    table().rename(columns={"ood": "a,b", "far": "c"}).to_csv("comma.csv", index=False)

    out = told(capsys, "comma.csv", "--runs", "run", "--id", "id", "--ood", "a,b", "--ood", "c")
    assert "a,b" in out


def test_a_repeated_warning_is_told_once(path, capsys):
    out = told(capsys, "t.csv", *GIVEN, "--ood", "far", "--examples", "id=10")
    assert out.count("warning: ") == 1
    assert "warning: ood and far: " in out


def test_p_given_what_is_known_is_that_of_the_best_of_all_that_were_tried(path, capsys):
    generator = np.random.default_rng(1)
    frame = table().assign(**{name: generator.random(12) for name in "vwxyz"})
    frame.to_csv("t.csv", index=False)
    asked = [*GIVEN, "--predictors", "v,w,x,y,z", "--controls", "width", "--out", "found.json"]

    out = told(capsys, "t.csv", *asked)

    tests = json.loads((path.parent / "found.json").read_text())["predictors"]
    titles, *rows = out.partition("beyond width and id?")[2].strip().splitlines()[1:7]
    assert titles.split("given known")[1].split("adds")[0].strip() == "family p"
    for test, row in zip(tests, rows, strict=True):
        assert row.split()[5] == figures(test["partial_p_family"], 2)
    assert any(test["partial_p_family"] > test["partial_p"] for test in tests)
