"""Text classifiers trained as one stack end where they would alone, with dropout and padding."""

import pytest
from tiny_checkpoints import save_any, save_bert
from training_scene import a_cell, distance, open_bench, use

from harness.api.cells import SplitUse
from harness.train.pack import train_pack

SGD = use("method", "full", steps=6, lr=0.02, optimizer="sgd", momentum=0.9)


@pytest.fixture
def train(tmp_path):
    lines = [f"the {'cat ' * (n % 5 + 1)}{'sat' if n % 2 else 'ran'} .\t{n % 2}" for n in range(24)]
    (tmp_path / "train.tsv").write_text("\n".join(["text\tlabel", *lines, ""]))
    dataset = use("dataset", "text", path=str(tmp_path / "train.tsv"), label="label", test=4)
    return SplitUse("train", dataset, "", "train")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["transformer", "tiny-bert", "tiny-lm"])
def test_alone_and_in_a_pack_agree(tmp_path, train, name):
    small = {"layers": 2, "width": 16, "heads": 2, "longest": 32}
    if name == "transformer":
        small = {"checkpoint": str(save_bert(tmp_path / "bert")), "longest": 32}
    bench = open_bench(tmp_path)
    cells = [
        a_cell(seed, model=use("model", name, **small), method=SGD, train=train, batch=8)
        for seed in range(3)
    ]
    pack = train_pack(cells, bench, print)
    alone = [train_pack([cell], bench, print)[0] for cell in cells]
    assert distance(alone[0].weights, alone[1].weights) > 1e-3
    for single, packed in zip(alone, pack, strict=True):
        assert packed.trained.pack == 3
        assert distance(single.weights, packed.weights) < 1e-5


FAMILIES = {
    "RobertaForMaskedLM": {"pad_token_id": 1},
    "GPT2LMHeadModel": {"attn_pdrop": 0.2, "resid_pdrop": 0.2},
    "LlamaForCausalLM": {"attention_dropout": 0.2},
    "OPTForCausalLM": {"dropout": 0.2, "attention_dropout": 0.2},  # drops in [n x length, width]
}


@pytest.mark.slow
@pytest.mark.parametrize("kind", FAMILIES)
def test_every_kind_drops_the_same_in_a_pack_and_in_parts(tmp_path, train, kind):
    folder = save_any(tmp_path / kind, kind, **FAMILIES[kind])
    model = use("model", "transformer", checkpoint=str(folder), longest=32)
    bench = open_bench(tmp_path)

    def trained(seeds, accumulate=1):
        settings = {"steps": 4, "lr": 0.02, "optimizer": "sgd", "accumulate": accumulate}
        method = use("method", "full", **settings)
        cells = [a_cell(n, model=model, method=method, train=train, batch=8) for n in seeds]
        return train_pack(cells, bench, print)

    (alone,), packed = trained([0]), trained([0, 1, 2])
    assert packed[0].trained.pack == 3
    assert distance(packed[0].weights, packed[1].weights) > 1e-3
    assert distance(alone.weights, packed[0].weights) < 1e-5
    assert distance(alone.weights, trained([0], accumulate=3)[0].weights) < 1e-5
