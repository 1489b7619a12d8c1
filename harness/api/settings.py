"""Typed settings of an offer: strict when read, explained on its card, part of the identity."""

from collections.abc import Iterable, Mapping
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field
from pydantic import JsonValue as Json

__all__ = [
    "Json",
    "NoSettings",
    "PathOrName",
    "Settings",
    "SplitName",
    "identity",
    "may_be_path",
    "not_identity",
    "resolved",
    "setting",
    "split_names",
]


class Settings(BaseModel):
    """Base of every settings class: frozen, and an unknown key is an error."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", validate_default=True, allow_inf_nan=False, strict=False
    )


class _NamesSplit:
    """Marks a setting whose value is the name of a split."""


SplitName = Annotated[str, _NamesSplit()]
"""For a metric's setting that names a split: `check` knows then that the split is there."""


class _PathOrName:
    """Marks a setting that is the path of something where it begins as one does."""


PathOrName = Annotated[str, _PathOrName()]
"""For a setting that names something anywhere, or a path: what begins with `/`, `./`, `../` or `~/`
is a path, and a relative one starts at the suite's folder."""


def may_be_path(marks: Iterable[object]) -> bool:
    """Whether an annotation's marks say so."""
    return any(isinstance(mark, _PathOrName) for mark in marks)


class NoSettings(Settings):
    """For an offer that has nothing to set."""


def setting(
    default: Any, about: str, *, source: str = "", identity: bool = True, **limits: Any
) -> Any:
    """A field of a settings class, with its card: what it means and where the default comes from.

    Args:
        default: the default value; `...` makes the setting required.
        about: what it means, with its unit.
        source: the paper or page that the default comes from.
        identity: False for what cannot change a result, such as the folder that a dataset lies in
            (its fingerprint says what is there): such a setting never makes a new cell.
        limits: pydantic's own constraints (`gt`, `ge`, `lt`, `le`, `min_length`, ...).

    `Any` because pydantic's own `Field` is typed so: the annotation of the field decides.
    """
    card: dict[str, Json] = {"source": source}
    if not identity:
        card["identity"] = False
    return Field(default, description=about, json_schema_extra=card, **limits)


def identity(settings: BaseModel) -> dict[str, Json]:
    """The settings that differ from their defaults, as JSON values.

    Defaults are left out so that a new setting never orphans old work.

    >>> class Adam(Settings):
    ...     lr: float = 1e-3
    ...     beta: float = 0.9
    >>> identity(Adam(lr=0.1))
    {'lr': 0.1}
    """
    return settings.model_dump(mode="json", exclude_defaults=True)


def not_identity(settings_class: type[BaseModel]) -> set[str]:
    """The names of the settings that stay out of a cell's identity.

    >>> class Digits(Settings):
    ...     folder: str = setting("data", "where the files lie", identity=False)
    ...     classes: int = setting(10, "number of classes")
    >>> not_identity(Digits)
    {'folder'}
    """
    return {
        name
        for name, field in settings_class.model_fields.items()
        if isinstance(field.json_schema_extra, dict)
        and field.json_schema_extra.get("identity") is False
    }


def split_names(settings: BaseModel) -> dict[str, str]:
    """The settings that name a split, with the split that they name.

    >>> class Top(Settings):
    ...     split: SplitName = setting("train", "where the loss is taken")
    >>> split_names(Top())
    {'split': 'train'}
    """
    return {
        name: getattr(settings, name)
        for name, field in type(settings).model_fields.items()
        if any(isinstance(mark, _NamesSplit) for mark in field.metadata)
    }


def resolved(settings: BaseModel) -> Mapping[str, Json]:
    """Every setting with its value, defaults included, as JSON values."""
    return settings.model_dump(mode="json")
