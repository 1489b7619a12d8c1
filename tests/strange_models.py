"""Models and a shift as strangers write them, with habits that the built-in ones do not have."""

import torch
import torch.nn.functional as F
from torch import nn

from harness.api.hooks import hookimpl
from harness.api.networks import Network
from harness.api.offers import Model, Shift


class Plain(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Linear(64, 16)
        self.head = nn.Linear(16, 10)

    def forward(self, image):
        return self.head(torch.relu(self.body(image.flatten(1))))


class Masked(Plain):
    """Keeps an attention mask in its state dict: -inf above the diagonal."""

    def __init__(self):
        super().__init__()
        self.register_buffer("mask", torch.full((16, 16), float("-inf")).triu(1))

    def forward(self, image):
        features = torch.relu(self.body(image.flatten(1)))
        return self.head(features @ torch.softmax(self.mask, -1).T)


class InPlace(Plain):
    def forward(self, image):
        image.sub_(0.1)
        return super().forward(image)


class Unsaved(Plain):
    """A buffer that is not in the state dict, as the position ids of Hugging Face's encoders."""

    def __init__(self):
        super().__init__()
        self.register_buffer("scale", torch.full((64,), 2.0), persistent=False)

    def forward(self, image):
        return super().forward(image.flatten(1) * self.scale)


class Shared(nn.Module):
    """One batch norm and one linear layer that stand in two places; a tied weight besides."""

    def __init__(self):
        super().__init__()
        self.enter = nn.Linear(64, 10)
        layer, norm = nn.Linear(10, 10), nn.BatchNorm1d(10)
        self.first = nn.Sequential(layer, norm)
        self.second = nn.Sequential(layer, norm)
        self.head = nn.Linear(10, 10)
        self.head.weight = layer.weight

    def forward(self, image):
        return self.head(self.second(torch.relu(self.first(self.enter(image.flatten(1))))))


class Noisy(Plain):
    """Random slopes in training, from torch's global generator."""

    def forward(self, image):
        return self.head(F.rrelu(self.body(image.flatten(1)), training=self.training))


class AlwaysDrops(Plain):
    """`F.dropout` without `training=self.training` drops in evaluation too."""

    def forward(self, image):
        return self.head(F.dropout(torch.relu(self.body(image.flatten(1))), 0.3))


class Branches(Plain):
    """A branch on data, which vmap refuses; nothing says so."""

    def forward(self, image):
        return super().forward(image * 2 if float(image.sum()) < -1e9 else image)


class Remembers(Plain):
    """Keeps its last features, as those do who look at them afterwards."""

    def forward(self, image):
        self.features = torch.relu(self.body(image.flatten(1)))
        return self.head(self.features)


class Frozen(Plain):
    """Fixed random features: the model itself says that they do not train."""

    def __init__(self):
        super().__init__()
        self.body.requires_grad_(False)


MODELS = {
    "masked": Masked,
    "in-place": InPlace,
    "unsaved": Unsaved,
    "shared": Shared,
    "noisy": Noisy,
    "always-drops": AlwaysDrops,
    "branches": Branches,
    "remembers": Remembers,
    "frozen": Frozen,
}


def offer(name, kind):
    return Model(name=name, about="a habit", build=lambda _, room: Network(kind(), ("head.",)))


@hookimpl
def harness_models():
    return [offer(name, kind) for name, kind in MODELS.items()]


def darken(_settings, inputs, _draws):
    inputs["image"] //= 2
    return inputs


@hookimpl
def harness_shifts():
    return [
        Shift(name="in-place", about="halves grey values where they lie", kind="x", apply=darken)
    ]
