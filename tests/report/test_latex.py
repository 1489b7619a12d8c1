"""The reporter latex: tables that compile whatever stands in them."""

import re
import shutil
import subprocess
from dataclasses import replace

import made_up
import pytest

from harness.api.latex import latex_text
from harness_reporters import LATEX
from harness_reporters.latex import latex_table
from harness_reporters.page import Row, Table

EVIL = r"\input{/etc/passwd} 100% $x$ a_b & # ~ ^ {} <c> | \\ 'a'' ``b -- --- ?` [d] τ≥½ é 中 “e”"
COMMANDS = {
    "addlinespace", "begin", "bottomrule", "caption", "centering", "else", "end", "endhead", "fi",
    "footnotesize", "ifdim", "label", "linewidth", "midrule", "par", "resizebox", "smallskip",
    "textbf", "tiny", "toprule", "width", "begingroup", "endgroup",
}  # fmt: skip
SIGNS = re.compile(r"\\text[a-z]+\{\}|\$\\[a-z]+\$|\$\^[23]\$|\$-\$|\\[&%$#_{}\\]|\\ldots\{\}")


def written(folder, findings=None):
    paths = LATEX.write(LATEX.settings(), findings or made_up.findings(), folder)
    return {path.name: path.read_text(encoding="utf-8") for path in paths}


def test_scores_shares_predictors_and_the_ladder_have_a_table_each(tmp_path):
    files = written(tmp_path)

    titles = {name[3:-4]: text for name, text in files.items() if name != "all.tex"}
    assert {"accuracy", "nll", "components-of-accuracy", "the-ladder-of-baselines"} <= set(titles)
    assert any(name.startswith("predictors-of-rotation-60") for name in titles)
    for text in titles.values():
        assert r"\toprule" in text
        assert r"\bottomrule" in text
        assert r"\label{tab:" in text
    assert all(rf"\input{{{name[:-4]}}}" in files["all.tex"] for name in files if name[0] in "01")


def test_a_row_has_as_many_cells_as_there_are_columns(tmp_path):
    for name, text in written(tmp_path).items():
        if name == "all.tex":
            continue
        sides = re.search(r"\\begin\{(?:tabular|longtable)\}\{([lr]+)\}", text)[1]
        rows = [line for line in text.splitlines() if line.endswith(r" \\") and "&" in line]
        assert rows
        for row in rows:
            assert len(re.findall(r"(?<!\\)&", row)) == len(sides) - 1


def test_words_from_outside_are_no_commands(tmp_path):
    plan = made_up.relabelled(made_up.plan(2, 2, (f"p {EVIL}",), ("test", "noise")), EVIL)

    for name, text in written(tmp_path, made_up.findings(plan)).items():
        if name != "all.tex":
            left = SIGNS.sub("", text)
            assert set(re.findall(r"\\([a-zA-Z]+)", left)) <= COMMANDS
            assert not re.findall(r"[$#~^_]|--|``|''", left), left
        assert "/etc/passwd" not in re.findall(r"(?<!textbackslash\{\})input\\?\{([^}\\]*)", text)


def test_a_trial_says_so_above_every_table(tmp_path):
    plan = replace(made_up.plan(2, 2, splits=("test",)), smoke=True)

    for name, text in written(tmp_path, made_up.findings(plan)).items():
        assert ("TRIAL RUN" in text) or name == "all.tex"


def test_notes_stand_below_the_table_with_the_rows_they_are_about():
    rows = [Row("test", 2, ["a", "1"], note="lost a run"), Row(None, 2, ["b", "-2"])]

    text = latex_table(Table("T", ["split", "procedure", "n"], 2, rows), "01-t.tex")

    assert r"test & a & 1 \\" in text
    assert r" & b & $-$2 \\" in text
    assert text.index(r"\bottomrule") < text.index("Lost a run: test, a.")


def test_a_long_table_goes_over_pages():
    rows = [Row(str(n), 1, [str(n)]) for n in range(60)]

    text = latex_table(Table("T", ["split", "n"], 1, rows), "01-t.tex")

    assert text.count(r"\begin{longtable}{lr}") == text.count(r"\end{longtable}") == 1


@pytest.mark.parametrize(
    ("words", "told"),
    [("é", "é"), ("½", "1/2"), ("中", "U+4E2D"), ("ﬁ", "fi"), ("a\n b", "a b"), ("\x07", "U+0007")],
)
def test_letters_that_latex_lacks_are_written_in_others(words, told):
    assert latex_text(words) == told


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="there is no pdflatex")
def test_all_of_it_compiles(tmp_path):
    plan = made_up.relabelled(made_up.plan(2, 2, (f"p {EVIL}", "q")), EVIL)
    written(tmp_path, made_up.findings(plan))
    folder = tmp_path / "latex"
    if not subprocess.run(["kpsewhich", "booktabs.sty"], capture_output=True, check=False).stdout:
        rules = ("toprule", "midrule", "bottomrule", "addlinespace")
        stub = "".join(rf"\newcommand{{\{rule}}}{{\hline}}" + "\n" for rule in rules)
        (folder / "booktabs.sty").write_text(stub)

    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "all.tex"]
    done = subprocess.run(command, cwd=folder, capture_output=True, check=False)

    assert done.returncode == 0, done.stdout[-2000:]
    assert (folder / "all.pdf").stat().st_size > 10_000
