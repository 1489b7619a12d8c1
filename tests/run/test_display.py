"""What a run shows: a tally, plain lines, a live display."""

import io
import time

from rich.console import Console
from toy_cells import evaluation, training

from harness.api.cells import Stage
from harness.api.contexts import Event, Job
from harness.run.display import Plain
from harness.run.live import Live
from harness.run.outcome import Outcome
from harness.run.tally import Tally


def cells():
    return [
        training("pretrain-a", stage=Stage.PRETRAIN, procedure=""),
        training("finetune-a", "pretrain-a", seed=3),
        evaluation("evaluate-a", "finetune-a"),
    ]


def test_the_time_left_counts_steps_and_guesses_stages_that_were_not_timed(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    pretrain, finetune, evaluate = cells()
    tally = Tally(3, [pretrain, finetune, evaluate], workers=1)
    assert tally.remaining() is None
    tally.begin_job(Job(1, (pretrain,)))
    now[0] = 107.0  # the worker starts and imports torch, which it does only once
    tally.hear(Event("started", 1, 0, "pretrain-a"))
    now[0] = 117.0
    tally.settled(pretrain)
    tally.hear(Event("done", 1, 0))
    assert tally.remaining() == 10.0 + 5.0  # ten steps of a second each, and five for the other
    assert tally.line() == "1 of 3 cells, about 15 s left"


def test_plain_lines_say_how_much_there_is_to_do_and_what_failed():
    stream = io.StringIO()
    display = Plain(stream)
    _, finetune, evaluate = cells()
    display.begin(Tally(3, [finetune, evaluate], workers=2))
    display.settled(finetune)
    display.failed(finetune, "ValueError: no\ngood", [evaluate])
    assert stream.getvalue().splitlines() == [
        "1 of 3 cells done, 2 to run, 2 workers",
        "failed: finetune toy seeds 0/3 [finetune-a]: ValueError: no good (1 cell waits for it)",
    ]
    assert display.tally.done == 3


def test_the_live_display_shows_what_each_worker_does_and_never_reads_text_as_markup():
    console = Console(file=io.StringIO(), force_terminal=True, width=120, color_system=None)
    display = Live(console)
    pretrain, finetune, evaluate = cells()
    display.begin(Tally(3, [pretrain, finetune, evaluate], workers=2))
    display.begin_job(Job(1, (pretrain,)))
    display.hear(Event("started", 1, 1, "pretrain-a"))
    display.hear(Event("progress", 1, 1, text="step 5/10, loss [bold]0.5[/nothing]"))
    with console.capture() as capture:
        console.print(display._render())
    display.failed(finetune, "[/red] it broke", [])
    display.end()
    assert "pretrain seeds 0/0" in capture.get()
    assert "step 5/10, loss [bold]0.5[/nothing]" in capture.get()
    assert "0 of 3 cells" in capture.get()


def test_an_outcome_counts_every_cell_once(tmp_path):
    outcome = Outcome(
        planned=10,
        reused=2,
        computed=3,
        shared=1,
        diverged=1,
        failed={},
        blocked={},
        damaged={},
        missing=("a", "b", "c", "d"),
        interrupted=True,
        seconds=1.25,
        folder=tmp_path,
    )
    assert outcome.lines() == [
        "10 cells in 1.2 s: 3 computed, 2 reused, 1 computed by another run, 1 diverged, 4 not run"
    ]
    assert (outcome.exit_code, outcome.complete, outcome.idle) == (130, False, False)
