"""Settings that say what the columns of texts mean, and which rows count."""

from __future__ import annotations

from typing import Literal

from pydantic import model_validator

from harness.api.settings import Settings, setting
from harness_datasets.texts.corpus import Meaning, Rules
from harness_datasets.texts.layout import Column

TAKEN = ("label", "number", "group", "row")


class Choosing(Settings):
    """What columns mean, which rows count, and what is cut out of the training rows."""

    text: Column | tuple[Column, ...] | dict[str, Column] = setting(
        "text", "column with the text; several, or `{premise: column, hypothesis: column}`"
    )
    label: Column | None = setting(None, "column with the label; without it the task is language")
    labels: dict[str, str | None] = setting(
        {}, "class of each label as written; rows of a label that maps to null are left out"
    )
    number: Column | None = setting(
        None, "column with a number to predict, in place of a label: the task is regression"
    )
    group: Column | None = setting(None, "column with each row's group")
    val: float = setting(0.0, "share (below 1) or number of training rows for `val`", ge=0)
    test: float = setting(0.0, "the same for `test`", ge=0)
    empty: Literal["refuse", "drop", "keep"] = setting("refuse", "rows with an empty text")
    duplicates: Literal["keep", "drop"] = setting(
        "keep", "rows with the same texts, label and group as one before, within a file"
    )

    @model_validator(mode="after")
    def _columns_agree(self) -> Choosing:
        if not self.fields:
            raise ValueError("`text` names no column")
        taken = [name for name, _ in self.fields if name in TAKEN]
        if taken:
            raise ValueError(
                f"a text cannot be called {taken[0]!r}; write `text: {{NAME: column}}`"
            )
        if self.number is not None and self.label is not None:
            raise ValueError("give `label` or `number`, not both")
        if self.labels and self.label is None:
            raise ValueError("`labels` needs the column `label`")
        return self

    @property
    def fields(self) -> tuple[tuple[str, Column], ...]:
        """The texts with their columns: named as these are, numbered ones "text", "text2", ..."""
        text = self.text
        if isinstance(text, dict):
            return tuple(text.items())
        columns = text if isinstance(text, tuple) else (text,)
        names = ["text" if place == 0 else f"text{place + 1}" for place in range(len(columns))]
        return tuple(
            (column if isinstance(column, str) else name, column)
            for name, column in zip(names, columns, strict=True)
        )

    @property
    def meaning(self) -> Meaning:
        """What the columns mean."""
        return Meaning(self.fields, self.label, self.group, self.number)

    @property
    def rules(self) -> Rules:
        """Which rows count."""
        return Rules(self.empty, self.duplicates)

    @property
    def cut(self) -> tuple[tuple[str, float], ...]:
        """Splits that are cut out of the training rows."""
        both = (("val", self.val), ("test", self.test))
        return tuple((name, share) for name, share in both if share)
