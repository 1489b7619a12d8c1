"""The cost of a plan on text: steps on texts of a stated length, also where language is learned."""

from harness.cli import main

SUITE = """
id: prose
version: "1"
plugins: [language_scene]
model: toy-writer
pretrain:
  data: {dataset: toy-prose, batch: 16}
  method: {full: {steps: 6}}
data: {dataset: toy-sentences, batch: 16}
inits: [pretrained]
methods: [{full: {steps: 6}}]
seeds: {pretrain: 2, finetune: 2}
scores: [accuracy]
"""


def test_steps_on_text_are_timed(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "prose.yaml").write_text(SUITE)
    assert main(["plan", "./prose.yaml", "--cost", "--store", "runs"]) == 0
    printed = capsys.readouterr().out
    assert printed.count("a few steps timed here") == 3


def test_no_text_is_timed_that_is_longer_than_the_model_reads(tmp_path, monkeypatch, capsys):
    """A model of twenty positions has no place for more."""
    monkeypatch.chdir(tmp_path)
    text = SUITE.replace("toy-writer", "{tiny-bert: {layers: 1, width: 16, longest: 20}}")
    (tmp_path / "prose.yaml").write_text(text)
    assert main(["plan", "./prose.yaml", "--cost", "--store", "runs"]) == 0
    assert capsys.readouterr().out.count("a few steps timed here") == 3


def test_a_model_that_takes_no_text_is_found_out_before_anything_starts(
    tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    text = SUITE.replace("toy-writer", "mlp")
    (tmp_path / "prose.yaml").write_text(text)
    assert main(["plan", "./prose.yaml", "--cost", "--store", "runs"]) == 2
    assert "prose.yaml:5:8: the model 'mlp' takes no text" in capsys.readouterr().err
