"""Tenants, and what makes a table theirs."""

import uuid
from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import ForeignKey, Index, String, text, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, declared_attr, mapped_column

from hub import clock
from hub.db.base import Base, UuidKey


class Tenant(Base):
    """A customer of the hub; owns everything that is marked as owned."""

    __tablename__ = "tenants"
    __table_args__ = (
        Index(
            "uq_tenants_default",
            "is_default",
            unique=True,
            sqlite_where=text("is_default"),
            postgresql_where=text("is_default"),
        ),
    )

    id: Mapped[UuidKey]
    slug: Mapped[str] = mapped_column(String(63), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    time_zone: Mapped[str] = mapped_column(String(64), default="UTC")
    is_default: Mapped[bool] = mapped_column(default=False)
    rules_version: Mapped[int] = mapped_column(default=0)
    settings: Mapped[dict[str, Any]] = mapped_column(default=dict)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    deactivated_at: Mapped[datetime | None] = mapped_column(default=None)
    row_version: Mapped[int] = mapped_column(default=1)


class TenantOwned:
    """A table whose every row belongs to one tenant; its uniques begin with it."""

    tenant_owned: ClassVar[bool] = True

    @declared_attr
    def tenant_id(cls) -> Mapped[uuid.UUID]:  # noqa: N805 - SQLAlchemy passes the class
        """Whose row it is."""
        return mapped_column(ForeignKey("tenants.id", ondelete="CASCADE"), index=False)


class TenantMarked(TenantOwned):
    """A tenant's table whose rows come with every event: without the reference.

    It would be looked up for each row. No tenant is ever deleted, only deactivated; whoever
    lets one be deleted deletes the rows of these tables first.
    """

    @declared_attr
    def tenant_id(cls) -> Mapped[uuid.UUID]:  # noqa: N805 - SQLAlchemy passes the class
        """Whose row it is."""
        return mapped_column(index=False)


async def raise_rules_version(session: AsyncSession, tenant_id: uuid.UUID) -> int:
    """Raise a tenant's rules version in this transaction and return it.

    Every write that changes what the tenant's rules are, or may name, does it: all processes
    renew the tenant's plan when they see it.
    """
    statement = (
        update(Tenant)
        .where(Tenant.id == tenant_id)
        .values(rules_version=Tenant.rules_version + 1)
        .returning(Tenant.rules_version)
        .execution_options(synchronize_session=False)
    )
    return (await session.execute(statement)).scalar_one()
