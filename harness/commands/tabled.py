"""The Python API for tables of results that were made elsewhere: `harness.analyze_table`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypedDict, Unpack

from harness.api.errors import HarnessError

if TYPE_CHECKING:
    from harness.api.tables import TableFindings


class TableQuestions(TypedDict, total=False):
    """What a table can be asked besides its scores, as on the command line.

    Columns: `predictors`, `groups`, `controls`, `log`, `upstream`. `keep` and `baselines` map a
    column to a regular expression, `examples` a score to its number of test examples. Files:
    `join`, `predictions`. `percent`, `drop_missing`, `scale` ("probit", "logit" or "linear"),
    `permutations`, `replicates` and `seed` say how.
    """

    predictors: Sequence[str]
    groups: Sequence[str]
    controls: Sequence[str]
    log: Sequence[str]
    upstream: str | None
    keep: Mapping[str, str]
    baselines: Mapping[str, str]
    examples: Mapping[str, int]
    join: str | Path | None
    predictions: str | Path | None
    percent: bool
    drop_missing: bool
    scale: Literal["probit", "logit", "linear"]
    permutations: int
    replicates: int
    seed: int


def analyze_table(
    table: str | Path,
    *,
    runs: Sequence[str],
    id: str,
    ood: Sequence[str],
    **asked: Unpack[TableQuestions],
) -> TableFindings:
    """What the statistics say of a table with one row per run.

    Args:
        table: a .csv, .tsv, .parquet or .jsonl file, or an .npz file of predictions.
        runs: the columns that name a run.
        id: the column of the in-domain score.
        ood: the columns of the OOD scores.
        asked: see `TableQuestions`.

    Raises:
        HarnessError: something in the user's hands: the table, a column, a setting.
    """
    for name in asked.keys() - TableQuestions.__annotations__.keys():
        raise TypeError(f"unexpected argument {name!r}; see {TableQuestions.__module__}")
    from harness.analyze.table import Asked, Columns
    from harness.analyze.table_answers import analyze_table as answers
    from harness.analyze.table_reading import read_table

    scale = asked.get("scale", "probit")
    columns = Columns(
        runs=_names("runs", runs),
        id=id,
        ood=_names("ood", ood),
        predictors=_names("predictors", asked.get("predictors", ())),
        groups=_names("groups", asked.get("groups", ())),
        controls=_names("controls", asked.get("controls", ())),
        log=_names("log", asked.get("log", ())),
        upstream=asked.get("upstream"),
        keep=asked.get("keep", {}),
        baselines=asked.get("baselines", {}),
        percent=asked.get("percent", False),
        shares=scale != "linear" or asked.get("percent", False),
        drop_missing=asked.get("drop_missing", False),
    )
    if not columns.runs or not columns.ood:
        raise HarnessError("name the columns of the runs and of the OOD scores")
    if len(columns.groups) > 2:
        raise HarnessError("--groups takes one or two columns", fix="PRETRAIN or PRETRAIN,FINETUNE")
    examples = _examples(asked.get("examples", {}), columns.scores)
    how = Asked(
        examples=examples,
        scale=scale,
        permutations=asked.get("permutations", 9_999),
        gain_replicates=min(200, asked.get("replicates", 200)),
        replicates=asked.get("replicates", 2_000),
        seed=asked.get("seed", 0),
    )
    read = read_table(
        Path(table),
        columns,
        joined=_path(asked.get("join")),
        predictions=_path(asked.get("predictions")),
    )
    for name, right in read.correct.items():
        if examples.get(name, right.shape[1]) != right.shape[1]:
            raise HarnessError(
                f"--examples {name}={examples[name]}, but there are predictions of "
                f"{right.shape[1]:,}",
                fix="leave it out",
            )
    return answers(read, how)


def _names(option: str, given: Sequence[str]) -> tuple[str, ...]:
    if isinstance(given, str):
        raise HarnessError(f"{option} is a list of columns, not one text", fix=f"[{given!r}]")
    return tuple(given)


def _path(given: str | Path | None) -> Path | None:
    return None if given is None else Path(given)


def _examples(given: Mapping[str, int], scores: Sequence[str]) -> dict[str, int]:
    found = {}
    for name, number in given.items():
        if name not in scores:
            raise HarnessError(f"--examples: '{name}' is no score that is asked for")
        if not str(number).isdigit() or int(number) < 1:
            raise HarnessError(f"--examples {name}: {str(number)!r} is no number of examples")
        found[name] = int(number)
    return found
