"""Vision transformers: from sizes, and from a folder as transformers saves it."""

import pytest
import torch
from tiny_checkpoints import save_bert
from torch.func import functional_call, vmap

from harness.api.contexts import BuildRoom
from harness.api.data import DataRoom, InputSpec, Task
from harness.api.errors import HarnessError
from harness_models.vision import IMAGE_TRANSFORMER, VIT

SMALL = {"layers": 2, "width": 16, "heads": 2, "patch": 4}


def room(shape=(1, 8, 8), classes=3, seed=0):
    task = Task("classification", tuple(str(n) for n in range(classes)))
    generator = torch.default_generator.manual_seed(seed)
    return BuildRoom(task, {"picture": InputSpec(shape)}, generator)


def built(offer, shape=(1, 8, 8), **settings):
    with torch.random.fork_rng(devices=[]):
        return offer.build(offer.settings(**settings), room(shape))


def images(*shape):
    return torch.randn(shape, generator=torch.Generator().manual_seed(1))


@pytest.fixture
def folder(tmp_path):
    import transformers

    config = transformers.ViTConfig(
        image_size=16, patch_size=4, hidden_size=16, num_hidden_layers=2, num_attention_heads=2,
        intermediate_size=24, num_labels=3,
    )  # fmt: skip
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(0)
        transformers.ViTForImageClassification(config).save_pretrained(tmp_path)
    return tmp_path


def test_a_vit_has_the_size_of_the_images_and_the_classes_of_the_task():
    network = built(VIT, (3, 12, 12), **SMALL)
    assert network.module(picture=images(5, 3, 12, 12)).shape == (5, 3)
    assert network.head == ("net.classifier.",) and len(network.layers) == 3
    assert network.features == ("blocks.0", "blocks.1")


@pytest.mark.filterwarnings("ignore:There is a performance drop")  # sdpa's, on CPUs
def test_a_vit_runs_under_vmap():
    network, batch = built(VIT, **SMALL), {"picture": images(4, 1, 8, 8)}
    state = {n: torch.stack([t, t + 0.01]) for n, t in network.module.state_dict().items()}
    with torch.no_grad():
        both = vmap(lambda w: functional_call(network.module.eval(), w, (), batch))(state)
        torch.testing.assert_close(both[0], network.module(**batch), rtol=1e-5, atol=1e-6)


def test_the_default_has_about_a_million_parameters():
    with torch.device("meta"):
        network = VIT.build(VIT.settings(), room((1, 28, 28)))
    assert 1_000_000 < sum(p.numel() for p in network.module.parameters()) < 1_500_000


def test_a_folder_is_built_and_filled_as_transformers_would(folder):
    import transformers

    network = built(IMAGE_TRANSFORMER, (3, 16, 16), checkpoint=str(folder))
    settings = IMAGE_TRANSFORMER.settings(checkpoint=str(folder))
    name = IMAGE_TRANSFORMER.pretrained.source(settings, 0).name
    IMAGE_TRANSFORMER.pretrained.check(settings, name, DataRoom(folder, True))
    weights = IMAGE_TRANSFORMER.pretrained.load(settings, name, DataRoom(folder, True))
    own = network.module.state_dict()
    assert {name for name in own if name not in weights} == {
        "net.classifier.weight", "net.classifier.bias",
    }  # fmt: skip
    theirs = transformers.ViTForImageClassification.from_pretrained(folder).eval()
    network.module.net.load_state_dict(theirs.state_dict())
    picture = images(2, 3, 16, 16)
    with torch.no_grad():
        ours = network.module.eval()(picture=picture)
        torch.testing.assert_close(ours, theirs(pixel_values=picture).logits)


def test_grey_and_smaller_images_are_made_to_fit(folder):
    network = built(IMAGE_TRANSFORMER, (1, 8, 8), checkpoint=str(folder))
    with torch.no_grad():
        logits = network.module.eval()(picture=images(2, 1, 8, 8))
    assert logits.shape == (2, 3) and not torch.equal(logits[0], logits[1])


def test_what_cannot_be_built_is_one_line(folder, tmp_path_factory):
    with pytest.raises(HarnessError, match="8 x 8 pixels cannot be cut into patches of 3"):
        built(VIT, **{**SMALL, "patch": 3})
    with pytest.raises(HarnessError, match="cannot be shared by 3 heads"):
        built(VIT, **{**SMALL, "heads": 3})
    with pytest.raises(HarnessError, match="images of 3 channels, but the data have 2"):
        built(IMAGE_TRANSFORMER, (2, 16, 16), checkpoint=str(folder))
    text = save_bert(tmp_path_factory.mktemp("bert"))
    with pytest.raises(HarnessError, match="no classifier of images can be made"):
        built(IMAGE_TRANSFORMER, (3, 16, 16), checkpoint=str(text))
