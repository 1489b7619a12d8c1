"""Nothing that a metric does outlives it: state is compared bit by bit and put back.

Copies cost one pass over the memory, which no metric comes near; version counters would be
cheaper and miss whatever goes through `.data` or a numpy view.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import MappingProxyType

import torch
from torch import Tensor, nn

from harness.api.contexts import Weights
from harness.compute.generators import Undo, global_generators, undo_of

_BITS = MappingProxyType({2: torch.int16, 4: torch.int32, 8: torch.int64})


class Guard:
    """Remembers state as it is, and puts it back."""

    def __init__(self, module: nn.Module) -> None:
        generators = list(global_generators())
        self._undo: list[Undo] = [*_module(module), *_settings(), *generators]
        self._generators = {name for name, _ in generators}
        self._watched: set[int] = set()
        self.restored: tuple[str, ...] = ()

    def watch(self, name: str, weights: Weights) -> None:
        """Keep these tensors too, as they are now (once; they must not be made on the fly)."""
        if id(weights) not in self._watched:
            self._watched.add(id(weights))
            for part, tensor in weights.items():
                self._undo.extend(_tensor(f"{part} of {name}", tensor))

    def restore(self) -> tuple[str, ...]:
        """Put everything back, once; names what was not as it had been."""
        if self._undo:
            self.restored = tuple(name for name, put_back in self._undo if put_back())
            self._undo = []
        return self.restored

    @property
    def tampered(self) -> bool:
        """Whether anything else than random states was changed: nothing computed hangs on those."""
        return bool(set(self.restored) - self._generators)


@contextmanager
def guarded(module: nn.Module) -> Iterator[Guard]:
    """Keep a module and the global random states as they are, whatever happens in the block.

    After it, also where it raised, everything is bit-identical to before and the guard's
    `restored` names what was not.
    """
    guard = Guard(module)
    try:
        yield guard
    finally:
        guard.restore()


def same_bits(left: Tensor, right: Tensor) -> bool:
    """Equal in shape, type and every bit (a NaN equals itself, 0 differs from -0)."""
    if left.shape != right.shape or left.dtype != right.dtype or left.device != right.device:
        return False
    flat = left.detach().contiguous().reshape(-1), right.detach().contiguous().reshape(-1)
    bits = _BITS.get(left.element_size(), torch.uint8)
    return torch.equal(flat[0].view(bits), flat[1].view(bits))


def _module(module: nn.Module) -> Iterator[Undo]:
    for name, part in module.named_modules():
        yield f"training mode of {name or 'the network'}", _attribute(part, "training")
    for name, tensor in (*module.named_parameters(), *module.named_buffers()):
        yield from _tensor(f"the network's {name}", tensor)


def _tensor(name: str, tensor: Tensor) -> Iterator[Undo]:
    yield f"requires_grad of {name}", _flag(tensor)
    yield f"values of {name}", _values(tensor)
    yield f"grad of {name}", _grad(tensor)


def _flag(tensor: Tensor) -> Callable[[], bool]:
    before = tensor.requires_grad

    def put_back() -> bool:
        if tensor.requires_grad == before:
            return False
        if not tensor.is_leaf:  # made part of a graph in place
            tensor.detach_()
        tensor.requires_grad_(before)
        return True

    return put_back


def _values(tensor: Tensor) -> Callable[[], bool]:
    before = tensor.detach().clone()

    def put_back() -> bool:
        if same_bits(tensor, before):
            return False
        tensor.data = before  # also where shape or type was changed
        return True

    return put_back


def _grad(tensor: Tensor) -> Callable[[], bool]:
    grad = tensor.grad if tensor.is_leaf else None
    before = None if grad is None else grad.detach().clone()

    def put_back() -> bool:
        now = tensor.grad if tensor.is_leaf else None
        if now is None and before is None:
            return False
        if now is not None and before is not None and now is grad and same_bits(now, before):
            return False
        if grad is not None and before is not None:
            grad.data = before
        tensor.grad = grad
        return True

    return put_back


def _attribute(owner: object, name: str) -> Callable[[], bool]:
    before = getattr(owner, name)

    def put_back() -> bool:
        changed = getattr(owner, name) is not before
        if changed:
            setattr(owner, name, before)
        return changed

    return put_back


def _settings() -> Iterator[Undo]:
    yield (
        "torch's gradient mode",
        undo_of(torch.is_grad_enabled, torch.set_grad_enabled, lambda a, b: a is b),
    )
    yield (
        "torch's default dtype",
        undo_of(torch.get_default_dtype, torch.set_default_dtype, lambda a, b: a is b),
    )
