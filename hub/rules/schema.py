"""Schema: what one tenant's rules may name."""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from types import MappingProxyType
from typing import Any, Final, TypeVar
from zoneinfo import ZoneInfo

from hub.rules.value_maps import MAP, UNMAP, ValueMap, tables
from hub.sdk.actions import Action
from hub.sdk.operators import Operand, Operator
from hub.sdk.templates import Filter
from hub.sdk.vocabulary import FieldSchema, FieldType, SourceObject, Trigger

EVENT: Final = "hub.event"
EVENT_CONNECTOR: Final = FieldSchema(
    source_object=EVENT, key="connector", label="Connector", type=FieldType.ID
)
T = TypeVar("T")


class Schema:
    """What one tenant's rules may name, and what it means; immutable.

    Made of plain declared things. Live lists are given by replacing a field's `choices`,
    required fields learned later by replacing `required`. `connectors` is name -> type,
    `off` names operators that are switched off, with the reason.
    """

    def __init__(  # noqa: PLR0913  each is one of a tenant's vocabularies
        self,
        *,
        fields: Iterable[FieldSchema],
        triggers: Iterable[Trigger],
        operators: Iterable[Operator],
        actions: Iterable[Action[Any, Any]] = (),
        filters: Iterable[Filter] = (),
        objects: Iterable[SourceObject] = (),
        value_maps: Iterable[ValueMap] = (),
        connectors: Mapping[str, str] | None = None,
        zone: str = "UTC",
        off: Mapping[str, str] | None = None,
    ) -> None:
        self.fields: Mapping[str, FieldSchema] = _frozen(
            {EVENT_CONNECTOR.name: EVENT_CONNECTOR} | {one.name: one for one in fields}
        )
        self.triggers: Mapping[str, Trigger] = _frozen({one.name: one for one in triggers})
        self.operators: Mapping[str, Operator] = _frozen({one.name: one for one in operators})
        self.actions: Mapping[str, Action[Any, Any]] = _frozen({one.name: one for one in actions})
        self.filters: Mapping[str, Filter] = _frozen(
            {one.name: one for one in (*filters, MAP, UNMAP)}
        )
        self.value_maps: Mapping[str, ValueMap] = _frozen(tables(value_maps))
        self.connectors: Mapping[str, str] = _frozen(dict(connectors or {}))
        self.zone: ZoneInfo = ZoneInfo(zone)
        self.off: Mapping[str, str] = _frozen(dict(off or {}))
        self._labels = {one.name: one.label for one in objects}
        self._by_object = _grouped(self.fields.values())
        self._triggers_of = _trigger_names(self.triggers.values())
        self._operators_of = {
            kind: [op for op in self.operators.values() if kind in op.types] for kind in FieldType
        }

    @property
    def objects(self) -> frozenset[str]:
        """The names of all objects that have a field, a trigger or a label."""
        return frozenset(self._by_object) | frozenset(self._triggers_of) | frozenset(self._labels)

    def operators_for(self, field: str) -> list[Operator]:
        """List the operators that work on a field, in the order in which editors offer them."""
        return list(self._operators_of[self.fields[field].type])

    def fields_of(self, source_object: str) -> tuple[FieldSchema, ...]:
        """List the fields of an object."""
        return self._by_object.get(source_object, ())

    def label_of(self, source_object: str) -> str:
        """Name an object to people."""
        return self._labels.get(source_object) or source_object.rpartition(".")[2].replace("_", " ")

    def expand(self, on: Iterable[str]) -> list[str]:
        """Name the triggers, with `<object>.*` spelled out and unknown ones left out."""
        named: dict[str, None] = {}
        for one in on:
            if one.endswith(".*"):
                named |= dict.fromkeys(self._triggers_of.get(one[:-2], ()))
            elif one in self.triggers:
                named[one] = None
        return list(named)

    def nearest_field(self, name: str) -> str | None:
        """Guess the field that was meant, by its key."""
        source_object, _, key = name.rpartition(".")
        keys = [one.key for one in self.fields_of(source_object)]
        return next(iter(get_close_matches(key, keys, 1, 0.5)), None)

    def nearest_trigger(self, name: str) -> str | None:
        """Guess the trigger that was meant."""
        return next(iter(get_close_matches(name, list(self.triggers), 1, 0.5)), None)

    def choice_label(self, field: FieldSchema, value: object) -> str | None:
        """Name a choice to people."""
        return next((one.label for one in field.choices if one.value == value), None)


def takes_null(operator: Operator) -> bool:
    """Tell whether the operator's value may be null (= empty)."""
    return operator.changes or operator.needs_prior


def takes_field(operator: Operator) -> bool:
    """Tell whether the operator's value may be another field."""
    return operator.operand is Operand.VALUE


def object_of(name: str) -> str:
    """Name the object of a field or trigger: the first two words."""
    return ".".join(name.split(".", 2)[:2])


def _frozen(found: dict[str, T]) -> Mapping[str, T]:
    return MappingProxyType(found)


def _grouped(fields: Iterable[FieldSchema]) -> dict[str, tuple[FieldSchema, ...]]:
    grouped: dict[str, list[FieldSchema]] = {}
    for one in fields:
        grouped.setdefault(one.source_object, []).append(one)
    return {name: tuple(listed) for name, listed in grouped.items()}


def _trigger_names(triggers: Iterable[Trigger]) -> dict[str, tuple[str, ...]]:
    grouped: dict[str, list[str]] = {}
    for one in triggers:
        grouped.setdefault(one.source_object, []).append(one.name)
    return {name: tuple(listed) for name, listed in grouped.items()}
