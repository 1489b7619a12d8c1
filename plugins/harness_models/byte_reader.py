"""Text as its UTF-8 bytes: a tokenizer that was trained on nothing and needs no files."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from harness.api.errors import HarnessError
from harness.api.texts import Texts, Tokens
from harness_models.tokenizing import CHUNK, check_fields

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

    Numbers = np.ndarray[Any, np.dtype[Any]]

PAD, START, END, MASK = range(4)
SPECIAL = (PAD, START, END, MASK)
TOKENS = 256 + len(SPECIAL)


class ByteReader:
    """Reads START text END, or START first END second END; at most `longest` tokens.

    A byte is the token `byte + 4`. Pairs lose bytes from the longer text first, and have a column
    of types: 0 for the first text, 1 for the second.
    """

    def __init__(self, longest: int) -> None:
        self.fingerprint = hashlib.sha256(f"bytes 1 {longest}".encode()).hexdigest()
        self._longest = longest

    def read(self, texts: Texts) -> Tokens:
        """Tokens of every example.

        Raises:
            HarnessError: an example has no text, or there are too many fields.
        """
        import numpy as np
        import torch

        check_fields(tuple(texts.columns))
        parts: dict[str, list[Numbers]] = {"input_ids": []}
        lengths: list[Numbers] = []
        cut = 0
        for start in range(0, len(texts), CHUNK):
            fields = [
                _bytes_of(name, column.slice(start, CHUNK), start)
                for name, column in texts.columns.items()
            ]
            wanted = [np.diff(offsets) for _, offsets in fields]
            kept = _shortened(wanted, self._longest - 1 - len(fields))
            cut += int((np.sum(wanted, axis=0) > np.sum(kept, axis=0)).sum())
            columns, sizes = _joined(fields, kept)
            lengths.append(sizes)
            for name, column in columns.items():
                parts.setdefault(name, []).append(column)
        offsets = np.concatenate([[0], *lengths]).cumsum().astype(np.int64)
        nothing = [np.zeros(0, np.int32)]
        return Tokens(
            columns={n: torch.from_numpy(np.concatenate(p or nothing)) for n, p in parts.items()},
            offsets=torch.from_numpy(offsets),
            padding={"input_ids": PAD},
            cut=cut,
        )


def _bytes_of(name: str, column: pa.ChunkedArray, first: int) -> tuple[Numbers, Numbers]:
    """All bytes of a column, and where each example begins and the last ends."""
    import numpy as np
    import pyarrow as pa

    if column.null_count:
        at = first + column.is_null().to_pylist().index(True)
        raise HarnessError(f"example {at} has no {name}")
    array = pa.concat_arrays([c.cast(pa.large_binary()) for c in column.chunks])
    _, places, data = array.buffers()
    offsets = np.frombuffer(places, np.int64)[array.offset : array.offset + len(array) + 1]
    return np.frombuffer(data or b"", np.uint8), offsets


def _shortened(lengths: list[Numbers], most: int) -> list[Numbers]:
    """Lengths that together are at most `most`; the longer text of a pair is cut first."""
    import numpy as np

    if len(lengths) == 1:
        return [np.minimum(lengths[0], most)]
    first, second = lengths
    half = most // 2
    keep = np.minimum(second, np.maximum(most - first, half))
    return [np.minimum(first, most - keep), keep]


def _joined(
    fields: list[tuple[Numbers, Numbers]], kept: list[Numbers]
) -> tuple[dict[str, Numbers], Numbers]:
    """Columns of tokens with the special ones between, and the length of every example."""
    import numpy as np

    sizes: Numbers = np.sum(kept, axis=0) + 1 + len(fields)
    at = np.cumsum(sizes) - sizes
    tokens = np.full(int(np.sum(sizes)), END, np.int32)
    types = np.zeros_like(tokens)
    tokens[at] = START
    at = at + 1
    for number, ((data, offsets), lengths) in enumerate(zip(fields, kept, strict=True)):
        tokens[_runs(at, lengths)] = data[_runs(offsets[:-1], lengths)] + np.int32(len(SPECIAL))
        types[_runs(at, lengths + 1)] = number
        at = at + lengths + 1
    return {"input_ids": tokens} | ({"token_type_ids": types} if len(fields) > 1 else {}), sizes


def _runs(starts: Numbers, lengths: Numbers) -> Numbers:
    """start, start + 1, ... for every start, as often as its length says."""
    import numpy as np

    before = np.cumsum(lengths) - lengths
    places: Numbers = np.arange(int(lengths.sum())) + np.repeat(starts - before, lengths)
    return places
