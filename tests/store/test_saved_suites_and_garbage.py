"""What was asked for is kept; what nothing asks for any more can go."""

import os
import socket
from dataclasses import replace

import pytest

from harness.api.cells import Plan, Primary
from harness.api.errors import HarnessError
from harness.store import Store, paths
from harness.store.garbage import discard, take_inventory

A, B, C = (f"finetune-{letter * 32}" for letter in "abc")


def plan_of(name, cells):
    return Plan(
        suite_id=name,
        version="1",
        title="",
        digest="digest of " + " ".join(cell.key for cell in cells),
        cells=tuple(cells),
        procedures=(),
        splits=(),
        primary=Primary("accuracy", "test", ()),
    )


@pytest.fixture
def plan(cell):
    """Makes a plan from a name and keys."""
    return lambda name, *keys: plan_of(name, [replace(cell(key), procedure="") for key in keys])


def test_a_saved_suite_tells_its_text_and_its_cells(tmp_path, plan):
    store = Store(tmp_path)

    folder = store.save_suite(plan("quick", A, B), "id: quick\n")

    assert folder == tmp_path / "suites" / "quick-1"
    assert (folder / paths.SUITE_TEXT).read_text() == "id: quick\n"
    (saved,) = store.suites()
    assert (saved.suite, saved.version, saved.smoke, saved.keys) == ("quick", "1", False, (A, B))


def test_the_latest_plan_stands_for_a_suite_and_remembers_the_earlier(tmp_path, plan):
    store = Store(tmp_path)
    for keys in ((A,), (B,), (B,)):
        store.save_suite(plan("quick", *keys), "id: quick\n")

    (saved,) = store.suites()
    assert saved.keys == (B,)
    assert saved.earlier == (f"digest of {A}",)


def test_saving_the_same_again_touches_nothing(tmp_path, plan):
    store = Store(tmp_path)
    folder = store.save_suite(plan("quick", A), "id: quick\n")
    before = [path.stat().st_mtime_ns for path in sorted(folder.iterdir())]

    store.save_suite(plan("quick", A), "id: quick\n")

    assert [path.stat().st_mtime_ns for path in sorted(folder.iterdir())] == before


def test_a_trial_run_is_a_suite_of_its_own(tmp_path, plan):
    store = Store(tmp_path)
    store.save_suite(plan("quick", A), "")
    store.save_suite(replace(plan("quick", B), smoke=True), "")

    assert [saved.name for saved in store.suites()] == ["quick-1", "quick-1-smoke"]


def test_two_suites_whose_folder_would_be_one_are_not_mixed(tmp_path, plan):
    store = Store(tmp_path)
    store.save_suite(replace(plan("a-1", A), version="2"), "")

    with pytest.raises(HarnessError, match="holds suite a-1, version 2; give suite a, version 1-2"):
        store.save_suite(replace(plan("a", B), version="1-2"), "")

    assert [saved.keys for saved in store.suites()] == [(A,)]


def test_cells_of_every_saved_suite_are_kept_and_others_go(tmp_path, plan, record, cell):
    store = Store(tmp_path)
    for key in (A, B, C):
        store.write(record(key), {paths.LOG: lambda path: path.write_bytes(bytes(100)) and None})
    store.save_suite(plan("one", A), "")
    store.save_suite(plan("two", B), "")

    inventory = take_inventory(store)
    freed = discard(store, inventory)

    assert [held.key for held in inventory.cells] == [A, B, C]
    assert [held.key for held in inventory.unreferenced] == [C]
    assert freed == inventory.unreferenced[0].bytes > 100
    assert store.survey([cell(A), cell(B), cell(C)]).done == {A, B}
    assert not any(paths.unfinished(tmp_path).iterdir())


def test_a_cell_that_a_run_works_on_is_not_discarded(tmp_path, record, cell):
    store = Store(tmp_path)
    store.write(record(A), {})

    with store.claim(A):
        assert discard(store, take_inventory(store)) == 0

    assert store.survey([cell(A)]).done == {A}


def test_what_killed_runs_left_is_found_and_what_lives_is_not(tmp_path, record):
    store = Store(tmp_path)
    folder = paths.unfinished(tmp_path)
    dead = folder / f"{A}.{socket.gethostname()}.{2**22 + 1}.00"
    alive = folder / f"{A}.{socket.gethostname()}.{os.getpid()}.00"
    elsewhere = folder / f"{A}.another.host.1.00"
    for place in (dead, alive, elsewhere):
        place.mkdir(parents=True)
        (place / paths.WEIGHTS).write_bytes(bytes(10))

    inventory = take_inventory(store)
    discard(store, inventory)

    assert [(left.path, left.bytes) for left in inventory.leftovers] == [(dead, 10)]
    assert not dead.exists()
    assert alive.exists() and elsewhere.exists()


def test_old_temporary_files_and_notes_of_needless_cells_are_leftovers(tmp_path, plan, failure):
    store = Store(tmp_path)
    folder = store.save_suite(plan("one", A), "")
    old, new = folder / ".plan.json.1-aa", folder / ".plan.json.1-bb"
    for path in (old, new):
        path.write_text("{")
    os.utime(old, (0, 0))
    store.fail(failure(A))
    store.fail(failure(B))

    discard(store, take_inventory(store))

    assert not old.exists()
    assert new.exists()
    notes = {path.name for path in (tmp_path / paths.FAILED).iterdir()}
    assert notes == {f"{A}.json", f"{A}.log"}


def test_a_plan_that_cannot_be_read_stops_the_garbage_collection(tmp_path, plan, record):
    store = Store(tmp_path)
    store.write(record(A), {})
    folder = store.save_suite(plan("one", A), "")
    (folder / paths.PLAN).write_text('{"format": 1')

    with pytest.raises(HarnessError, match=r"plan\.json is lost or damaged"):
        take_inventory(store)


def test_a_suite_whose_plan_is_lost_stops_the_garbage_collection(tmp_path, plan, record):
    store = Store(tmp_path)
    store.write(record(A), {})
    folder = store.save_suite(plan("one", A), "id: one\n")
    (folder / paths.PLAN).unlink()

    with pytest.raises(HarnessError, match=r"plan\.json is lost or damaged"):
        take_inventory(store)


def test_folders_that_no_cell_could_have_are_left_alone(tmp_path):
    strange = tmp_path / "cells" / "evaluate" / "zz" / "notes"
    strange.mkdir(parents=True)

    inventory = take_inventory(Store(tmp_path))

    assert inventory.cells == inventory.unreferenced == ()
