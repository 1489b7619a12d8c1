"""What is written comes back, whole or not at all."""

import json
import math

import pytest

from harness.api.errors import HarnessError
from harness.store import Store, paths

KEY = "finetune-" + "ab" * 16
OTHER = "finetune-" + "cd" * 16


def weights(path):
    path.write_bytes(b"weights")


def test_what_is_written_is_read_back(tmp_path, record):
    store = Store(tmp_path / "runs")

    written = store.write(record(KEY), {paths.WEIGHTS: weights})

    assert store.read(KEY).model_dump_json() == written.model_dump_json()
    assert math.isnan(store.read(KEY).result.losses[0])
    assert written.files[paths.WEIGHTS].bytes == 7
    assert store.path(KEY, paths.WEIGHTS).read_bytes() == b"weights"


def test_a_record_is_one_json_object_that_starts_with_its_checksum(tmp_path, record):
    Store(tmp_path).write(record(KEY), {})

    text = (paths.cell_folder(tmp_path, KEY) / paths.RECORD).read_text()

    assert list(json.loads(text)) == ["sha256", "schema_version", "key", "files", "record"]


def test_a_cell_whose_files_cannot_be_made_leaves_nothing(tmp_path, record):
    store = Store(tmp_path)

    def stop(path):
        path.write_bytes(b"half")
        raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        store.write(record(KEY), {paths.WEIGHTS: stop})

    assert not [path for path in tmp_path.rglob("*") if path.is_file()]
    assert not any(paths.unfinished(tmp_path).iterdir())


def test_whoever_may_read_the_record_may_read_the_files(tmp_path, record):
    def in_private(path):
        path.write_bytes(b"weights")
        path.chmod(0o600)

    Store(tmp_path).write(record(KEY), {paths.WEIGHTS: in_private})

    folder = paths.cell_folder(tmp_path, KEY)
    modes = {path.stat().st_mode for path in folder.iterdir()}
    assert len(modes) == 1


def test_an_intact_cell_is_not_replaced(tmp_path, record):
    store = Store(tmp_path)
    store.write(record(KEY, wall_seconds=1.0), {paths.WEIGHTS: weights})

    kept = store.write(record(KEY, wall_seconds=2.0), {paths.WEIGHTS: weights})

    assert kept.wall_seconds == store.read(KEY).wall_seconds == 1.0
    assert not any(paths.unfinished(tmp_path).iterdir())


def test_a_damaged_cell_is_replaced(tmp_path, record, cell):
    store = Store(tmp_path)
    store.write(record(KEY, wall_seconds=1.0), {paths.WEIGHTS: weights})
    (paths.cell_folder(tmp_path, KEY) / paths.RECORD).unlink()

    store.write(record(KEY, wall_seconds=2.0), {paths.WEIGHTS: weights})

    assert store.read(KEY).wall_seconds == 2.0
    assert store.survey([cell(KEY)]).done == {KEY}


def test_asking_for_what_is_not_there_says_so(tmp_path, record):
    store = Store(tmp_path)
    store.write(record(KEY), {paths.WEIGHTS: weights})

    with pytest.raises(HarnessError, match="is not in the store"):
        store.read(OTHER)
    with pytest.raises(HarnessError, match=r"has no file predictions.parquet; it has weights"):
        store.path(KEY, paths.PREDICTIONS)


def test_cells_with_the_same_predictions_are_siblings(tmp_path, record):
    store = Store(tmp_path)
    prefix = "evaluate-" + "12" * 12
    for key in (f"{prefix}-00000002", f"{prefix}-00000001", "evaluate-" + "1234" * 6 + "-00000001"):
        store.write(record(key), {})

    assert store.siblings(prefix) == [f"{prefix}-00000001", f"{prefix}-00000002"]


def test_a_survey_tells_done_failed_and_missing_apart(tmp_path, record, cell, failure):
    store = Store(tmp_path)
    missing = "finetune-" + "ef" * 16
    store.write(record(KEY), {})
    store.fail(failure(OTHER, reason="out of memory"))

    survey = store.survey([cell(KEY), cell(OTHER), cell(missing)])

    assert [survey.state(key) for key in (KEY, OTHER, missing)] == ["done", "failed", "missing"]
    assert survey.failed[OTHER].reason == "out of memory"


def test_finishing_a_cell_forgets_its_failure(tmp_path, record, cell, failure):
    store = Store(tmp_path)
    store.fail(failure(KEY))

    store.write(record(KEY), {})

    assert store.survey([cell(KEY)]).failed == {}
    assert not any((tmp_path / paths.FAILED).iterdir())


def test_a_failure_keeps_its_log_as_text(tmp_path, failure):
    Store(tmp_path).fail(failure(KEY, log="Traceback\nboom"))

    assert paths.failure_log(tmp_path, KEY).read_text() == "Traceback\nboom"


def test_a_failure_whose_note_is_spoilt_is_still_a_failure(tmp_path, cell, failure):
    store = Store(tmp_path)
    store.fail(failure(KEY))
    paths.failure_note(tmp_path, KEY).write_text("{")

    assert "cannot be read" in store.survey([cell(KEY)]).failed[KEY].reason


def test_a_file_url_is_a_folder_and_other_urls_are_refused(tmp_path):
    assert Store(f"file://{tmp_path}/my%20runs").root == tmp_path / "my runs"
    for url in ("s3://bucket/runs", "gs://bucket", "https://example.org/runs", "file://host/runs"):
        with pytest.raises(HarnessError, match="local folder"):
            Store(url)
