"""Text classifiers of transformers: its own numbers, positions and masks spelled out."""

import copy
import shutil

import pytest
import torch
from tiny_checkpoints import SIZES, edit_json, padded, save_any, save_bert, text_room, texts
from torch.func import functional_call, vmap

from harness.api.data import DataRoom, Task
from harness.api.errors import HarnessError
from harness_models.checkpoints import DESCRIPTION
from harness_models.explicit import TextClassifier
from harness_models.transformer import TRANSFORMER, TransformerSettings

READ = texts(sentence=["the cat sat on the mat .", "a dog ran", "not good , not bad ."])


def model(folder, seed=0, classes=2, **settings):
    """The settings, and the network with weights drawn from a seed."""
    chosen = TransformerSettings(checkpoint=str(folder), **{"longest": 32, **settings})
    with torch.random.fork_rng(devices=[]):
        return chosen, TRANSFORMER.build(chosen, text_room(classes=classes, seed=seed))


def batch_of(chosen, tmp_path, length=None):
    tokens = TRANSFORMER.reader(chosen, DataRoom(tmp_path, True)).read(READ)
    return padded(tokens, length)


def test_random_weights_come_from_the_room_alone(tmp_path):
    folder = save_bert(tmp_path / "bert")
    (_, one), (_, same), (_, other) = (model(folder, seed) for seed in (1, 1, 2))
    states = [network.module.state_dict() for network in (one, same, other)]
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])
    assert not torch.equal(
        states[0]["net.bert.pooler.dense.weight"], states[2]["net.bert.pooler.dense.weight"]
    )


def test_a_model_has_the_classes_of_the_task_and_names_its_head(tmp_path):
    _, network = model(save_bert(tmp_path / "bert"), classes=5)
    assert network.head == ("net.classifier.",)
    assert network.module.state_dict()["net.classifier.weight"].shape == (5, 16)
    assert network.stackable


def test_a_regression_has_one_number_for_each_text(tmp_path):
    chosen = TransformerSettings(checkpoint=str(save_bert(tmp_path / "bert")), longest=32)
    with torch.random.fork_rng(devices=[]):
        network = TRANSFORMER.build(chosen, text_room(kind="regression", classes=1))
    with torch.no_grad():
        found = network.logits(network.module.eval()(**batch_of(chosen, tmp_path)))
    assert found.shape == (3, 1)


def test_size_is_known_on_the_meta_device(tmp_path):
    folder = save_bert(tmp_path / "bert")
    with torch.device("meta"):
        _, network = model(folder)
    assert {parameter.device.type for parameter in network.module.parameters()} == {"meta"}


@pytest.mark.parametrize("attention", ["sdpa", "eager"])
def test_logits_are_those_of_transformers_at_the_same_weights(tmp_path, attention):
    from transformers import AutoModelForSequenceClassification

    folder = save_bert(tmp_path / "bert", kind="BertForSequenceClassification")
    chosen, network = model(folder, attention=attention)
    theirs = AutoModelForSequenceClassification.from_pretrained(folder).eval()
    network.module.net.load_state_dict(theirs.state_dict())
    batch = batch_of(chosen, tmp_path)
    with torch.no_grad():
        ours = network.logits(network.module.eval()(**batch))
        torch.testing.assert_close(ours, theirs(**batch).logits, rtol=1e-5, atol=1e-6)


ENDS = {"bos_token_id": 2, "eos_token_id": 2}
FAMILIES = {
    "albert": {"embedding_size": 8},
    "electra": {},
    "roberta": {"pad_token_id": 1},
    "distilbert": {"dim": 16, "n_layers": 2, "n_heads": 2, "hidden_dim": 24},
    "gpt2": {"n_embd": 16, "n_layer": 2, "n_head": 2, "n_positions": 40, **ENDS},
    "opt": {"ffn_dim": 24, "word_embed_proj_dim": 16},
    "gpt_neox": ENDS,
    "llama": {"num_key_value_heads": 1},
}  # fmt: skip


def family(kind):
    """A network of another architecture as the plugin wraps it, and a batch with padding."""
    from transformers import AutoConfig, AutoModelForSequenceClassification

    config = AutoConfig.for_model(kind, **{**SIZES, "pad_token_id": 0, **FAMILIES[kind]})
    config.num_labels = 3
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(0)
        net = AutoModelForSequenceClassification.from_config(config)
    mask = torch.arange(9) < torch.tensor([9, 6, 3])[:, None]
    drawn = torch.randint(5, 23, (3, 9), generator=torch.Generator().manual_seed(1))
    tokens = drawn.where(mask, torch.tensor(config.pad_token_id))
    return TextClassifier(net, []).eval(), tokens, mask.long()


@pytest.mark.slow
@pytest.mark.parametrize("kind", FAMILIES)
def test_positions_and_masks_of_every_family_are_those_of_transformers(kind):
    module, tokens, mask = family(kind)
    with torch.no_grad():
        theirs = module.net(input_ids=tokens, attention_mask=mask).logits
        torch.testing.assert_close(module(tokens, mask), theirs, rtol=1e-5, atol=1e-6)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:There is a performance drop")  # sdpa's, on CPUs
