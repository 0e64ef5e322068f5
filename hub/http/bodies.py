"""Request bodies: strict, and free of what no database can keep."""

import math
from typing import Any

from pydantic import BaseModel, ConfigDict, model_validator


class Body(BaseModel):
    """A request's body: unknown members are refused, text must be storable.

    Members are checked by their types; NUL, lone surrogates and numbers that JSON does
    not know are refused anywhere inside, free-form members included.
    """

    model_config = ConfigDict(extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _storable(cls, value: Any) -> Any:  # noqa: ANN401 - any JSON
        fault = unstorable(value)
        if fault is not None:
            raise ValueError(fault)
        return value


def unstorable(value: Any) -> str | None:  # noqa: ANN401 - any JSON
    """Return why a JSON value can't be kept, or None."""
    if isinstance(value, str):
        return _unstorable_text(value)
    if isinstance(value, float):
        return None if math.isfinite(value) else f"{value} is not a JSON number"
    if isinstance(value, dict):
        parts = [*value.keys(), *value.values()]
    elif isinstance(value, list):
        parts = value
    else:
        return None
    return next((fault for fault in map(unstorable, parts) if fault), None)


def _unstorable_text(text: str) -> str | None:
    if "\x00" in text:
        return "text must not contain NUL (U+0000)"
    try:
        text.encode()
    except UnicodeEncodeError:
        return "text must not contain lone surrogates"
    return None
