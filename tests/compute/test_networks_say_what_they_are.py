"""What a Network says of its head, its layers and its language has to be true."""

import pytest
import torch
from torch import nn

from harness.api.data import InputSpec, Outline, Task
from harness.api.errors import HarnessError
from harness.api.networks import Language, Network
from harness.api.offers import Model
from harness.api.settings import NoSettings
from harness.compute.building import build_network, wants_fresh_head, with_head

OUTLINE = Outline(Task("classification", ("a", "b")), {"x": InputSpec((3,), "float")}, None, {})


class Two(nn.Module):
    def __init__(self):
        super().__init__()
        self.body, self.head = nn.Linear(3, 3), nn.Linear(3, 2)


def built(**said):
    network = Network(Two(), **{"head": ("head.",), **said})
    model = Model(name="two", about="t", build=lambda settings, room: network)
    return build_network(model, NoSettings(), OUTLINE, 0)


@pytest.mark.parametrize(
    ("said", "complaint"),
    [
        ({"head": ("tail.",)}, "no parameter begins with its head 'tail.'"),
        ({"layers": (("body.",), ("trunk.",))}, "no parameter begins with its layer 'trunk.'"),
        ({"language": Language("masked-language", 10)}, "by none that it knows: -1 of 10"),
        ({"language": Language("masked-language", 10, mask=10)}, "by none that it knows: 10 of"),
    ],
)
def test_what_is_not_true_is_one_clear_line(said, complaint):
    with pytest.raises(HarnessError, match=complaint):
        built(**said)


def test_next_tokens_need_no_mask():
    assert built(language=Language("next-token", 10)).language.mask == -1


def test_a_head_of_other_names_is_replaced_whole():
    network = built()
    own = network.module.state_dict()
    weights = {**own, "head.decoder.weight": torch.zeros(5, 3)}
    assert wants_fresh_head(network, weights)
    assert not wants_fresh_head(network, own)
    drawn = {name: tensor + 1 for name, tensor in own.items()}
    found = with_head(network, weights, drawn)
    assert found.keys() == own.keys()
    assert torch.equal(found["body.weight"], own["body.weight"])
    assert torch.equal(found["head.weight"], drawn["head.weight"])
