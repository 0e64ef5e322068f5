"""What goes in and out of the mappings' endpoints."""

import uuid
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from hub.http.bodies import Body

MapName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=120)]
ConnectorName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")]
Extra = dict[str, str | int | bool | None]


class _In(Body):
    model_config = ConfigDict(str_strip_whitespace=True)


class ServiceMappingIn(_In):
    """A row as it is created, imported and exported.

    A row names an object, and mostly a field and a value; the default row names none of them.
    """

    connector: ConnectorName = Field(description="The connector whose services are meant.")
    name: str = Field(default="", max_length=200, description="Empty: the value.")
    object: str | None = Field(
        default=None,
        max_length=200,
        examples=["salesforce.case"],
        description="Name, or the vendor's API name: `BMCServiceDesk__Incident__c`.",
    )
    field: str | None = Field(
        default=None, max_length=200, description="Key, whole name or the vendor's API name."
    )
    value: str | None = Field(
        default=None,
        max_length=1000,
        description="Text; for a field that points at records the id or the name of one.",
    )
    service: str = Field(min_length=1, max_length=200, examples=["PAPI001"])
    service_name: str = Field(default="", max_length=300)
    outbound: bool = True
    inbound: bool = False
    default: bool = Field(default=False, description="Taken when no other row matches.")
    extra: Extra = Field(default_factory=dict, max_length=50)

    @model_validator(mode="after")
    def _fits(self) -> "ServiceMappingIn":
        said = [self.object, self.field, self.value]
        if self.default:
            if any(said):
                raise ValueError("the default row has no object, field or value")
            return self
        if not self.object:
            raise ValueError("needs an object, unless it is the default row")
        if bool(self.field) != bool(self.value):
            raise ValueError("field and value are given together, or neither")
        if not (self.outbound or self.inbound):
            raise ValueError("needs outbound, inbound or both")
        return self


class ServiceMappingPatch(_In):
    """What changes of a row; members that are left out stay."""

    name: str | None = Field(default=None, max_length=200)
    object: str | None = Field(default=None, max_length=200)
    field: str | None = Field(default=None, max_length=200)
    value: str | None = Field(default=None, max_length=1000)
    service: str | None = Field(default=None, min_length=1, max_length=200)
    service_name: str | None = Field(default=None, max_length=300)
    outbound: bool | None = None
    inbound: bool | None = None
    extra: Extra | None = Field(default=None, max_length=50)


class ServiceMappingOut(BaseModel):
    """A row as it is kept. `flags` say what is odd about it: `mapped_twice`.

    A new row, a changed one and one that is read with `ask_vendors` may also have
    `service_unknown` and `value_unknown`: the vendors' lists lack them.
    `class_api_name` and `field_api_name` are the vendor's own names of object and field.
    """

    id: uuid.UUID
    connector: str
    name: str
    object: str | None
    class_api_name: str | None = None
    field: str | None
    field_api_name: str | None = None
    value: str | None
    service: str
    service_name: str
    outbound: bool
    inbound: bool
    default: bool
    extra: dict[str, Any]
    position: int
    flags: list[str] = []
    created_at: datetime
    created_by: str
    updated_at: datetime
    updated_by: str
    etag: str


class MappingOrder(_In):
    """All rows of a connector but the default one, in the order in which they are searched."""

    connector: ConnectorName
    ids: list[uuid.UUID] = Field(max_length=10_000)


class TryMapping(_In):
    """A value to try: which row wins, and why.

    Outbound takes the record's values by field key, inbound the service's id.
    """

    connector: ConnectorName
    direction: Literal["outbound", "inbound"] = "outbound"
    object: str | None = Field(default=None, max_length=200)
    values: dict[str, str | int | bool | list[str] | None] = Field(
        default_factory=dict, max_length=500
    )
    service: str | None = Field(default=None, max_length=200)
    ask_vendors: bool = Field(
        default=False, description="Also ask the plugins' resolvers, which go before the table."
    )

    @model_validator(mode="after")
    def _fits(self) -> "TryMapping":
        if self.direction == "inbound" and not self.service:
            raise ValueError("inbound needs a service")
        if self.direction == "outbound" and not self.object:
            raise ValueError("outbound needs an object")
        return self


class TriedMapping(BaseModel):
    """Which service or values were found, by what, and the steps that led there."""

    service: str | None
    service_name: str
    by: Literal["resolver", "row", "default", "connector", "none"]
    row: str | None
    row_name: str | None
    fields: dict[str, Any]
    nearest: str | None
    steps: list[str]


class MappingsDocument(_In):
    """Service mappings as they are exported and imported.

    `mode` merge keeps rows that are not in the document, replace deletes them (of the
    connectors that the document names).
    """

    format: Literal[1] = 1
    mode: Literal["merge", "replace"] = "merge"
    service_mappings: list[ServiceMappingIn] = Field(max_length=10_000)


class RowChange(BaseModel):
    """What an import does to one row; `changes` are member -> [before, after]."""

    connector: str
    name: str
    changes: dict[str, list[Any]] = {}


class ImportPlan(BaseModel):
    """What an import would do, or did."""

    applied: bool
    added: list[RowChange]
    changed: list[RowChange]
    removed: list[RowChange]
    unchanged: int


class ValueMapRowIO(_In):
    """A row; the one marked `back` stands for its value on the way back."""

    key: str = Field(min_length=1, max_length=500)
    value: str = Field(min_length=1, max_length=2000)
    back: bool = False


class ValueMapIn(_In):
    """A table, whole."""

    label: str = Field(default="", max_length=200)
    on_missing: Literal["error", "keep", "default"] = "error"
    default_value: str | None = Field(default=None, max_length=2000)
    rows: list[ValueMapRowIO] = Field(default_factory=list, max_length=10_000)


class NamedValueMap(ValueMapIn):
    """A table with its name, as it is exported and imported."""

    name: MapName


class ValueMapOut(NamedValueMap):
    """A table as it is kept."""

    updated_at: datetime
    updated_by: str
    etag: str


class ValueMapsDocument(_In):
    """Value maps as they are exported and imported; maps that are not named stay."""

    format: Literal[1] = 1
    value_maps: list[NamedValueMap] = Field(max_length=1000)


class ValueMapsPlan(BaseModel):
    """What an import of value maps would do, or did."""

    applied: bool
    added: list[str]
    changed: dict[str, list[str]]
    unchanged: int


class TryValueMap(_In):
    """A value to take through a map; `precise` is the last known exact value, on the way back."""

    value: str
    back: bool = False
    precise: str | None = None


class TriedValueMap(BaseModel):
    """What came out, and how."""

    value: str | None
    how: str
