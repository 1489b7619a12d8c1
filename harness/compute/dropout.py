"""Dropout from a named stream, the same alone and in a stack, for models one did not write."""

import struct
import types
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.overrides import TorchFunctionMode

from harness.api.errors import HarnessError
from harness.compute.hashing import key_of, keyed, wrap32

_STRIDE = wrap32(0x9E3779B1)
_CALL = wrap32(0x85EBCA77)
_MULTIPLIERS = (wrap32(0x7FEB352D), wrap32(0x846CA68B))
_ELEMENTWISE = {F.dropout, torch.dropout, torch.dropout_}
_CHANNELS = {F.dropout1d: 1, F.dropout2d: 2, F.dropout3d: 3}
_ATTENTION = F.scaled_dot_product_attention
_UNSEEDED = {
    F.alpha_dropout,
    F.feature_alpha_dropout,
    torch.bernoulli,
    torch.normal,
    torch.rand,
    torch.rand_like,
    torch.randint,
    torch.randn,
    torch.randn_like,
    torch.randperm,
    Tensor.bernoulli_,
    Tensor.normal_,
    Tensor.uniform_,
}
_FUSED = {torch.lstm: 5, torch.gru: 5, torch.rnn_tanh: 5, torch.rnn_relu: 5}


class Rows(NamedTuple):
    """Which of a batch's examples a forward pass is for: so many, and so many before them."""

    before: int
    here: int


Grid = tuple[int, int]
"""Examples of a batch of text, and the places of the longest."""


