"""Built-in networks for images and feature vectors."""

from collections.abc import Iterable

from harness.api.hooks import hookimpl
from harness.api.offers import Model
from harness_models.cnn import CNN
from harness_models.mlp import MLP
from harness_models.resnet import RESNET


@hookimpl
def harness_models() -> Iterable[Model]:
    """Networks by name."""
    return (CNN, MLP, RESNET)
