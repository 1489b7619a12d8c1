"""More columns for the runs of a table, from a file beside it."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from harness.analyze.table_cells import check_names, texts_of
from harness.analyze.table_files import joined_json, open_frame
from harness.api.errors import HarnessError
from harness.api.numbers import count, some
from harness.api.tables import SourceFile


def join(
    path: Path, frame: pd.DataFrame, runs: Sequence[str], beside: Path
) -> tuple[pd.DataFrame, SourceFile, list[str]]:
    """The table with the columns of another file, the file, and what to say of it.

    Rows go together by the columns `runs`. A run that the other file lacks has holes there.

    Raises:
        HarnessError: a file that cannot be read, a run that is in it twice, a column that both
            have, or no run in common.
    """
    check_names(path, frame, {"--runs": tuple(runs)})
    if beside.suffix.lower() == ".json":
        if len(runs) > 1:
            fix = "name one column with --runs, or give a table"
            raise HarnessError("keys of JSON are names of runs", where=str(beside), fix=fix)
        other, digest = joined_json(beside, runs[0])
    else:
        other, digest = open_frame(beside)
    check_names(beside, other, {"--runs": tuple(runs)})
    keys = texts_of(other, runs)
    place = {key: row for row, key in enumerate(keys)}
    if len(place) < len(keys):
        twice = next(key for key in keys if keys.count(key) > 1)
        raise HarnessError(f"run '{' '.join(twice)}' is there twice", where=str(beside))
    more = [name for name in other.columns if name not in runs]
    both = [name for name in more if name in frame.columns]
    if both:
        raise HarnessError(f"the table has a column '{both[0]}' too", where=str(beside))
    ours = texts_of(frame, runs)
    rows = [place.get(key) for key in ours]
    if not any(row is not None for row in rows):
        raise HarnessError(
            "no run in common with the table",
            where=str(beside),
            fix=f"it names {some([' '.join(key) for key in keys])}",
        )
    columns = {
        name: pd.Series(
            [None if row is None else other[name].iloc[row] for row in rows],
            index=frame.index,
            dtype=object,
        )
        for name in more
    }
    spare = len(place.keys() - set(ours))
    notes = [f"{beside.name}: {count(spare, 'run')} not in the table"] if spare else []
    source = SourceFile(part="join", file=beside.name, digest=digest)
    return pd.concat([frame, pd.DataFrame(columns)], axis=1), source, notes