class StreamDropout(TorchFunctionMode):
    """Answers dropout calls, also inside attention, with masks hashed from (key, call, position).

    Enter it around a forward pass and call `begin` first, with the key of the run and step: an
    int64 scalar, or a batched one under `vmap`. Every other draw from a global generator raises
    `HarnessError`: the run would depend on what ran before it. `calls` counts the masks.

    With `padded` inputs a position is counted along each axis by itself, so that it draws the same
    however far the batch is filled up: in a stack the longest example of all runs decides that. A
    model may flatten its `grid` of examples and places into one axis: that is counted as two.
    A pass for some `rows` of a batch draws what the whole batch would, where examples come first.
    """

    def __init__(self, *, padded: bool = False) -> None:
        super().__init__()
        self.calls = 0
        self._padded = padded
        self._keys: tuple[Tensor, Tensor] | None = None
        self._rows: Rows | None = None
        self._grid: Grid | None = None
        self._positions: dict[tuple[int, torch.device], Tensor] = {}
        self._mixed: dict[tuple[torch.Size, torch.device], Tensor] = {}

    def begin(self, key: Tensor, rows: Rows | None = None, grid: Grid | None = None) -> None:
        """Start a forward pass: masks are drawn from this key, the first call first."""
        self.calls = 0
        self._rows = rows
        self._grid = grid
        self._mixed = {}
        self._keys = (key.to(torch.int32), (key >> 32).to(torch.int32))

    def again(self) -> AbstractContextManager[None]:
        """A context that draws once more what is drawn from now on; entered later, elsewhere.

        Autograd may compute a part of the forward pass again, in a thread of its own.
        """
        return self._from(self.calls, self._keys, self._rows, self._grid)

    @contextmanager
    def _from(
        self, calls: int, keys: tuple[Tensor, Tensor] | None, rows: Rows | None, grid: Grid | None
    ) -> Iterator[None]:
        now = self.calls, self._keys, self._rows, self._grid, self._mixed
        self.calls, self._keys, self._rows, self._grid, self._mixed = calls, keys, rows, grid, {}
        try:
            with self:
                yield
        finally:
            self.calls, self._keys, self._rows, self._grid, self._mixed = now

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types_: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:  # whatever torch's function returns
        kwargs = kwargs or {}
        if func in _ELEMENTWISE:
            return self._dropout(None, *args, **kwargs)
        if func in _CHANNELS:
            return self._dropout(_CHANNELS[func], *args, **kwargs)
        if func is _ATTENTION:
            return self._attention(*args, **kwargs)
        if func is F.multi_head_attention_forward:
            with self:
                return _unguarded(func)(*args, **kwargs)
        if func in _UNSEEDED and kwargs.get("generator") is None:
            raise HarnessError(
                f"the model draws from torch's global generator ({func.__name__})",
                fix="use torch.nn.functional.dropout, which is given a stream of the run's own",
            )
        if func in _FUSED and _fused_dropout(func, args):
            raise HarnessError(
                "dropout between the layers of a fused recurrent network cannot be given a stream",
                fix="put nn.Dropout between single layers",
            )
        return func(*args, **kwargs)

    def _dropout(
        self,
        spatial: int | None,
        input: Tensor,
        p: float = 0.5,
        training: bool = True,
        inplace: bool = False,
        **other: Any,
    ) -> Tensor:
        training = other.get("train", training)  # torch.dropout's own name for it
        if not training or p == 0.0:
            return input
        shape = input.shape
        if spatial is not None:  # one draw per channel, as in F.dropout2d
            shape = torch.Size([*input.shape[: input.ndim - spatial], *[1] * spatial])
        masked = self._masked(input, shape, p)
        return input.copy_(masked) if inplace else masked

    def _masked(self, values: Tensor, shape: torch.Size, p: float) -> Tensor:
        """The values, zero with probability p, otherwise divided by 1 - p; drawn in this shape."""
        if self._keys is None:
            raise RuntimeError("begin() gives the forward pass its key")
        call = self.calls
        self.calls += 1
        if p >= 1.0:
            return values * 0.0
        bits = self._first_round(shape, values.device) + (self._keys[1] + wrap32(call * _CALL))
        bits = (bits ^ ((bits >> 15) & 0x1FFFF)) * _MULTIPLIERS[1]
        # A signed 32-bit number is below this with probability p; its high bits are the good ones.
        least = 2 * round(p * 2**31) - 2**31
        return (_by_number if values.device.type == "cpu" else _by_flag)(values, bits, least, p)

    def _first_round(self, shape: torch.Size, device: torch.device) -> Tensor:
        """Positions and the key, mixed: what all masks of this shape in a pass begin with."""
        known = self._mixed.get((shape, device))
        if known is None:
            assert self._keys is not None
            counter = _lattice if self._padded else self._counter
            spread = self._spread(shape)
            bits = counter(spread, device) + (self._keys[0] + self._offset(spread))
            known = ((bits ^ ((bits >> 16) & 0xFFFF)) * _MULTIPLIERS[0]).reshape(shape)
            self._mixed[shape, device] = known
        return known

    def _spread(self, shape: torch.Size) -> torch.Size:
        """The shape with examples and places apart: [n x length, width] is [n, length, width]."""
        grid = self._grid
        if grid is None or len(shape) != 2 or grid[1] == 1 or shape[0] != grid[0] * grid[1]:
            return shape
        return torch.Size([*grid, shape[1]])

    def _offset(self, shape: torch.Size) -> int:
        """What the counters of a part's first row have to be ahead."""
        if self._rows is None or not shape or shape[0] % self._rows.here:
            return 0
        before = shape[0] // self._rows.here * self._rows.before
        stride = _stride(0) if self._padded else _STRIDE * (shape.numel() // shape[0])
        return wrap32(before * stride)

    def _counter(self, shape: torch.Size, device: torch.device) -> Tensor:
        size = shape.numel()
        known = self._positions.get((size, device))
        if known is None:
            known = torch.arange(size, dtype=torch.int32, device=device) * _STRIDE
            self._positions[size, device] = known
        return known

    def _attention(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        attn_mask: Tensor | None = None,
        dropout_p: float = 0.0,
        is_causal: bool = False,
        scale: float | None = None,
        enable_gqa: bool = False,
    ) -> Tensor:
        """Attention as PyTorch documents it, written out where weights are dropped."""
        if dropout_p == 0.0:
            more = {"enable_gqa": True} if enable_gqa else {}
            return _ATTENTION(
                query, key, value, attn_mask, 0.0, is_causal=is_causal, scale=scale, **more
            )
        if enable_gqa:
            groups = query.shape[-3] // key.shape[-3]
            key = key.repeat_interleave(groups, -3)
            value = value.repeat_interleave(groups, -3)
        scores = (query @ key.transpose(-2, -1)) * (scale or query.shape[-1] ** -0.5)
        if is_causal:
            length = scores.shape[-2:]
            attn_mask = torch.ones(length, dtype=torch.bool, device=query.device).tril()
        if attn_mask is not None and attn_mask.dtype == torch.bool:
            # A sum is faster than filling, forwards and backwards: the mask is the smaller tensor.
            attn_mask = torch.where(attn_mask, 0.0, float("-inf")).to(scores.dtype)
        if attn_mask is not None:
            scores = scores + attn_mask
        weights = torch.softmax(scores, dim=-1)
        return self._masked(weights, weights.shape, dropout_p) @ value


def _by_flag(values: Tensor, bits: Tensor, least: int, p: float) -> Tensor:
    """Keep what has bits of at least so much; autograd keeps a byte for each."""
    kept: Tensor = torch.ops.aten.native_dropout_backward(values, bits >= least, 1.0 / (1.0 - p))
    return kept


def _by_number(values: Tensor, bits: Tensor, least: int, p: float) -> Tensor:
    """The same where flags are slow: on a CPU they take longer than all the hashing (torch 2.13).

    The sign of a difference, spread over all bits, cuts the factor 1 / (1 - p) out or leaves it.
    """
    (factor,) = struct.unpack("<i", struct.pack("<f", 1.0 / (1.0 - p)))
    enough = (least // 2 - 1 - (bits >> 1)) >> 31
    scales: Tensor = (enough & factor).view(torch.float32)
    return values * scales.to(values.dtype)


def _lattice(shape: torch.Size, device: torch.device) -> Tensor:
    """A number for each position of the shape, flattened: the sum of what its axes give."""
    total = torch.zeros((), dtype=torch.int32, device=device)
    for axis, size in enumerate(shape):
        steps = torch.arange(size, dtype=torch.int32, device=device) * _stride(axis)
        total = total.unsqueeze(-1) + steps
    return total.reshape(-1)


def _stride(axis: int) -> int:
    return wrap32((_STRIDE * (2 * axis + 1) + axis * _MULTIPLIERS[0]) | 1)


def step_keys(derived: int | list[int], device: torch.device) -> Callable[[int], Tensor]:
    """The map from a step to the key(s) of its forward pass, for one run or a stack of runs."""
    base = key_of(derived, device)
    return lambda step: keyed(base, step)


def _unguarded(func: Any) -> Callable[..., Any]:
    """The same Python function without its own hand-over to modes, so that what it calls is seen.

    Inside `__torch_function__` a mode is off; entered again, it would be asked for `func` again.
    """
    world = {**func.__globals__, "has_torch_function": lambda _: False}
    copy = types.FunctionType(func.__code__, world, func.__name__, func.__defaults__)
    copy.__kwdefaults__ = func.__kwdefaults__
    return copy


def _fused_dropout(func: Any, args: tuple[Any, ...]) -> bool:
    """Whether a recurrent call drops anything: (..., bias, layers, dropout, training, ...)."""
    numbers = [arg for arg in args if isinstance(arg, bool | int | float)]
    rates = [number for number in numbers if isinstance(number, float)]
    flags = [number for number in numbers if isinstance(number, bool)]
    return bool(rates and rates[0] > 0.0 and len(flags) > 1 and flags[1])
