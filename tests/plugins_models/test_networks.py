"""The built-in networks: sizes known from the literature, shapes that they suit."""

import subprocess
import sys

import pytest
import torch

from harness.api.data import InputSpec, Outline, Task
from harness.api.errors import HarnessError
from harness.compute.building import build_network
from harness_models.cnn import CNN
from harness_models.mlp import MLP
from harness_models.resnet import RESNET


def built(model, shape=(1, 8, 8), classes=10, **settings):
    inputs = {"picture": InputSpec(shape)}
    outline = Outline(
        Task("classification", tuple(map(str, range(classes)))), inputs, train=None, id={}
    )
    return build_network(model, model.settings(**settings), outline, 0)


def size(network):
    return sum(parameter.numel() for parameter in network.module.parameters())


@pytest.mark.parametrize(("depth", "millions"), [(20, 0.27), (32, 0.46), (44, 0.66)])
def test_resnets_have_the_parameter_counts_of_the_paper(depth, millions):
    assert round(size(built(RESNET, (3, 32, 32), depth=depth)) / 1e6, 2) == millions


def test_resnet_20_counted_by_hand():
    """Convolutions 3x3 without bias, two numbers per channel and norm, a linear head; option A."""

    def stage(before, width):
        norms = 2 * 2 * width
        return 9 * before * width + 9 * width * width + norms + 2 * (18 * width * width + norms)

    count = 9 * 3 * 16 + 2 * 16 + stage(16, 16) + stage(16, 32) + stage(32, 64) + 65 * 10
    assert size(built(RESNET, (3, 32, 32))) == count == 269_722
    assert size(built(RESNET, (3, 32, 32), norm="group")) == count
    projections = 16 * 32 + 32 * 64 + 2 * 32 + 2 * 64
    assert size(built(RESNET, (3, 32, 32), shortcut="B")) == count + projections


def test_resnet_weights_have_the_spread_that_he_et_al_prescribe():
    weight = built(RESNET, (3, 32, 32)).module.state_dict()["body.10.conv2.weight"]
    assert weight.shape == (64, 64, 3, 3)
    assert float(weight.std()) == pytest.approx((2 / (64 * 9)) ** 0.5, rel=0.02)


@pytest.mark.parametrize("shape", [(1, 8, 8), (1, 28, 28), (3, 32, 32)])
@pytest.mark.parametrize("norm", ["group", "batch"])
@pytest.mark.parametrize("model", [CNN, RESNET])
def test_image_networks_take_all_usual_sizes(model, norm, shape):
    network = built(model, shape, classes=7, norm=norm)
    assert network.logits(network.module(picture=torch.zeros(2, *shape))).shape == (2, 7)


@pytest.mark.parametrize("norm", ["none", "batch", "layer"])
@pytest.mark.parametrize("activation", ["relu", "gelu", "tanh"])
def test_an_mlp_takes_any_shape(norm, activation):
    network = built(MLP, (5, 3), hidden=[4, 6], norm=norm, activation=activation, dropout=0.1)
    assert network.module(picture=torch.zeros(2, 5, 3)).shape == (2, 10)
    assert size(built(MLP, (5, 3), hidden=[4, 6])) == 16 * 4 + 5 * 6 + 7 * 10


def test_an_mlp_without_hidden_layers_is_logistic_regression():
    assert size(built(MLP, (64,), hidden=[])) == 650


def test_a_network_refuses_data_that_it_cannot_take():
    with pytest.raises(HarnessError, match="model 'cnn': it takes images of at least 4 x 4"):
        built(CNN, (64,))
    with pytest.raises(HarnessError, match="at least 8 x 8"):
        built(RESNET, (1, 4, 4))


def test_announcing_models_and_methods_loads_no_torch():
    code = (
        "import sys, harness_models, harness_methods\n"
        "for hook in (harness_models.harness_models, harness_methods.harness_methods):\n"
        "    assert len(list(hook())) >= 2\n"
        "assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
