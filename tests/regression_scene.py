"""A regression on made-up points: y = x0 - 2 x1 + noise, and farther out in the OOD split."""

import torch
from torch import nn

from harness.api.data import InputSpec, OodOutline, Outline, Split, Splits, Task
from harness.api.hooks import hookimpl
from harness.api.networks import Network
from harness.api.offers import Dataset, Model

SIZES = {"train": 200, "test": 60, "far": 40}


def split_of(name: str) -> Split:
    draw = torch.Generator().manual_seed(list(SIZES).index(name))
    x = torch.randn(SIZES[name], 2, generator=draw) + (2.0 if name == "far" else 0.0)
    noise = 0.1 * torch.randn(len(x), generator=draw)
    return Split({"x": x}, x[:, 0] - 2 * x[:, 1] + noise)


@hookimpl
def harness_datasets():
    outline = Outline(
        task=Task("regression", ("height",)),
        inputs={"x": InputSpec((2,), "float")},
        train=SIZES["train"],
        id={"test": SIZES["test"]},
        ood={"far": OodOutline("place", "test", SIZES["far"])},
    )
    return [
        Dataset(
            name="toy-slope",
            about="made-up points",
            outline=lambda settings: outline,
            fingerprint=lambda settings: "slope-1",
            load=lambda settings, room: Splits(
                split_of("train"), {"test": split_of("test")}, {"far": split_of("far")}
            ),
        )
    ]


class Line(nn.Module):
    def __init__(self):
        super().__init__()
        self.head = nn.Linear(2, 1)

    def forward(self, x):
        return self.head(x)


@hookimpl
def harness_models():
    def build(settings, room):
        assert room.task.classes == ("height",)
        return Network(Line(), head=("head.",))

    return [Model(name="toy-line", about="a linear map", build=build)]
