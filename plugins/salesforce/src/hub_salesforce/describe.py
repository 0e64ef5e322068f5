"""The description of an sObject, as far as the hub reads it, and its cache."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from hub import FieldType

FRESH = timedelta(minutes=5)
"""How long a description is used before Salesforce is asked whether it changed."""

_TYPES: Mapping[str, FieldType] = {
    "id": FieldType.ID,
    "reference": FieldType.REFERENCE,
    "picklist": FieldType.CHOICE,
    "multipicklist": FieldType.LIST,
    "boolean": FieldType.BOOLEAN,
    "int": FieldType.INTEGER,
    "long": FieldType.INTEGER,
    "double": FieldType.DECIMAL,
    "currency": FieldType.DECIMAL,
    "percent": FieldType.DECIMAL,
    "date": FieldType.DATE,
    "datetime": FieldType.TIMESTAMP,
}
_NOT_OFFERED = frozenset({"base64", "address", "location", "anyType", "complexvalue", "time"})


@dataclass(frozen=True, slots=True, kw_only=True)
class DescribedField:
    """One field of a description."""

    name: str
    label: str
    vendor_type: str
    length: int = 0
    byte_length: int = 0
    createable: bool = False
    updateable: bool = False
    nillable: bool = True
    defaulted: bool = False
    external_id: bool = False
    unique: bool = False
    filterable: bool = True
    name_field: bool = False
    restricted: bool = False
    picklist: tuple[tuple[str, str], ...] = ()
    reference_to: tuple[str, ...] = ()
    relationship: str | None = None
    lookup_filtered: bool = False

    @property
    def type(self) -> FieldType:
        """The hub's type; text for what has no better one."""
        return _TYPES.get(self.vendor_type, FieldType.TEXT)

    @property
    def offered(self) -> bool:
        """Whether rules can read it; binary and compound values can't be read."""
        return self.vendor_type not in _NOT_OFFERED

    @property
    def required(self) -> bool:
        """Whether a record can't be created without a value for it."""
        optional = self.nillable or self.defaulted or self.vendor_type == "boolean"
        return self.createable and not optional


@dataclass(frozen=True, kw_only=True)
class Describe:
    """An sObject as the signed-in user sees it; `read_at` is when Salesforce last confirmed it."""

    name: str
    label: str
    key_prefix: str
    createable: bool
    updateable: bool
    queryable: bool
    fields: tuple[DescribedField, ...]
    record_types: tuple[tuple[str, str], ...]
    modified: str
    read_at: datetime

    @cached_property
    def by_name(self) -> Mapping[str, DescribedField]:
        """The fields by API name in lower case: Salesforce does not mind letter case."""
        return {one.name.lower(): one for one in self.fields}

    def field(self, api_name: str) -> DescribedField | None:
        """Return the field of that API name, or None if the user cannot see it."""
        return self.by_name.get(api_name.lower())

    @property
    def required(self) -> tuple[DescribedField, ...]:
        """The fields without which a record can't be created, as far as describe tells."""
        return tuple(one for one in self.fields if one.required)

    def age(self, now: datetime) -> timedelta:
        """How long ago Salesforce last confirmed this description."""
        return now - self.read_at


def read_describe(data: Mapping[str, Any], modified: str, now: datetime) -> Describe:
    """Return the description that a `describe` answer gives."""
    return Describe(
        name=str(data["name"]),
        label=str(data.get("label") or data["name"]),
        key_prefix=str(data.get("keyPrefix") or ""),
        createable=bool(data.get("createable")),
        updateable=bool(data.get("updateable")),
        queryable=bool(data.get("queryable")),
        fields=tuple(_field(one) for one in data.get("fields", ())),
        record_types=tuple(
            (str(one.get("recordTypeId")), str(one.get("name")))
            for one in data.get("recordTypeInfos") or ()
            if one.get("active", True) and one.get("available", True)
        ),
        modified=modified,
        read_at=now,
    )


def _field(data: Mapping[str, Any]) -> DescribedField:
    lookup = data.get("filteredLookupInfo") or {}
    return DescribedField(
        name=str(data["name"]),
        label=str(data.get("label") or data["name"]),
        vendor_type=str(data.get("type", "string")),
        length=int(data.get("length") or 0),
        byte_length=int(data.get("byteLength") or 0),
        createable=bool(data.get("createable")),
        updateable=bool(data.get("updateable")),
        nillable=bool(data.get("nillable", True)),
        defaulted=bool(data.get("defaultedOnCreate")),
        external_id=bool(data.get("externalId")),
        unique=bool(data.get("unique")),
        filterable=bool(data.get("filterable", True)),
        name_field=bool(data.get("nameField")),
        restricted=bool(data.get("restrictedPicklist")),
        picklist=tuple(
            (str(one["value"]), str(one.get("label") or one["value"]))
            for one in data.get("picklistValues") or ()
            if one.get("active", True)
        ),
        reference_to=tuple(data.get("referenceTo") or ()),
        relationship=data.get("relationshipName"),
        lookup_filtered=bool(lookup) and not lookup.get("optionalFilter", True),
    )
