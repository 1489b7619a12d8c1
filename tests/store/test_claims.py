"""Two runs on one store never both work on a cell, and a dead one holds nothing."""

import os
import signal
import subprocess
import sys

from harness.store import Store, paths

KEY = "finetune-" + "ab" * 16

HOLD = """
import sys
from harness.store import Store
claim = Store(sys.argv[1]).claim(sys.argv[2])
print("held" if claim else "refused", flush=True)
sys.stdin.read()
"""

RACE = """
import os, sys
from harness.store import Store
store, place = Store(sys.argv[1]), os.path.join(sys.argv[1], "inside")
sys.stdin.read(1)
held = clashes = 0
while held < 300:
    claim = store.claim(sys.argv[2])
    if claim is not None:
        with claim:
            held += 1
            try:
                os.close(os.open(place, os.O_CREAT | os.O_EXCL))
            except FileExistsError:
                clashes += 1
            else:
                os.unlink(place)
print(clashes)
"""


def start(code, *arguments):
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def test_a_cell_is_claimed_once_and_again_after_release(tmp_path):
    first, second = Store(tmp_path), Store(tmp_path)
    claim = first.claim(KEY)

    assert claim is not None
    assert second.claim(KEY) is None
    assert first.claim(KEY) is None
    claim.release()
    claim.release()
    with second.claim(KEY) as again:
        assert again.key == KEY


def test_a_released_claim_leaves_no_file(tmp_path):
    with Store(tmp_path).claim(KEY):
        pass

    assert not any((tmp_path / paths.LOCKS).iterdir())


def test_a_process_killed_outright_loses_its_claim(tmp_path):
    with start(HOLD, tmp_path, KEY) as other:
        assert other.stdout.readline() == "held\n"
        assert Store(tmp_path).claim(KEY) is None

        os.kill(other.pid, signal.SIGKILL)
        other.wait()

        assert Store(tmp_path).claim(KEY) is not None


def test_processes_that_race_for_a_claim_never_both_hold_it(tmp_path):
    racers = [start(RACE, tmp_path, KEY) for _ in range(3)]
    for racer in racers:
        racer.stdin.write("go")
        racer.stdin.flush()

    assert [racer.communicate()[0] for racer in racers] == ["0\n"] * 3
    assert not any((tmp_path / paths.LOCKS).iterdir())
