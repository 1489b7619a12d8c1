"""What the terminal shows of findings."""

import io
from dataclasses import replace

import made_up
import pytest
from rich.console import Console

from harness.api.readings import Reading, Value
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
    assert len(shown(made_up.findings()).splitlines()) <= 135


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


def with_values(plan, of, names, splits=("train",)):
    """Records of the plan whose readings of this kind have these values, 1, 2, 3 and so on."""
    records = made_up.records(plan)
    for cell in plan.cells:
        if cell.stage == "measure" and cell.work.of == of:
            values = tuple(
                Value(name=name, value=float(place + 1), split=split)
                for split in splits
                for place, name in enumerate(names)
            )
            records[cell.key] = made_up.record(cell, Reading(values=values))
    return records


def test_a_sweep_shows_something_of_each_of_its_families_and_says_what_is_left_out():
    plan = made_up.plan(pretrain=2, finetune=2, procedures=("random",), splits=("test",))
    radii = ("0.05", "0.1", "0.2", "0.4")
    names = [f"{kind}-{radius}" for kind in ("average", "worst", "adaptive") for radius in radii]

    text = shown(made_up.findings(plan, with_values(plan, "point", names)))

    for kind in ("average", "worst", "adaptive"):
        assert f"{kind}-0.05" in text
        assert f"{kind}-0.4" in text
    assert "average-0.2" not in text
    assert "4 more rows (other values and splits) in the full report" in text


def test_groups_of_runs_stand_in_the_table_with_their_number():
    plan = made_up.plan(pretrain=2, finetune=2, procedures=("random",), splits=("test",))
    cells = [cell for cell in plan.cells if cell.stage == "measure" and cell.work.of == "point"]
    for cell in cells:
        object.__setattr__(cell, "work", replace(cell.work, of="group"))
    records = with_values(plan, "group", ["silhouette"], ("test",))
    del records[cells[0].key]
    rest = replace(plan, cells=tuple(cell for cell in plan.cells if cell is not cells[0]))

    lines = shown(made_up.findings(rest, records)).splitlines()

    place = next(i for i, line in enumerate(lines) if "on test, per group" in line)
    words = ["silhouette", "random", "1.00", "0", "3/3", "1.00", "to", "1.00"]
    assert lines[place + 1].split() == words


def test_of_many_procedures_a_value_has_one_row_with_their_range():
    names = tuple(f"width-{i}" for i in range(8))
    plan = made_up.plan(2, 2, names, splits=("test",))

    text = shown(made_up.findings(plan, with_values(plan, "point", ["height", "width"])))

    row = next(line for line in text.splitlines() if line.strip().startswith("height"))
    assert row.split() == ["height", "all", "8", "\u2013", "\u2013", "32/32", "1.00", "to", "1.00"]
