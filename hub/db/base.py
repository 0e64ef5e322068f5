"""What every table shares: metadata, column types, mixins."""

import json
import uuid
from datetime import UTC, datetime
from typing import Annotated, Any, Final

import orjson
from sqlalchemy import (
    JSON,
    BigInteger,
    DateTime,
    Dialect,
    Integer,
    MetaData,
    String,
    TypeDecorator,
    Uuid,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from hub import clock, ids

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}
_SQLITE_TIME = "%Y-%m-%dT%H:%M:%S.%fZ"


class Timestamp(TypeDecorator[datetime]):
    """An aware UTC time: timestamptz, or fixed-width ISO text in SQLite (so that it sorts)."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> Any:  # noqa: ANN401 - SQLAlchemy's signature
        """Choose the column's type by database."""
        if dialect.name == "sqlite":
            return dialect.type_descriptor(String(27))
        return dialect.type_descriptor(DateTime(timezone=True))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:  # noqa: ANN401
        """Refuse naive times; write UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("A time without a zone can't be stored.")
        moment = value.astimezone(UTC)
        return moment.strftime(_SQLITE_TIME) if dialect.name == "sqlite" else moment

    def process_result_value(
        self,
        value: Any,  # noqa: ANN401 - text or datetime, by database
        dialect: Dialect,  # noqa: ARG002 - SQLAlchemy's signature
    ) -> datetime | None:
        """Read an aware UTC time."""
        if value is None or isinstance(value, datetime):
            return value
        return datetime.strptime(value, _SQLITE_TIME).replace(tzinfo=UTC)


BigId = BigInteger().with_variant(Integer, "sqlite")
Json = JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")

UuidKey = Annotated[uuid.UUID, mapped_column(Uuid, primary_key=True, default=ids.new_id)]
BigKey = Annotated[int, mapped_column(BigId, primary_key=True, autoincrement=True)]


class Base(DeclarativeBase):
    """All tables of the hub."""

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map = {  # noqa: RUF012 - SQLAlchemy reads it on the class
        datetime: Timestamp,
        dict[str, Any]: Json,
        list[Any]: Json,
        uuid.UUID: Uuid,
    }


class Configured:
    """Rows that people configure: who, when, and the version that makes the ETag."""

    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    created_by: Mapped[str] = mapped_column(String(200), default="")
    updated_at: Mapped[datetime] = mapped_column(default=clock.now, onupdate=clock.now)
    updated_by: Mapped[str] = mapped_column(String(200), default="")
    row_version: Mapped[int] = mapped_column(default=1)


def to_json(value: object) -> str:
    """Return compact JSON; the form that both databases store. What it has no form for is text."""
    try:
        return orjson.dumps(value, default=_plain, option=_AS_JSON).decode()
    except TypeError:  # a number beyond 64 bits, half a character, a key that is no text
        return _ENCODER.encode(value)


def _plain(value: object) -> Any:  # noqa: ANN401 - JSON
    return list(value) if isinstance(value, tuple) else str(value)


_AS_JSON: Final = orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_PASSTHROUGH_DATACLASS
_ENCODER: Final = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, default=str)
