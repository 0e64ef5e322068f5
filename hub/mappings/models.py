"""Service mappings and value maps."""

import uuid
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from hub.db.base import Base, Configured, UuidKey
from hub.db.tenancy import TenantOwned


def _one(name: str, *columns: str, where: str) -> Index:
    condition = text(where)
    return Index(name, *columns, unique=True, sqlite_where=condition, postgresql_where=condition)


class ServiceMapping(TenantOwned, Configured, Base):
    """A row from (source object, field, value) to a service of a connector, or the default row.

    `field` is the field's key. `outbound` rows are searched from a record to a service,
    `inbound` ones from a service to the values that a record gets.
    """

    __tablename__ = "service_mappings"
    __table_args__ = (
        _one(
            "uq_service_mappings_outbound",
            "tenant_id",
            "connector_id",
            "source_object",
            "field",
            "value",
            where="outbound",
        ),
        _one(
            "uq_service_mappings_inbound",
            "tenant_id",
            "connector_id",
            "source_object",
            "service_id",
            "field",
            where="inbound",
        ),
        _one("uq_service_mappings_default", "tenant_id", "connector_id", where="is_default"),
    )

    id: Mapped[UuidKey]
    connector_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("connectors.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(200))
    source_object: Mapped[str | None] = mapped_column(String(200), default=None)
    field: Mapped[str | None] = mapped_column(String(200), default=None)
    value: Mapped[str | None] = mapped_column(String(1000), default=None)
    service_id: Mapped[str] = mapped_column(String(200))
    service_name: Mapped[str] = mapped_column(String(300), default="")
    outbound: Mapped[bool] = mapped_column(default=True)
    inbound: Mapped[bool] = mapped_column(default=False)
    is_default: Mapped[bool] = mapped_column(default=False)
    extra: Mapped[dict[str, Any]] = mapped_column(default=dict)
    position: Mapped[int] = mapped_column(default=0)


class ValueMap(TenantOwned, Configured, Base):
    """A named table from value to value, read by `map` and `unmap` in templates."""

    __tablename__ = "value_maps"
    __table_args__ = (
        UniqueConstraint("tenant_id", "name"),
        CheckConstraint("on_missing IN ('error', 'keep', 'default')", name="on_missing"),
    )

    id: Mapped[UuidKey]
    name: Mapped[str] = mapped_column(String(120))
    label: Mapped[str] = mapped_column(String(200), default="")
    on_missing: Mapped[str] = mapped_column(String(8), default="error")
    default_value: Mapped[str | None] = mapped_column(Text, default=None)


class ValueMapRow(TenantOwned, Base):
    """One row of a value map; the one marked `back` is taken on the way back."""

    __tablename__ = "value_map_rows"
    __table_args__ = (Index("ix_value_map_rows_tenant_id", "tenant_id"),)

    map_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("value_maps.id", ondelete="CASCADE"), primary_key=True
    )
    key: Mapped[str] = mapped_column(String(500), primary_key=True)
    value: Mapped[str] = mapped_column(Text)
    back: Mapped[bool] = mapped_column(default=False)
    position: Mapped[int] = mapped_column(default=0)
