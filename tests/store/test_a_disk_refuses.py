"""What the file system refuses is one plain line, and nothing is left half-written."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from harness.api.errors import HarnessError
from harness.store import Store, paths

KEY = "finetune-" + "ab" * 16

FILL = """
import resource, signal, sys
sys.path.insert(0, sys.argv[2])
from conftest import record_of
from harness.api.errors import HarnessError
from harness.store import Store
if sys.argv[3:]:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[3]),) * 2)
store = Store(sys.argv[1])
try:
    store.write(record_of("finetune-" + "ab" * 16),
        {"weights.safetensors": lambda path: path.write_bytes(bytes(500_000)) and None})
except HarnessError as error:
    print(error)
"""


def refuse(code):
    def raise_it(*_, **__):
        raise OSError(code, os.strerror(code))

    return raise_it


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (errno.ENOSPC, "no space left to write"),
        (errno.EDQUOT, "no space left to write"),
        (errno.EACCES, "is not yours to read or write"),
        (errno.EROFS, "is on a read-only disk"),
        (errno.EIO, "check the disk"),
    ],
)
def test_a_refused_write_names_the_path_and_leaves_nothing(tmp_path, record, code, words):
    with pytest.raises(HarnessError, match=words) as caught:
        Store(tmp_path).write(record(KEY), {paths.WEIGHTS: refuse(code)})

    assert paths.WEIGHTS in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_a_full_disk_is_told_from_the_words_of_a_library_without_error_numbers(tmp_path, record):
    def as_safetensors_does(path):
        raise RuntimeError("Error while serializing: No space left on device (os error 28)")

    with pytest.raises(HarnessError, match=r"no space left to write .*weights\.safetensors"):
        Store(tmp_path).write(record(KEY), {paths.WEIGHTS: as_safetensors_does})


def test_a_record_that_does_not_fit_any_more_leaves_nothing(tmp_path, record, monkeypatch):
    monkeypatch.setattr(Path, "write_bytes", refuse(errno.ENOSPC))

    with pytest.raises(HarnessError, match=r"no space left to write .*record\.json"):
        Store(tmp_path).write(record(KEY), {})
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_a_store_that_is_a_file_is_named(tmp_path, record, failure):
    place = tmp_path / "runs"
    place.write_text("")
    store = Store(place)

    for attempt in (
        store.prepare,
        lambda: store.write(record(KEY), {}),
        lambda: store.fail(failure(KEY)),
        lambda: store.claim(KEY),
    ):
        with pytest.raises(HarnessError, match="is a file where a folder is needed") as error:
            attempt()
        assert str(place) in str(error.value)


def test_a_store_that_is_not_there_holds_nothing(tmp_path, cell):
    store = Store(tmp_path / "nowhere")

    assert store.survey([cell(KEY)]).done == frozenset()
    assert store.suites() == ()
    assert store.siblings("evaluate-" + "12" * 12) == []


def test_a_store_that_may_not_be_written_is_named_before_any_work(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "mkdir", refuse(errno.EACCES))

    with pytest.raises(HarnessError, match="not yours"):
        Store(tmp_path / "runs").prepare()


def test_a_file_that_may_not_grow_is_one_plain_line(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", FILL, tmp_path, Path(__file__).parent, "100000"],
        capture_output=True,
        text=True,
        check=True,
    )

    assert "weights.safetensors grew larger than a file may be here" in done.stdout
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_a_disk_that_is_really_full_is_one_plain_line(tmp_path):
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=128k", "tmpfs", tmp_path], capture_output=True
    )
    if mounted.returncode:
        pytest.skip("only root may mount a small disk")
    try:
        done = subprocess.run(
            [sys.executable, "-c", FILL, tmp_path, Path(__file__).parent],
            capture_output=True,
            text=True,
            check=True,
        )
        left = [path for path in tmp_path.rglob("*") if path.is_file()]
    finally:
        subprocess.run(["umount", tmp_path], check=True)

    assert "no space left to write" in done.stdout
    assert left == []
