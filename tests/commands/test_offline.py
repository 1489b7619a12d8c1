"""`--offline` holds for the hub's own library too, and tells all that is missing at once."""

from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from tiny_checkpoints import save_bert

from harness.cli import main
from harness.commands.options import stay_offline


@pytest.mark.parametrize(("words", "told"), [((), None), (("--offline",), "1")])
def test_the_hub_is_told_where_no_network_may_be_used(words, told, monkeypatch):
    import os

    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)

    @click.command()
    @click.option("--offline", is_flag=True, is_eager=True, callback=stay_offline)
    def command(offline):
        click.echo(f"{offline} {os.environ.get('HF_HUB_OFFLINE')}")

    done = CliRunner().invoke(command, words)
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    assert done.output.split() == [str(bool(words)), str(told)]


SUITE = """\
id: away
version: "1"
model: {transformer: {checkpoint: "google/multiberts-seed_{seed}", longest: 32}}
data: {dataset: {rte: {source: hub}}, batch: 32}
inits: [pretrained]
methods: [full]
seeds: {pretrain: 2, finetune: 1}
scores: [accuracy]
primary: {score: accuracy, id: dev, ood: []}
"""
COMMITS = ("0" * 40, "1" * 40)


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """A cache as the hub's library lays it out, which may not ask the hub; a suite beside it."""
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.chdir(tmp_path)
    Path("away.yaml").write_text(SUITE)
    return tmp_path / "hub"


def put(cache, seed, *, weights):
    storage = cache / f"models--google--multiberts-seed_{seed}"
    folder = save_bert(storage / "snapshots" / COMMITS[seed], seed)
    (storage / "refs").mkdir()
    (storage / "refs" / "main").write_text(COMMITS[seed])
    if not weights:
        (folder / "model.safetensors").unlink()


@pytest.mark.parametrize("words", [["run"], ["fetch"], ["measure", "--metric", "distance"]])
@pytest.mark.parametrize("option", [[], ["--offline"]])
def test_an_empty_cache_lacks_models_weights_and_data_in_one_line(cache, words, option, capsys):
    assert main([words[0], "./away.yaml", *words[1:], *option]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    for name in (
        "google/multiberts-seed_0 (configuration and tokenizer)",
        "google/multiberts-seed_0 (weights)",
        "google/multiberts-seed_1 (weights)",
        "data set nyu-mll/glue@",
    ):
        assert name in line
    assert "the hub may not be asked" in line


@pytest.mark.parametrize("words", [["run"], ["fetch", "--offline"]])
def test_with_a_model_in_the_cache_the_rest_is_told_in_one_line(cache, words, capsys):
    put(cache, 0, weights=True)
    put(cache, 1, weights=False)
    assert main(["check", "./away.yaml"]) == 0
    capsys.readouterr()
    assert main([words[0], "./away.yaml", *words[1:]]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert f"google/multiberts-seed_1@{COMMITS[1]} (weights);" in line
    assert "nyu-mll/glue@" in line and "seed_0" not in line
