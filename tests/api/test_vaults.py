"""Secrets that a vendor replaces while they are used outlive the process."""

from sqlalchemy import select

from hub.connectors.models import Secret
from hub.connectors.vaults import BY, Vault


async def _vault(app) -> Vault:
    opened = await app.state.clients.by_name("acme", "my-toy")
    return Vault(clients=app.state.clients, tenant_id=opened.tenant_id, connector_id=opened.id)


async def test_a_replaced_secret_is_sealed_and_opened_with_next_time(app, toy, platform_database):
    vault = await _vault(app)
    before = await app.state.clients.by_name("acme", "my-toy")

    await vault.keep({"api_key": "token-that-turned"})

    async with platform_database.reading() as session:
        rows = (await session.scalars(select(Secret).where(Secret.field == "api_key"))).all()
    assert [one.set_by for one in rows] == [BY]
    assert b"token-that-turned" not in (rows[0].sealed or b"")
    assert await vault.current() == {"api_key": "token-that-turned"}
    assert await app.state.clients.by_name("acme", "my-toy") is before
    app.state.clients._kept[before.id].good_until = float("-inf")
    again = await app.state.clients.by_name("acme", "my-toy")
    assert again.settings.api_key.get_secret_value() == "token-that-turned"


async def test_a_replaced_secret_is_redacted_like_any_other(app, toy):
    from hub import logs  # noqa: PLC0415 - its redactor belongs to the process

    vault = await _vault(app)
    await vault.keep({"api_key": "token-that-turned-2"})

    assert "token-that-turned-2" not in logs.redactor.text("sent token-that-turned-2")
