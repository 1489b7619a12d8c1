"""What the terminal shows of findings."""

import io
from dataclasses import replace

import made_up
import pytest
from rich.console import Console

from harness.report.terminal import terminal


def shown(findings, width=80):
    out = io.StringIO()
    terminal(findings, Console(file=out, width=width))
    return out.getvalue()


def test_the_answers_stand_above_the_numbers():
    text = shown(made_up.findings())

    assert text.index("pretrained, 12 runs") < text.index("! Only 3 pretraining seeds")
    assert text.index("! Only 3 pretraining seeds") < text.index("split  ")
    row = next(line for line in text.splitlines() if "rotation-60" in line and "12/12" in line)
    assert row.split()[1:6] == ["0.523", "0.039", "0.453", "2/0", "12/12"]


def test_a_suite_of_the_size_of_quick_does_not_flood_the_terminal():
    assert len(shown(made_up.findings()).splitlines()) <= 70


def test_many_procedures_do_not_flood_the_terminal():
    names = tuple(
        f"cnn[width={8 * i}] \u00b7 pretrained \u00b7 full[lr=0.00{i}]" for i in range(20)
    )

    text = shown(made_up.findings(made_up.plan(2, 2, names)))

    assert len(text.splitlines()) <= 250
    assert all(name.split(" ")[0] in text for name in names)
    assert "6 more splits in the full report" in text


@pytest.mark.parametrize("width", [40, 60, 80, 140])
def test_no_line_is_wider_than_the_terminal(width):
    lines = shown(made_up.findings(), width).splitlines()

    assert max(len(line) for line in lines) <= width


def test_markup_in_titles_and_reasons_is_shown_and_not_obeyed():
    plan = made_up.relabelled(made_up.plan(1, 2, splits=("test",)), "[red]a[/red] [/nothing] title")
    failed = made_up.failure(plan.cells[-1], "ValueError: [bold]x[/bold] [/]")
    records = made_up.records(plan)

    text = shown(made_up.findings(plan, records, failed=[failed]))

    assert "[red]a[/red] [/nothing] title" in text
    assert "ValueError: [bold]x[/bold] [/]" in text


def test_a_trial_run_and_failed_cells_cannot_be_overlooked():
    plan = replace(made_up.plan(2, 2, splits=("test",)), smoke=True)
    failed = [made_up.failure(cell) for cell in plan.cells if cell.stage == "evaluate"][:5]
    records = made_up.records(plan)

    text = shown(made_up.findings(plan, records, failed=failed))

    assert "TRIAL RUN" in text
    assert "Cells without a usable result" in text
    assert "5 evaluate cells failed: RuntimeError: out of memory" in text
    assert "and 2 more" in text


def test_a_long_path_in_a_reason_is_shown_to_its_end():
    plan = made_up.plan(1, 2, splits=("test",))
    path = f"runs/cells/finetune/{'0123456789' * 12}/weights.safetensors"
    failed = made_up.failure(plan.cells[-1], f"{path} was changed")

    text = shown(made_up.findings(plan, made_up.records(plan), failed=[failed]))

    assert path in text.replace("\n", "").replace(" ", "")


def test_an_empty_store_is_shown_with_dashes():
    text = shown(made_up.findings(made_up.plan(2, 2), {}))

    assert "0/4" in text
    assert "\u2013" in text


def test_many_kinds_of_problems_do_not_flood_the_terminal():
    plan = made_up.plan(3, 4)
    failed = [made_up.failure(cell, f"error {i}") for i, cell in enumerate(plan.cells)]

    text = shown(made_up.findings(plan, {}, failed=failed))

    assert "more kinds of problems" in text
    assert len(text.splitlines()) < 90
