"""Texts are read once for each reader and each set of data, and kept on disk."""

from dataclasses import dataclass, field

import pyarrow as pa
import pytest
import torch

from harness.api.errors import HarnessError
from harness.api.texts import Texts, Tokens
from harness.compute.tokens import read_tokens

TEXTS = Texts({"text": pa.chunked_array([["a bc", "d"], ["efg"]])})


@dataclass
class Letters:
    """Reads letters as their codes, and counts how often it was asked."""

    fingerprint: str = "letters-1"
    asked: int = 0
    gives: Tokens | None = field(default=None)

    def read(self, texts):
        self.asked += 1
        if self.gives is not None:
            return self.gives
        rows = [[ord(letter) for letter in text] for text in texts.columns["text"].to_pylist()]
        offsets = torch.tensor([0, *[len(row) for row in rows]]).cumsum(0)
        return Tokens(
            {"input_ids": torch.tensor([letter for row in rows for letter in row])},
            offsets,
            {"input_ids": 7},
            cut=2,
        )


def test_what_was_read_once_comes_from_the_disk(tmp_path):
    reader = Letters()
    first, again = (read_tokens(TEXTS, reader, "data-1", tmp_path) for _ in range(2))
    assert reader.asked == 1
    for tokens in (first, again):
        assert tokens.columns["input_ids"].tolist() == [ord(letter) for letter in "a bcdefg"]
        assert tokens.columns["input_ids"].dtype == torch.int32
        assert tokens.offsets.tolist() == [0, 4, 5, 8]
        assert (dict(tokens.padding), tokens.cut) == ({"input_ids": 7}, 2)


def test_other_data_and_other_readers_are_read_anew(tmp_path):
    reader, other = Letters(), Letters("letters-2")
    for each, identity in ((reader, "data-1"), (reader, "data-2"), (other, "data-1")):
        read_tokens(TEXTS, each, identity, tmp_path)
    assert (reader.asked, other.asked) == (2, 1)
    assert len(list((tmp_path / "tokens").glob("*.safetensors"))) == 3


def test_what_a_killed_process_left_behind_is_read_anew_and_removed(tmp_path):
    reader = Letters()
    read_tokens(TEXTS, reader, "data-1", tmp_path)
    (kept,) = (tmp_path / "tokens").glob("*.safetensors")
    kept.write_bytes(kept.read_bytes()[:-5])
    left = kept.with_name(f".{kept.name}.12345")
    left.write_bytes(b"half")
    assert read_tokens(TEXTS, reader, "data-1", tmp_path).offsets.tolist() == [0, 4, 5, 8]
    assert reader.asked == 2
    assert not left.exists()


@pytest.mark.parametrize(
    ("lengths", "count", "said"),
    [
        ([4, 1], 5, "gives 2 sequences for 3 texts"),
        ([4, 1, 3], 7, r"columns of other lengths \(input_ids\)"),
        ([4, 0, 4], 8, "makes no token of example 1"),
    ],
)
def test_a_reader_that_does_not_keep_its_word_is_refused(tmp_path, lengths, count, said):
    offsets = torch.tensor([0, *lengths]).cumsum(0)
    reader = Letters(gives=Tokens({"input_ids": torch.zeros(count)}, offsets))
    with pytest.raises(HarnessError, match=said):
        read_tokens(TEXTS, reader, "data-1", tmp_path)
    assert not list((tmp_path / "tokens").glob("*.safetensors"))
