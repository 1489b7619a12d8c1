"""Small encoders and decoders that a suite pretrains itself, and the bytes that they read."""

import pytest
import torch
from tiny_checkpoints import padded, save_tokenizer, text_room, texts
from torch.func import functional_call, vmap

from harness.api.errors import HarnessError
from harness_models.byte_reader import END, START, TOKENS, ByteReader
from harness_models.tiny_text import TINY_BERT, TINY_LM

SIZES = {"layers": 2, "width": 16, "heads": 2, "longest": 24, "dropout": 0.0}
MODELS = pytest.mark.parametrize("model", [TINY_BERT, TINY_LM], ids=lambda model: model.name)
READ = texts(sentence=["cats sat.", "a dog ran on"])


def built(model, kind="classification", classes=3, **settings):
    chosen = model.settings(**{**SIZES, **settings})
    with torch.random.fork_rng(devices=[]):
        network = model.build(chosen, text_room(classes=classes, kind=kind))
    return network, padded(model.reader(chosen, None).read(READ))


def test_bytes_are_read_as_they_are_with_one_token_at_each_end():
    tokens = ByteReader(10).read(texts(a=["ab", "é"]))
    assert tokens.columns["input_ids"].tolist() == [
        START, 97 + 4, 98 + 4, END, START, 0xC3 + 4, 0xA9 + 4, END
    ]  # fmt: skip
    assert tokens.offsets.tolist() == [0, 4, 8] and tokens.cut == 0


def test_an_empty_text_is_its_two_ends():
    assert ByteReader(10).read(texts(a=["", ""])).columns["input_ids"].tolist() == [START, END] * 2


def test_pairs_have_types_and_lose_the_end_of_the_longer_text():
    tokens = ByteReader(9).read(texts(a=["abcdefgh", "x"], b=["yz", "abcdefgh"]))
    first, second = (tokens.columns["input_ids"][9 * n : 9 * n + 9].tolist() for n in range(2))
    chars = [[chr(t - 4) if t > 3 else "|" for t in tokens] for tokens in (first, second)]
    assert ["".join(line) for line in chars] == ["|abcd|yz|", "|x|abcde|"]
    assert tokens.columns["token_type_ids"].tolist() == [0] * 6 + [1] * 3 + [0] * 3 + [1] * 6
    assert tokens.cut == 2


def test_what_is_read_does_not_hang_on_chunks(monkeypatch):
    lines = [str(n) * (n % 7) for n in range(50)]
    many = texts(a=lines)
    whole = ByteReader(8).read(many)
    monkeypatch.setattr("harness_models.byte_reader.CHUNK", 3)
    parts = ByteReader(8).read(many)
    assert torch.equal(whole.columns["input_ids"], parts.columns["input_ids"])
    assert torch.equal(whole.offsets, parts.offsets)
    assert whole.cut == parts.cut == sum(len(line) > 6 for line in lines) > 0


@MODELS
def test_classes_and_language_share_a_body_and_the_place_of_the_head(model):
    networks = [built(model, kind)[0] for kind in ("classification", "language")]
    bodies = [
        {n: t for n, t in network.module.state_dict().items() if not n.startswith(network.head)}
        for network in networks
    ]
    assert bodies[0].keys() == bodies[1].keys()
    assert all(torch.equal(bodies[0][name], bodies[1][name]) for name in bodies[0])
    assert all(network.head == ("head.",) for network in networks)


@MODELS
def test_language_has_logits_of_every_token_and_says_how_it_is_learnt(model):
    network, batch = built(model, "language", classes=0)
    logits = network.module.eval()(**batch)
    assert logits.shape == (*batch["input_ids"].shape, TOKENS) and network.language.tokens == TOKENS
    assert network.language.objective == ("masked-language" if model is TINY_BERT else "next-token")


def test_logits_are_had_of_single_places_alone():
    network, batch = built(TINY_BERT, "language", classes=0)
    places = torch.tensor([[3, 1], [0, 2]])
    with torch.no_grad():
        whole = network.module.eval()(**batch)
        some = network.module(**batch, places=places)
    torch.testing.assert_close(some, whole[torch.arange(2)[:, None], places])
    assert network.language.at_places


def test_a_decoder_looks_at_nothing_that_comes_later():
    network, batch = built(TINY_LM, "language", classes=0)
    other = {**batch, "input_ids": batch["input_ids"].clone()}
    other["input_ids"][:, 5:] += 1
    with torch.no_grad():
        one, two = (network.module.eval()(**each) for each in (batch, other))
    torch.testing.assert_close(one[:, :5], two[:, :5])
    assert not torch.allclose(one[:, 5:], two[:, 5:])


@MODELS
@pytest.mark.parametrize("attention", ["sdpa", "eager"])
def test_padding_changes_no_logits(model, attention):
    network, batch = built(model, attention=attention)
    longer = {name: torch.nn.functional.pad(t, (0, 6)) for name, t in batch.items()}
    with torch.no_grad():
        one, two = (network.module.eval()(**each) for each in (batch, longer))
    assert one.shape == (2, 3)
    torch.testing.assert_close(one, two, rtol=1e-5, atol=1e-6)


@MODELS
@pytest.mark.filterwarnings("ignore:There is a performance drop")  # sdpa's, on CPUs
def test_it_runs_under_vmap(model):
    network, batch = built(model)
    state = {n: torch.stack([t, t + 0.01]) for n, t in network.module.state_dict().items()}
    with torch.no_grad():
        both = vmap(lambda w: functional_call(network.module.eval(), w, (), batch))(state)
        torch.testing.assert_close(both[0], network.module(**batch), rtol=1e-5, atol=1e-6)
    assert not torch.allclose(both[0], both[1])


def test_the_default_has_a_few_million_parameters():
    with torch.device("meta"):
        network = TINY_BERT.build(TINY_BERT.settings(), text_room())
    count = sum(parameter.numel() for parameter in network.module.parameters())
    assert 3_000_000 < count < 4_000_000


def test_layers_blocks_and_symmetries_are_named():
    network, _ = built(TINY_BERT)
    assert network.layers[0] == ("body.embeddings.",) and len(network.layers) == 3
    assert [s.name.rpartition(".")[2] for s in network.symmetries][-1] == "stream"
    assert len(network.attention) == len(network.features) == 2
    decoder, _ = built(TINY_LM)
    assert decoder.layers == (("body.wte.", "body.wpe."), ("body.h.0.",), ("body.h.1.",))


def test_it_reads_by_a_tokenizer_in_a_folder(tmp_path):
    save_tokenizer(tmp_path)
    network, batch = built(TINY_BERT, tokenizer=str(tmp_path))
    assert network.language.tokens == 23 and network.language.mask == 4
    assert set(network.language.special) == {0, 1, 2, 3, 4}
    assert int(batch["input_ids"].max()) < 23
    settings = [TINY_BERT.settings(tokenizer=name) for name in (str(tmp_path), "bytes")]
    assert len({TINY_BERT.fingerprint(each) for each in settings}) == 2


def test_what_cannot_be_built_is_one_line(tmp_path):
    with pytest.raises(HarnessError, match=r"no tokenizer\.json"):
        built(TINY_BERT, tokenizer=str(tmp_path))
    with pytest.raises(HarnessError, match="width of 16 cannot be shared by 3 heads"):
        built(TINY_LM, heads=3)
