import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from harness.api.errors import HarnessError
from harness.evaluate.predictions import Predictions, read_predictions, write_predictions


@pytest.mark.parametrize("n", [0, 1, 700])
@pytest.mark.parametrize("grouped", [False, True])
def test_predictions_come_back_bit_for_bit(tmp_path, n, grouped):
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(n, 3)).astype(np.float32)
    logits[: n // 2 : 7] = np.nan
    logits[1:2] = np.inf
    before = Predictions(
        logits=logits,
        targets=rng.integers(0, 3, n),
        groups=rng.integers(0, 4, n) if grouped else None,
        examples=rng.permutation(n),
    )
    write_predictions(tmp_path / "predictions.parquet", before)
    after = read_predictions(tmp_path / "predictions.parquet")
    assert after.logits.dtype == np.float32
    assert after.logits.tobytes() == before.logits.tobytes()
    assert after.targets.tolist() == before.targets.tolist()
    assert after.examples.tolist() == before.examples.tolist()
    if grouped and n:
        assert after.groups.tolist() == before.groups.tolist()
    else:
        assert after.groups is None or not len(after.groups)


def test_the_file_opens_in_pandas(tmp_path):
    logits = np.array([[0.5, -1], [2, 0]], dtype=np.float32)
    write_predictions(tmp_path / "p.parquet", Predictions(logits, np.array([1, 0])))
    frame = pd.read_parquet(tmp_path / "p.parquet")
    assert list(frame.columns) == ["example", "target", "group", "logits"]
    assert np.stack(frame["logits"]).tolist() == logits.tolist()


def test_a_truncated_file_is_one_clear_line(tmp_path):
    path = tmp_path / "p.parquet"
    write_predictions(path, Predictions(np.zeros((9, 2), np.float32), np.zeros(9, np.int64)))
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(HarnessError, match="cannot read predictions"):
        read_predictions(path)


def test_a_parquet_file_of_something_else_is_refused(tmp_path):
    pd.DataFrame({"x": [1]}).to_parquet(tmp_path / "p.parquet")
    with pytest.raises(HarnessError, match=r"cannot read predictions|must have the columns"):
        read_predictions(tmp_path / "p.parquet")


def test_probabilities_are_the_softmax_in_double_precision():
    logits = np.array([[1, 2, 3], [1000, 0, -1000]], dtype=np.float32)
    found = Predictions(logits, np.array([0, 0])).probabilities
    powers = np.exp([1.0, 2.0, 3.0])
    assert found.dtype == np.float64
    assert found[0] == pytest.approx(powers / powers.sum(), rel=1e-15)
    assert found[1].tolist() == [1, 0, 0]


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_logit_that_is_not_finite_makes_a_sure_vote_for_a_wrong_class(bad):
    logits = np.array([[5, bad, 0], [5, 1, 0], [0, 0, bad]], dtype=np.float32)
    predictions = Predictions(logits, np.array([0, 0, 2]))
    assert predictions.scorable.tolist() == [False, True, False]
    assert predictions.labels.tolist() == [1, 0, 0]
    assert predictions.probabilities[0].tolist() == [0, 1, 0]
    assert predictions.probabilities[2].tolist() == [1, 0, 0]


def test_writing_predictions_imports_neither_pandas_nor_evaluate(tmp_path):
    code = (
        "import sys, pathlib, numpy as np\n"
        "from harness.evaluate.predictions import Predictions, write_predictions\n"
        "given = Predictions(np.zeros((3, 2), np.float32), np.zeros(3, np.int64))\n"
        f"write_predictions(pathlib.Path({str(tmp_path / 'p.parquet')!r}), given)\n"
        "print(sorted({'pandas', 'evaluate', 'datasets', 'sklearn'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def on_fewer_classes(**changes):
    shares = np.array([[0.4, 0.3, 0.3], [0.2, 0.5, 0.3], [0.7, 0.2, 0.1]])
    given = {"logits": np.log(shares).astype(np.float32), "targets": np.array([1, 1, 0])}
    return Predictions(**{**given, "merged": ((0,), (1, 2)), **changes})


def test_of_merged_classes_the_largest_logit_decides_and_probabilities_are_summed():
    found = on_fewer_classes()
    assert found.labels.tolist() == [0, 1, 0]  # not [1, 1, 0], as the sums would have it
    expected = [[0.4, 0.6], [0.2, 0.8], [0.7, 0.3]]
    assert found.probabilities == pytest.approx(np.array(expected), abs=1e-6)
    assert found.classes == 2


def test_what_cannot_be_scored_is_a_sure_vote_for_a_wrong_merged_class():
    logits = np.array([[np.nan, 0, 0], [0, np.inf, 0]], dtype=np.float32)
    found = on_fewer_classes(logits=logits, targets=np.array([1, 0]))
    assert found.labels.tolist() == [0, 1]
    assert found.probabilities.tolist() == [[1, 0], [0, 1]]


def test_merged_classes_are_stored_with_the_predictions(tmp_path):
    path = tmp_path / "p.parquet"
    write_predictions(path, on_fewer_classes())
    found = read_predictions(path)
    assert found.merged == ((0,), (1, 2))
    assert found.logits.shape == (3, 3)
    write_predictions(path, on_fewer_classes(merged=((0,), (2,))))
    with pytest.raises(HarnessError, match="the merged classes of these predictions make no sense"):
        read_predictions(path)
