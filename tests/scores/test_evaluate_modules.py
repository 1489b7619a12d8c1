"""The scores as modules of the `evaluate` library. Importing it takes seconds: one test each."""

import sys
from pathlib import Path

import numpy as np
import pytest

from harness.api.errors import HarnessError
from harness_scores import harness_scores
from harness_scores.hub import HUB, HubSettings

pytestmark = pytest.mark.filterwarnings("default")  # the library warns while it is imported

SCRIPT = """
import datasets
import evaluate

class Hits(evaluate.Metric):
    def _info(self):
        label = datasets.Value("int64")
        return evaluate.MetricInfo(
            description="", citation="", inputs_description="",
            features=datasets.Features({"predictions": label, "references": label}),
        )

    def _compute(self, predictions, references, times=1):
        hits = sum(p == r for p, r in zip(predictions, references))
        return {"hits": times * hits, "misses": len(references) - hits}
"""


@pytest.fixture(scope="module", autouse=True)
def no_network(tmp_path_factory):
    """The library caches scripts below the user's home; here, below a temporary folder."""
    patch = pytest.MonkeyPatch()
    home = tmp_path_factory.mktemp("huggingface")
    for name in ("HF_HOME", "HF_MODULES_CACHE", "HF_METRICS_CACHE"):
        patch.setenv(name, str(home))
    for name in ("HF_HUB_OFFLINE", "HF_EVALUATE_OFFLINE"):
        patch.setenv(name, "1")
    yield
    patch.undo()


def test_every_own_score_is_an_evaluation_module_that_agrees_with_its_function():
    import evaluate

    rng = np.random.default_rng(0)
    logits = rng.normal(size=(60, 4))
    given = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    true, groups = rng.integers(0, 4, 60), rng.integers(0, 3, 60)
    labelled = [offer for offer in harness_scores() if offer.needs != "values"]
    own = [offer for offer in labelled if not offer.name.startswith("hub")]
    assert len(own) == 9
    for offer in own:
        settings = offer.settings(**({"task": "mnli"} if offer.name == "glue" else {}))
        module = offer.module(settings)
        assert isinstance(module, evaluate.EvaluationModule)
        assert module.name == offer.name
        arrays = {
            "predictions": given if offer.needs == "probabilities" else given.argmax(axis=1),
            "references": true,
        } | ({"groups": groups} if offer.groups else {})
        lists = {name: value.tolist() for name, value in arrays.items()}
        expected = offer.compute(
            settings, arrays["predictions"], true, groups if offer.groups else None
        )
        assert module.compute(**arrays) == {offer.name: expected}
        assert module.compute(**lists)[offer.name] == pytest.approx(expected, rel=1e-12)


def test_an_own_score_can_be_fed_piece_by_piece_and_writes_no_file(tmp_path, monkeypatch):
    from harness_scores.accuracy import ACCURACY

    monkeypatch.chdir(tmp_path)
    module = ACCURACY.module(ACCURACY.settings())
    module.add_batch(predictions=[0, 1], references=[0, 0])
    module.add(prediction=2, reference=2)
    assert module.compute()["accuracy"] == pytest.approx(2 / 3)
    assert not list(tmp_path.rglob("*"))
    assert not module.data_dir


def test_a_local_metric_script_works_without_a_network(tmp_path):
    folder = tmp_path / "hits"
    folder.mkdir()
    (folder / "hits.py").write_text(SCRIPT)
    predicted, true = np.array([0, 1, 2, 2]), np.array([0, 1, 1, 2])
    settings = HubSettings(path=str(folder), kwargs={"times": 10})
    assert HUB.compute(settings, predicted, true, None) == 30
    misses = HubSettings(path=str(folder), field="misses")
    assert HUB.compute(misses, predicted, true, None) == 1


def test_an_entry_that_the_module_does_not_give_is_named_with_those_it_gives(tmp_path):
    folder = tmp_path / "hits"
    folder.mkdir()
    (folder / "hits.py").write_text(SCRIPT)
    settings = HubSettings(path=str(folder), field="accuracy")
    with pytest.raises(HarnessError, match="gives no 'accuracy' but hits, misses"):
        HUB.compute(settings, np.array([0]), np.array([0]), None)


def test_a_metric_that_cannot_be_found_is_one_clear_line():
    with pytest.raises(HarnessError, match="is not here, and the hub"):
        HUB.compute(HubSettings(path="no_such_metric_xyz"), np.array([0]), np.array([0]), None)


def test_the_scores_are_offered_without_importing_anything_heavy():
    assert Path(sys.modules["harness_scores"].__file__).name == "__init__.py"
    import subprocess

    code = (
        "import sys, numpy, harness_scores as s\n"
        "a = numpy.array([0, 1])\n"
        "[o for o in s.harness_scores() if o.name == 'mcc'][0].compute(None, a, a, None)\n"
        "print(sorted({'evaluate', 'datasets', 'torch', 'sklearn', 'pandas'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
