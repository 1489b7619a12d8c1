"""Built-in networks for images, feature vectors and text."""

from collections.abc import Iterable

from harness.api.hooks import hookimpl
from harness.api.offers import Model
from harness_models.cnn import CNN
from harness_models.minilm import MINILM
from harness_models.mlp import MLP
from harness_models.resnet import RESNET
from harness_models.tiny_text import TINY_BERT, TINY_LM
from harness_models.transformer import TRANSFORMER
from harness_models.vision import IMAGE_TRANSFORMER, VIT


@hookimpl
def harness_models() -> Iterable[Model]:
    """Networks by name."""
    return (CNN, IMAGE_TRANSFORMER, MINILM, MLP, RESNET, TINY_BERT, TINY_LM, TRANSFORMER, VIT)
