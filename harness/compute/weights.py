"""Weights on disk: safetensors, never pickle."""

from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from harness.api.errors import HarnessError


def save_weights(path: Path, tensors: Mapping[str, Tensor]) -> None:
    """Write tensors by name; tied ones are written once per name."""
    seen: set[int] = set()
    plain = {}
    for name, tensor in tensors.items():
        plain[name] = tensor.detach().to("cpu").contiguous()
        if plain[name].untyped_storage().data_ptr() in seen:
            plain[name] = plain[name].clone()
        seen.add(plain[name].untyped_storage().data_ptr())
    save_file(plain, path)


def load_weights(path: Path) -> dict[str, Tensor]:
    """Tensors by name, on the CPU, in memory of their own.

    The copy is on purpose: a mapped file is not aligned as torch's own memory is, and vectorised
    sums may then round differently.
    """
    try:
        tensors = load_file(path)
    except (OSError, SafetensorError) as error:
        raise HarnessError(f"not a readable safetensors file: {error}", where=str(path)) from None
    return {name: torch.empty_like(tensor).copy_(tensor) for name, tensor in tensors.items()}
