"""The shared fixtures give real databases."""

from sqlalchemy import select

from hub.db.engine import Database
from hub.db.tenancy import Tenant


async def test_each_kind_of_database_is_fresh_and_has_all_tables(
    database: Database, tenant: Tenant
) -> None:
    async with database.reading() as session:
        found = (await session.scalars(select(Tenant.slug))).all()

    assert found == ["acme"]


async def test_a_tenant_goes_into_the_database_that_the_test_uses(
    sqlite_database: Database, tenant: Tenant, other_tenant: Tenant
) -> None:
    async with sqlite_database.reading() as session:
        found = (await session.scalars(select(Tenant.slug).order_by(Tenant.slug))).all()

    assert found == ["acme", "globex"]
