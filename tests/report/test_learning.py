"""Training losses: their mean over the runs of a procedure, honest where a training diverged."""

import json
import math
import re

import made_up
import plotly.graph_objects

from harness.analyze.learning import LOSSES, learning_curves
from harness.analyze.load import load_results
from harness_reporters.learning import learning


def plan():
    return made_up.plan(2, 2, splits=("test",), metrics=False)


def logged(losses_of):
    """Results of the plan, each training with its own losses at the steps 1, 5 and 9."""
    made = plan()
    records = made_up.records(made)
    for cell in made.cells:
        if cell.stage in ("pretrain", "finetune"):
            losses = losses_of(cell)
            more = {"loss_steps": [1, 5, 9][: len(losses)], "losses": losses}
            result = records[cell.key].result.model_copy(update=more)
            records[cell.key] = records[cell.key].model_copy(update={"result": result})
    return load_results(made, made_up.MemoryStore(records))


def test_every_logged_loss_is_a_row_with_its_seeds():
    losses = logged(lambda _: [3.0, 2.0, 1.0]).losses

    assert list(losses.columns) == LOSSES
    assert len(losses) == (2 + 2 * 4) * 3
    one = losses[(losses["procedure"] == "random") & (losses["subject"] == "1/0")]
    assert one["step"].tolist() == [1, 5, 9]
    assert one["loss"].tolist() == [3.0, 2.0, 1.0]
    assert losses[losses["stage"] == "pretrain"]["finetune_seed"].isna().all()


def test_the_mean_is_over_the_trainings_of_a_procedure_and_pretrainings_come_first():
    results = logged(lambda cell: [float(cell.seeds[0].pretrain), 2.0, 1.0])

    curves = learning_curves(results.losses)

    assert [(one.curve, one.procedure, one.subjects) for one in curves] == [
        ("pretraining", "cnn", 2),
        ("fine-tuning", "pretrained", 4),
        ("fine-tuning", "random", 4),
    ]
    assert curves[1].x == (1.0, 5.0, 9.0)
    assert (curves[1].minimum[0], curves[1].mean[0], curves[1].maximum[0]) == (0.0, 0.5, 1.0)


def test_the_mean_ends_where_the_first_training_diverged():
    gone = next(c.key for c in plan().cells if (c.stage, c.procedure) == ("finetune", "random"))
    results = logged(lambda cell: [3.0] if cell.key == gone else [3.0, 2.0, 1.0])

    random = learning_curves(results.losses)[-1]

    assert random.mean[0] == 3.0
    assert math.isnan(random.mean[1])
    assert math.isnan(random.maximum[2])


def test_the_figure_has_a_panel_per_stage_a_band_per_procedure_and_tells_its_n():
    findings = made_up.findings(plan())

    group = learning(findings)

    assert [figure.title for figure in group.figures] == ["pretraining (n 2)", "fine-tuning (n 4)"]
    assert [len(figure.data) for figure in group.figures] == [3, 6]
    assert "10 trainings" in group.caption
    for figure in group.figures:
        text = json.dumps([figure.data, figure.layout], allow_nan=False)
        data, layout = json.loads(re.sub(r'"@\w+"', '"#123456"', text))
        plotly.graph_objects.Figure(data=data, layout=layout)


def test_one_training_alone_has_a_line_and_no_band():
    findings = made_up.findings(made_up.plan(1, 1, ("random",), splits=("test",), metrics=False))

    group = learning(findings)

    assert [len(figure.data) for figure in group.figures] == [1, 1]


def test_without_logged_losses_there_is_no_figure():
    findings = made_up.findings(plan(), {})

    assert findings.learning == ()
    assert learning(findings) is None
