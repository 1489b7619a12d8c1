"""A file that is not what was written is noticed, named, and never taken for a result."""

import os
import shutil

import pytest

from harness.api.errors import HarnessError
from harness.store import Damaged, Store, paths
from harness.store.seal import SMALL

KEY = "finetune-" + "ab" * 16
OTHER = "finetune-" + "cd" * 16


@pytest.fixture
def folder(tmp_path, record):
    """The folder of a cell with a small file and a large one."""
    Store(tmp_path).write(
        record(KEY),
        {
            paths.WEIGHTS: lambda path: path.write_bytes(bytes(SMALL + 1)) and None,
            paths.LOG: lambda path: path.write_bytes(b"log") and None,
        },
    )
    return paths.cell_folder(tmp_path, KEY)


def flip_a_bit(path, at):
    content = bytearray(path.read_bytes())
    content[at] ^= 1
    path.write_bytes(content)


def test_a_record_is_damaged_wherever_it_is_cut_off(tmp_path, folder, cell):
    path = folder / paths.RECORD
    whole = path.read_bytes()
    for length in (0, 5, 70, 100, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:length])

        assert str(path) in Store(tmp_path).survey([cell(KEY)]).damaged[KEY]
        with pytest.raises(Damaged, match=r"record.json"):
            Store(tmp_path).read(KEY)


def test_a_record_is_damaged_whichever_bit_is_flipped(tmp_path, folder, cell):
    path = folder / paths.RECORD
    whole = path.read_bytes()
    for at in (0, 3, 12, 76, 80, 200, len(whole) // 2, len(whole) - 3, len(whole) - 1):
        flip_a_bit(path, at)

        assert str(path) in Store(tmp_path).survey([cell(KEY)]).damaged[KEY]
        path.write_bytes(whole)


@pytest.mark.parametrize("name", [paths.WEIGHTS, paths.LOG])
def test_a_file_is_damaged_when_a_bit_is_flipped_or_its_end_is_cut_off(
    tmp_path, folder, cell, name
):
    path = folder / name
    whole = path.read_bytes()
    for spoil in (
        lambda: flip_a_bit(path, -1),
        lambda: path.write_bytes(whole[:-1]),
        lambda: path.unlink(),
    ):
        spoil()

        assert str(path) in Store(tmp_path).survey([cell(KEY)]).damaged[KEY]
        with pytest.raises(Damaged, match=name):
            Store(tmp_path).path(KEY, name)
        path.write_bytes(whole)
    assert Store(tmp_path).survey([cell(KEY)]).done == {KEY}


def test_what_rots_without_a_trace_is_noticed_when_it_is_read(tmp_path, folder, cell):
    path = folder / paths.WEIGHTS
    times = path.stat()
    flip_a_bit(path, 9)
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))

    assert Store(tmp_path).survey([cell(KEY)]).done == {KEY}
    with pytest.raises(Damaged, match="checksum"):
        Store(tmp_path).path(KEY, paths.WEIGHTS)


def test_a_link_to_an_older_cells_file_makes_neither_suspect(tmp_path, folder, record):
    old = folder / paths.WEIGHTS
    before = old.stat().st_mtime_ns

    written = {paths.WEIGHTS: lambda path: path.hardlink_to(old)}
    Store(tmp_path).write(record(OTHER), written)

    assert old.stat().st_mtime_ns == before < (folder / paths.RECORD).stat().st_mtime_ns


def test_a_folder_without_a_record_is_damaged(tmp_path, folder, cell):
    (folder / paths.RECORD).unlink()

    assert "is missing" in Store(tmp_path).survey([cell(KEY)]).damaged[KEY]


def test_a_folder_under_another_cells_name_is_damaged(tmp_path, folder, cell):
    shutil.copytree(folder, paths.cell_folder(tmp_path, OTHER))

    assert "belongs to another cell" in Store(tmp_path).survey([cell(OTHER)]).damaged[OTHER]


def test_a_record_of_a_later_version_is_left_alone(tmp_path, record, cell):
    store = Store(tmp_path)
    store.write(record(KEY, schema_version=99), {})

    with pytest.raises(HarnessError, match="later version"):
        store.read(KEY)
    with pytest.raises(HarnessError, match="later version"):
        store.survey([cell(KEY)])
    with pytest.raises(HarnessError, match="later version"):
        store.write(record(KEY), {})


def test_a_record_of_an_unknown_form_is_damaged(tmp_path, record):
    store = Store(tmp_path)
    store.write(record(KEY).model_copy(update={"outcome": "splendid"}), {})

    with pytest.raises(Damaged, match="unknown form"):
        store.read(KEY)
