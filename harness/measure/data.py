"""Examples of a split in batches: the same ones, in the same order, for whoever asks."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel

from harness.api.contexts import Weights
from harness.compute.packed import by_length, even_batches
from harness.compute.streams import stream
from harness.measure.scene import Examples, Scene


@dataclass(frozen=True)
class Batch:
    """Some examples: module inputs, targets, and how many."""

    inputs: Mapping[str, Tensor]
    targets: Tensor

    @property
    def size(self) -> int:
        """Number of examples."""
        return len(self.targets)


@dataclass(frozen=True)
class Sample:
    """Some examples of a split; `name` tells samples apart.

    `indices` None means all of them, in order. Of text, `lengths` are the examples' tokens, the
    longest first: batches of short ones hold more of them. `ready` are the inputs of a small
    sample. `given` are targets [size] in place of the split's own. `lent` says that the network
    leaves its inputs as they are, so that it can be given these and no copies. `channels_last`
    names weights that are to lie in memory with their channels last (`layout.py`).
    """

    name: str
    source: Examples
    size: int
    dtype: torch.dtype
    indices: Tensor | None = None
    ready: Mapping[str, Tensor] | None = None
    given: Tensor | None = None
    lent: bool = False
    channels_last: frozenset[str] = frozenset()
    lengths: Tensor | None = None

    @property
    def bulk(self) -> int:
        """How many examples as large as the largest it amounts to."""
        if self.lengths is None:
            return self.size
        return -(-int(self.lengths.sum()) // max(1, int(self.lengths[0])))

    def batches(self, at_most: int) -> Iterator[Batch]:
        """All examples in order, `at_most` at once; of text as much as so many of the longest."""
        if self.lengths is not None and at_most < self.size:
            tokens = at_most * int(self.lengths[0])
            for stretch in even_batches(self.lengths, tokens):
                yield self.batch(stretch.start, stretch.stop)
            return
        for start in range(0, self.size, at_most):
            yield self.batch(start, start + at_most)

    def batch(self, start: int, end: int) -> Batch:
        """The examples at positions start..end-1."""
        where = slice(start, end) if self.indices is None else self.indices[start:end]
        own = self.source.targets[where] if self.given is None else self.given[start:end]
        targets = self._typed(own)
        if self.ready is not None:
            inputs: Mapping[str, Tensor] = {n: ready[start:end] for n, ready in self.ready.items()}
        else:
            inputs = self.source.model_inputs(where)
        return Batch({name: self._typed(tensor) for name, tensor in inputs.items()}, targets)

    def _typed(self, tensor: Tensor) -> Tensor:
        return tensor.to(self.dtype) if tensor.is_floating_point() else tensor


def take(scene: Scene, split: str, examples: int | None, dtype: torch.dtype) -> Sample:
    """A split, or `examples` of it: a fixed draw without replacement, whoever measures what.

    The examples stand in the order of the split, those of text the longest first.
    """
    source = scene.examples(split)
    total = len(source.targets)
    whole = examples is None or examples >= total
    if whole and source.lengths is None:
        return Sample(split, source, total, dtype)
    name = split if examples is None or whole else f"{split}[{examples}]"
    draw = torch.randperm(total, generator=stream(0, f"probe:examples:{split}"))
    indices = draw[:examples].sort().values
    if source.lengths is not None:
        indices = indices[by_length(source.lengths[indices])]
        sample = Sample(name, source, len(indices), dtype, indices)
        return replace(sample, lengths=source.lengths[indices])
    sample = Sample(name, source, len(indices), dtype, indices.to(source.targets.device))
    examples = len(indices)
    one = sample.batch(0, 1)
    if examples * sum(tensor.nbytes for tensor in one.inputs.values()) > scene.budget.batch:
        return sample
    return replace(sample, ready=sample.batch(0, examples).inputs)


def bytes_per_example(scene: Scene, weights: Weights, sample: Sample) -> int:
    """What one example leaves behind for the backward pass: a bound on what a forward holds."""
    batch = sample.batch(0, min(2, sample.size))
    with _saved(weights) as saved:
        loss = _loss(scene, differentiable(weights, scene), batch)
    del loss
    inputs = sum(tensor.nbytes for tensor in batch.inputs.values())
    return max(1, (saved() + inputs) // batch.size)


def bytes_per_graph(scene: Scene, weights: Weights, sample: Sample) -> int:
    """What one example leaves behind in a graph that can be differentiated again."""
    sizes = []
    for count in sorted({1, min(3, sample.size)}):
        leaves = differentiable(dict(weights), scene)
        wanted = [tensor for tensor in leaves.values() if tensor.requires_grad]
        with _saved(weights) as saved, twice_differentiable():
            loss = _loss(scene, leaves, sample.batch(0, count))
            if loss.requires_grad:
                grads = torch.autograd.grad(loss, wanted, create_graph=True, allow_unused=True)
                del grads
        sizes.append(saved())
        del loss
    return max(1, sizes[0] if len(sizes) == 1 else (sizes[1] - sizes[0]) // 2)


def _loss(scene: Scene, leaves: Weights, batch: Batch) -> Tensor:
    return scene.objective.losses(scene.outputs(leaves, batch.inputs), batch.targets).sum()


@contextmanager
def _saved(weights: Weights) -> Iterator[Callable[[], int]]:
    """Bytes that what runs inside keeps for derivatives, the weights themselves left out."""
    own = {tensor.untyped_storage().data_ptr() for tensor in weights.values()}
    kept: dict[int, tuple[int, Tensor]] = {}

    def keep(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:  # held, so that no other tensor gets its address
            size = min(storage.nbytes(), tensor.nbytes)
            kept[storage.data_ptr()] = size, tensor.detach()
        return tensor

    with torch.enable_grad(), torch.autograd.graph.saved_tensors_hooks(keep, lambda kept: kept):
        yield lambda: sum(size for size, _ in kept.values())


@contextmanager
def twice_differentiable() -> Iterator[None]:
    """Attention by plain matrix products: the fused kernels have no second derivative."""
    with sdpa_kernel(SDPBackend.MATH):
        yield


def differentiable(weights: Weights, scene: Scene) -> dict[str, Tensor]:
    """The weights with every parameter that can train as a fresh leaf that wants a gradient."""
    named = scene.network.module.named_parameters()
    names = {name for name, parameter in named if parameter.requires_grad}
    return {
        name: tensor.detach().requires_grad_() if name in names else tensor
        for name, tensor in weights.items()
    }
