"""What records are made of: types, fields, objects, triggers."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import TypeAlias

Value: TypeAlias = str | int | Decimal | bool | date | datetime | timedelta | tuple[str, ...] | None

DECLARED_NAME = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*")


class FieldType(StrEnum):
    """How a field's values compare; decides which operators an editor offers."""

    TEXT = "text"
    ID = "id"
    REFERENCE = "reference"
    CHOICE = "choice"
    INTEGER = "integer"
    DECIMAL = "decimal"
    BOOLEAN = "boolean"
    DATE = "date"
    TIMESTAMP = "timestamp"
    DURATION = "duration"
    LIST = "list"


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One value that a choice field may have; lists go from most to least severe."""

    value: str
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldSchema:
    """A field of a source object.

    `key` is the name inside the object, `name` the whole one (`pagerduty.incident.urgency`).
    `choice_source` names a live list of the connector type instead of fixed `choices`.
    `required` means: a record can't be created without it. `expected` means: people can't, for
    their form demands it; the vendor's API does not. `secret` masks the value in traces.
    `noise` fields (modification stamps) never count as changed.
    `vendor_name` is the vendor's own name, so that schema discovery leaves the field out.
    `follows` are the keys of fields that the vendor works this one out from: when one of them
    was written by a run, a change of this one is the write's consequence and an echo like it.
    """

    source_object: str
    key: str
    label: str
    type: FieldType = FieldType.TEXT
    choices: tuple[Choice, ...] = ()
    choice_source: str | None = None
    writable: bool = False
    required: bool = False
    secret: bool = False
    noise: bool = False
    max_length: int | None = None
    vendor_name: str = ""
    follows: tuple[str, ...] = ()
    expected: bool = False

    @property
    def name(self) -> str:
        """The whole name, as rules write it."""
        return f"{self.source_object}.{self.key}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trigger:
    """A kind of change that rules can run on; `verb` is a past participle.

    `about` are the keys of the fields whose change the trigger reports; what else changed
    with them is the vendor's own consequence. An event is our own echo when all of them are
    what a run wrote. () = the trigger may report a change of any field.
    """

    source_object: str
    verb: str
    label: str
    about: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The whole name, as rules write it: `pagerduty.incident.resolved`."""
        return f"{self.source_object}.{self.verb}"


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceObject:
    """A kind of record at a vendor; made by `ConnectorType.source_object`."""

    name: str
    label: str
    vendor_name: str = ""

    def field(
        self,
        key: str,
        label: str,
        type: FieldType = FieldType.TEXT,
        *,
        choices: Iterable[str | Choice] = (),
        choice_source: str | None = None,
        writable: bool = False,
        required: bool = False,
        secret: bool = False,
        noise: bool = False,
        max_length: int | None = None,
        vendor_name: str = "",
        follows: Iterable[str] = (),
    ) -> FieldSchema:
        """Declare a field of this object; given choices make a text field a choice field."""
        listed = tuple(
            Choice(value=one, label=one.replace("_", " ").capitalize())
            if isinstance(one, str)
            else one
            for one in choices
        )
        chosen = bool(listed) or choice_source is not None
        return FieldSchema(
            source_object=self.name,
            key=key,
            label=label,
            type=FieldType.CHOICE if chosen and type is FieldType.TEXT else type,
            choices=listed,
            choice_source=choice_source,
            writable=writable,
            required=required,
            secret=secret,
            noise=noise,
            max_length=max_length,
            vendor_name=vendor_name,
            follows=tuple(follows),
        )

    def trigger(self, verb: str, label: str, *, about: Iterable[str] = ()) -> Trigger:
        """Declare a trigger of this object, and the fields whose change it reports."""
        return Trigger(source_object=self.name, verb=verb, label=label, about=tuple(about))
