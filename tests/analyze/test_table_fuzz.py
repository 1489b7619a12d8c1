"""Whatever bytes a file holds: a table, or one line that says why not."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from harness.analyze.table import Columns
from harness.analyze.table_reading import read_table
from harness.api.errors import HarnessError

COLUMNS = Columns(runs=("run",), id="id", ood=("ood",), groups=("seed",), controls=("lr",))
PROFILE = settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
CELLS = st.one_of(
    st.floats(0, 1).map(str), st.text(max_size=5), st.sampled_from(["", "nan", "inf", "1e999", "0"])
)


def reads_or_says_why(path) -> None:
    try:
        table = read_table(path, COLUMNS)
    except HarnessError as error:
        assert len(str(error).splitlines()) == 1
        return
    assert len(table.labels) >= 3
    assert all(np.isfinite(values).all() for values in table.numbers.values())


@PROFILE
@given(
    content=st.binary(max_size=200), suffix=st.sampled_from([".csv", ".jsonl", ".parquet", ".npz"])
)
@example(content=b"PK\x05\x06" + bytes(18), suffix=".npz")
@example(content=b"\x00", suffix=".csv")
@example(content=b"run,id,ood,seed,lr\n" + b"9" * 200, suffix=".csv")
def test_any_bytes_are_read_or_refused(content, suffix, tmp_path):
    (tmp_path / f"t{suffix}").write_bytes(content)
    reads_or_says_why(tmp_path / f"t{suffix}")


@PROFILE
@given(
    rows=st.lists(st.tuples(*[CELLS] * 5), min_size=1, max_size=6),
    suffix=st.sampled_from(["csv", "tsv"]),
)
def test_any_cells_are_read_or_refused(rows, suffix, tmp_path):
    frame = pd.DataFrame(rows, columns=["run", "id", "ood", "seed", "lr"])
    path = tmp_path / f"t.{suffix}"
    try:
        frame.to_csv(path, index=False, sep="," if suffix == "csv" else "\t")
    except (UnicodeEncodeError, ValueError):  # a lone surrogate, or what csv cannot quote
        return
    reads_or_says_why(path)


@PROFILE
@given(
    line=st.dictionaries(
        st.sampled_from(["run", "id", "ood", "seed", "lr"]),
        st.one_of(
            st.none(),
            st.booleans(),
            st.integers(),
            st.floats(),
            st.text(max_size=3),
            st.lists(st.integers(), max_size=2),
        ),
    )
)
def test_any_objects_are_read_or_refused(line, tmp_path):
    frame = pd.DataFrame([line] * 4, dtype=object)
    (tmp_path / "t.jsonl").write_text(
        frame.to_json(orient="records", lines=True, default_handler=str)
    )
    reads_or_says_why(tmp_path / "t.jsonl")


def test_a_table_cut_short_anywhere_is_read_or_refused(tmp_path):
    frame = pd.DataFrame({"run": range(5), "id": [0.1, 0.2, 0.3, 0.4, 0.5]})
    frame = frame.assign(ood=frame["id"] / 2, seed=range(5), lr=range(5))
    frame.to_parquet(tmp_path / "whole.parquet")
    np.savez(tmp_path / "whole.npz", models=np.arange(5), seed=np.arange(5))
    for name in ("whole.parquet", "whole.npz"):
        content = (tmp_path / name).read_bytes()
        for end in range(0, len(content), max(1, len(content) // 40)):
            path = tmp_path / f"part.{name.split('.')[1]}"
            path.write_bytes(content[:end])
            with pytest.raises(HarnessError):
                read_table(path, COLUMNS)
