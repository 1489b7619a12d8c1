"""Typed settings of an offer: strict when read, explained on its card, part of the identity."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from pydantic import JsonValue as Json

__all__ = ["Json", "NoSettings", "Settings", "identity", "resolved", "setting"]


class Settings(BaseModel):
    """Base of every settings class: frozen, and an unknown key is an error."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", validate_default=True, allow_inf_nan=False, strict=False
    )


class NoSettings(Settings):
    """For an offer that has nothing to set."""


def setting(default: Any, about: str, *, source: str = "", **limits: Any) -> Any:
    """A field of a settings class, with its card: what it means and where the default comes from.

    Args:
        default: the default value; `...` makes the setting required.
        about: what it means, with its unit.
        source: the paper or page that the default comes from.
        limits: pydantic's own constraints (`gt`, `ge`, `lt`, `le`, `min_length`, ...).

    `Any` because pydantic's own `Field` is typed so: the annotation of the field decides.
    """
    return Field(default, description=about, json_schema_extra={"source": source}, **limits)


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


def resolved(settings: BaseModel) -> Mapping[str, Json]:
    """Every setting with its value, defaults included, as JSON values."""
    return settings.model_dump(mode="json")