@pytest.mark.parametrize("kind", FAMILIES)
def test_every_family_runs_under_vmap(kind):
    module, tokens, mask = family(kind)
    state = {name: torch.stack([t, t]) for name, t in module.state_dict().items()}

    def one(weights):
        return functional_call(module, weights, (), {"input_ids": tokens, "attention_mask": mask})

    with torch.no_grad():
        both = vmap(one)(state)
        torch.testing.assert_close(both[1], module(tokens, mask), rtol=1e-5, atol=1e-6)


def test_padding_changes_no_logits(tmp_path):
    chosen, network = model(save_bert(tmp_path / "bert"))
    with torch.no_grad():
        short, long = (
            network.module.eval()(**batch_of(chosen, tmp_path, length)) for length in (None, 30)
        )
    torch.testing.assert_close(short, long, rtol=1e-5, atol=1e-6)


def test_features_are_each_blocks_first_token_and_a_copy_shows_its_own(tmp_path):
    chosen, network = model(save_bert(tmp_path / "bert"))
    assert network.features == ("blocks.0", "blocks.1")
    batch = batch_of(chosen, tmp_path)
    for module in (network.module.eval(), copy.deepcopy(network.module).eval()):
        seen = []
        handle = module.get_submodule("blocks.1").register_forward_hook(
            lambda _module, _inputs, output, seen=seen: seen.append(output)
        )
        with torch.no_grad():
            module(**batch)
            hidden = module.net.bert(
                **{name: batch[name] for name in ("input_ids", "attention_mask", "token_type_ids")}
            ).last_hidden_state
        handle.remove()
        assert len(seen) == 1
        torch.testing.assert_close(seen[0], hidden[:, 0], rtol=1e-5, atol=1e-6)


def test_what_can_be_looked_into_is_there(tmp_path):
    _, network = model(save_bert(tmp_path / "bert"))
    names = {name for name, _ in network.module.named_modules()}
    assert len(network.attention) == 2
    assert all({block.query, block.key} <= names for block in network.attention)
    found = [symmetry.name.rpartition(".")[2] for symmetry in network.symmetries]
    assert found == ["heads", "units", "heads", "units", "stream"]


def test_every_dropout_rate_can_be_set(tmp_path):
    folder = save_bert(tmp_path / "bert")
    rates = {
        rate: {m.p for m in model(folder, dropout=rate)[1].module.modules() if hasattr(m, "p")}
        for rate in (None, 0.0, 0.3)
    }
    assert rates == {None: {0.1}, 0.0: {0.0}, 0.3: {0.3}}


def test_an_architecture_that_branches_on_data_is_not_stacked(tmp_path):
    folder = save_bert(tmp_path / "bert")
    import transformers

    transformers.AutoConfig.for_model(
        "deberta-v2", **SIZES, pad_token_id=0, type_vocab_size=0
    ).save_pretrained(folder)
    _, network = model(folder, attention="eager")
    assert "masks" in network.why_not_stackable and not network.stackable


def test_layers_stand_from_the_embeddings_up_and_leave_the_head_out(tmp_path):
    _, network = model(save_bert(tmp_path / "bert"))
    assert network.layers == (
        ("net.bert.embeddings.",),
        ("net.bert.encoder.layer.0.",),
        ("net.bert.encoder.layer.1.",),
    )


def test_blocks_can_be_computed_again_instead_of_kept(tmp_path):
    _, network = model(save_bert(tmp_path / "bert"), gradient_checkpointing=True)
    assert network.recomputed == ("net.bert.encoder.layer.0", "net.bert.encoder.layer.1")


def test_what_it_cannot_be_trained_on_is_one_line(tmp_path):
    chosen = TransformerSettings(checkpoint=str(save_bert(tmp_path / "bert")), longest=32)
    with pytest.raises(
        HarnessError, match=r"model 'transformer': it predicts labels .* 'language'"
    ):
        TRANSFORMER.build(chosen, text_room(kind="language", classes=0))
    with pytest.raises(HarnessError, match="one text or a pair, but the data have 3 fields"):
        TRANSFORMER.build(chosen, text_room("a", "b", "c"))
    room = text_room()
    digits = type(room)(Task("classification", ("0", "1")), {}, room.generator)
    with pytest.raises(HarnessError, match="it takes text"):
        TRANSFORMER.build(chosen, digits)


def test_more_tokens_than_there_are_positions_is_one_line(tmp_path):
    with pytest.raises(HarnessError, match="positions for 40 tokens, and `longest` is 64"):
        model(save_bert(tmp_path / "bert"), longest=64)


def test_positions_after_a_padding_token_that_is_not_named_are_one_line(tmp_path):
    folder = save_any(tmp_path / "roberta", "RobertaForMaskedLM")
    edit_json(folder / "config.json", pad_token_id=None)
    with pytest.raises(HarnessError, match=r"'roberta' names no padding token, .*`pad_token_id`"):
        model(folder)


def test_the_fingerprint_is_of_what_the_files_hold_not_of_where_they_lie(tmp_path):
    here = save_bert(tmp_path / "here")
    shutil.copytree(here, tmp_path / "there")
    other = save_bert(tmp_path / "other", hidden_dropout_prob=0.2)

    def print_of(folder):
        return TRANSFORMER.fingerprint(TransformerSettings(checkpoint=str(folder)))

    assert print_of(here) == print_of(tmp_path / "there") != print_of(other)
    (tmp_path / "there" / "tokenizer_config.json").write_text("{}")
    assert print_of(here) != print_of(tmp_path / "there")
    assert "tokenizer*" in DESCRIPTION
