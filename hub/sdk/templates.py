"""What plugins add to templates, and rules they offer ready-made."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic

from hub.sdk.actions import Params
from hub.sdk.vocabulary import Value


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """A template filter, pure and sync: apply(value, *JSON arguments)."""

    name: str
    label: str
    apply: Callable[..., Value]


@dataclass(frozen=True, slots=True, kw_only=True)
class RulesetTemplate(Generic[Params]):
    """Rules a plugin offers ready-made; instantiated as ordinary, editable rules.

    `roles` maps a role to the connector type that can play it: {"itsm": "salesforce"}.
    `build(params, role -> connector name)` is pure and returns rules of format 1, each with
    a member `key` that is stable inside the template. `value_maps` are tables to start with.
    """

    name: str
    version: int
    label: str
    description: str
    roles: Mapping[str, str]
    params: "type[Params]"
    build: Callable[[Params, Mapping[str, str]], Sequence[dict[str, Any]]]
    value_maps: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
