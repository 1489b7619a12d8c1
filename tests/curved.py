"""Worlds whose Hessian is known: quadratic bowls, and a network with its dense Hessian."""

import torch
from torch import nn
from torch.nn import functional

from harness.testing.scenes import LOSS_ITSELF, World


class Bowl(nn.Module):
    def __init__(self, matrix):
        super().__init__()
        self.w = nn.Parameter(torch.zeros(len(matrix), dtype=matrix.dtype))
        self.matrix = matrix

    def forward(self, x):
        return self.w @ self.matrix @ self.w / 2


def bowl(*eigenvalues, runs=1, rotated=True):
    """A quadratic loss with these eigenvalues and runs "0", "1", ..., all at one point."""
    size = len(eigenvalues)
    generator = torch.Generator().manual_seed(1)
    noise = torch.randn(size, size, dtype=torch.float64, generator=generator)
    basis = torch.linalg.qr(noise)[0] if rotated else torch.eye(size).double()
    matrix = basis @ torch.diag(torch.tensor(eigenvalues).double()) @ basis.T
    start = torch.randn(size, dtype=torch.float64, generator=generator)
    data = torch.zeros(3, 1).double(), torch.zeros(3).double()
    points = {str(run): {"w": start} for run in range(runs)}
    return World(Bowl(matrix), {"train": data, "test": data}, points, LOSS_ITSELF)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.one = nn.Linear(8, 16)
        self.two = nn.Linear(16, 10)

    def forward(self, x):
        return self.two(torch.relu(self.one(x)))


def network(count=90, runs=1, **told):
    """A random network of 314 parameters."""
    generator = torch.Generator().manual_seed(0)
    state = {
        name: torch.randn(tensor.shape, generator=generator) / 2
        for name, tensor in Net().state_dict().items()
    }
    data = torch.randn(count, 8, generator=generator), torch.arange(count) % 10
    splits = {"train": data, "test": data, "ood-far": data}
    return World(Net(), splits, {str(run): state for run in range(runs)}, **told)


def dense_hessian(world):
    """The Hessian of the network's training loss, by automatic differentiation in float64."""
    state = {name: tensor.double() for name, tensor in world.runs["0"].items()}
    x, y = world.splits["train"]

    def loss(vector):
        parts = vector.split([tensor.numel() for tensor in state.values()])
        named = zip(state.items(), parts, strict=True)
        weights = {name: part.reshape(tensor.shape) for (name, tensor), part in named}
        out = torch.func.functional_call(Net(), weights, (x.double(),))
        return functional.cross_entropy(out, y)

    start = torch.cat([tensor.reshape(-1) for tensor in state.values()])
    return torch.autograd.functional.hessian(loss, start)


def values(reading):
    """Values of a reading by name."""
    return {value.name: value.value for value in reading.values}


def errors(reading):
    """Standard errors of a reading by name."""
    return {value.name: value.standard_error for value in reading.values}
