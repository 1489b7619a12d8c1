"""Convolutions before max pooling are evaluated with channels last, where that works."""

import torch
from torch import Tensor, nn

from harness.testing.scenes import World


class Viewing(nn.Module):
    """Pooled images joined with `view`, which needs channels before places in memory."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)
        self.pool = nn.MaxPool2d(2)
        self.head = nn.Linear(36, 5)

    def forward(self, x: Tensor) -> Tensor:
        """Logits."""
        pooled = self.pool(self.conv(x))
        return self.head(pooled.view(len(x), -1))  # type: ignore[no-any-return]


class Watched(nn.Module):
    """A network that notes the layout of what it pools."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 4, 3)
        self.pool = nn.MaxPool2d(2)
        self.head = nn.Linear(36, 5)
        self.seen: list[bool] = []

    def forward(self, x: Tensor) -> Tensor:
        """Logits."""
        found = self.conv(x)
        self.seen.append(found.is_contiguous(memory_format=torch.channels_last))
        return self.head(self.pool(found).flatten(1))  # type: ignore[no-any-return]


def images(channels: int) -> tuple[Tensor, Tensor]:
    """Forty of 8 x 8 pixels."""
    x = torch.randn(40, channels, 8, 8, generator=torch.Generator().manual_seed(0))
    return x, torch.arange(40) % 5


def test_channels_lie_last_where_images_are_pooled_and_the_losses_are_the_networks() -> None:
    net = Watched().eval()
    x, y = images(1)
    probe = World(net, {"train": (x, y), "test": (x, y)}, {"a": net.state_dict()}).probe("a")
    with torch.no_grad():
        exact = nn.functional.cross_entropy(net(x), y)

    found = probe.evaluate([probe.weights()], "test").loss

    torch.testing.assert_close(found, exact.double()[None], rtol=1e-6, atol=1e-6)
    assert net.seen[0] is False, "the network by itself"
    assert net.seen[-1] is True
    assert probe.weights()["conv.weight"].is_contiguous(), "the point is as it was"


def test_doubles_are_left_as_they_lie() -> None:
    net = Watched().double().eval()
    x, y = images(1)
    data = (x.double(), y)
    probe = World(net, {"train": data, "test": data}, {"a": net.state_dict()}).probe("a")

    probe.evaluate([probe.weights()], "test")

    assert not any(net.seen)


def test_a_network_that_cannot_work_with_channels_last_is_given_none() -> None:
    net = Viewing().eval()
    x, y = images(3)
    probe = World(net, {"train": (x, y), "test": (x, y)}, {"a": net.state_dict()}).probe("a")
    with torch.no_grad():
        exact = nn.functional.cross_entropy(net(x), y, reduction="none")

    found = probe.evaluate([probe.weights()], "test", each=True).example_losses

    assert found is not None  # a last bit may depend on where in memory an example stands
    assert torch.allclose(found[0], exact.double(), rtol=1e-6, atol=0)
