"""Open connectors: what they carry, when they are opened anew, what makes them unusable."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from hub import clock
from hub.activity.models import Activity
from hub.builtins.secrets import SecretPlaces
from hub.connectors import secrets as secret_keeping
from hub.connectors.clients import Clients
from hub.connectors.models import Connector, Secret
from hub.connectors.states import ConnectorState, mark_broken
from hub.crypto import MasterKeys, new_key
from hub.db.tenancy import Tenant
from hub.errors import ConnectorBroken, NotFound, StartRefused
from hub.logs import HIDDEN, redactor
from hub.settings import HubSettings
from tests.toy import ToyVendor, toy_catalog
from tests.unit.connectors.conftest import Ticking, add_connector


async def test_an_open_connector_calls_its_vendor(
    clients: Clients, connector: Connector, vendor: ToyVendor
) -> None:
    opened = await clients.by_name("acme", "my-toy")

    assert await opened.client.ask("GET", "/me") == {"name": "acme"}
    assert opened is await clients.by_id(opened.tenant_id, opened.id)


async def test_another_tenant_does_not_see_it(
    clients: Clients, connector: Connector, other_tenant: Tenant
) -> None:
    await clients.by_name("acme", "my-toy")

    with pytest.raises(NotFound):
        await clients.by_name("globex", "my-toy")
    with pytest.raises(NotFound):
        await clients.by_id(other_tenant.id, connector.id)


async def test_a_change_elsewhere_is_seen_within_a_second(
    clients: Clients, connector: Connector, ticking: Ticking
) -> None:
    before = await clients.by_name("acme", "my-toy")
    async with clients.database.writing() as session:
        await session.execute(update(Connector).values(row_version=2, label="New"))

    assert before is await clients.by_name("acme", "my-toy")
    ticking.now += 1.1
    assert (await clients.by_name("acme", "my-toy")).label == "New"


async def test_a_change_in_this_process_is_seen_at_once(
    clients: Clients, connector: Connector
) -> None:
    await clients.by_name("acme", "my-toy")
    async with clients.database.writing() as session:
        clients.changed_by(session, connector.id)
        await session.execute(update(Connector).values(state="paused"))

    assert (await clients.by_name("acme", "my-toy")).state is ConnectorState.PAUSED


async def test_a_change_of_state_keeps_the_client(
    clients: Clients, connector: Connector, ticking: Ticking
) -> None:
    before = await clients.by_name("acme", "my-toy")
    async with clients.database.writing() as session:
        await clients.states.park(
            session, before.tenant_id, before.id, until=clock.now(), detail="away"
        )
    ticking.now += 2

    after = await clients.by_name("acme", "my-toy")

    assert (after.state, after.client) == (ConnectorState.PARKED, before.client)


async def test_a_webhook_secret_stays_valid_for_a_day_after_its_rotation(
    clients: Clients, connector: Connector
) -> None:
    async with clients.database.writing() as session:
        store = clients.store(session, connector.tenant_id)
        await store.put(connector.id, "webhook_secret", "whsec-new", by="Ana", backends={})

    opened = await clients.by_name("acme", "my-toy")

    live = [one.webhook_secret.get_secret_value() for one in opened.live_settings]
    assert live == ["whsec-new", "whsec-old"]
    await secret_keeping.forget_expired(clients.database, clock.now() + timedelta(hours=25))
    async with clients.database.reading() as session:
        kept = await session.scalars(select(Secret.previous_sealed))
        assert set(kept) == {None}


async def test_secrets_are_hidden_in_logs_while_their_connector_is_open(
    clients: Clients, connector: Connector
) -> None:
    await clients.by_name("acme", "my-toy")

    assert redactor.text("my key is good-key-0000a1f3.") == f"my key is {HIDDEN}."


async def test_a_sealed_secret_does_not_open_for_another_owner(
    clients: Clients, connector: Connector, tenant: Tenant, vendor: ToyVendor
) -> None:
    other = await add_connector(clients, tenant, vendor.url, name="second")
    async with clients.database.writing() as session:
        rows = (await session.scalars(select(Secret).where(Secret.field == "api_key"))).all()
        stolen = next(row for row in rows if row.owner_id == connector.id)
        next(row for row in rows if row.owner_id == other.id).sealed = stolen.sealed

    opened = await clients.by_name("acme", "second")

    assert (opened.state, opened.client) == (ConnectorState.BROKEN, None)


async def test_a_reference_is_followed_and_followed_again_after_five_minutes(
    clients: Clients, connector: Connector, ticking: Ticking, tmp_path
) -> None:
    variables = {"TOY_KEY": "first-key-0001"}
    places = SecretPlaces(variable=variables.get, variables="TOY_*", data_dir=tmp_path)
    catalog = toy_catalog(("secrets", places))
    mine = Clients(
        clients.database,
        catalog,
        HubSettings(data_dir=tmp_path),
        keys=clients.keys,
        monotonic=ticking,
    )
    async with clients.database.writing() as session:
        store = mine.store(session, connector.tenant_id)
        await store.put(
            connector.id, "api_key", "env:TOY_KEY", by="Ana", backends=catalog.secret_backends
        )

    first = (await mine.by_name("acme", "my-toy")).settings.api_key.get_secret_value()
    variables["TOY_KEY"] = "second-key-0002"
    ticking.now += 200
    same = (await mine.by_name("acme", "my-toy")).settings.api_key.get_secret_value()
    ticking.now += 200
    later = (await mine.by_name("acme", "my-toy")).settings.api_key.get_secret_value()
    variables.clear()
    ticking.now += 400
    gone = await mine.by_name("acme", "my-toy")
    await mine.close()

    assert (first, same, later) == ("first-key-0001", "first-key-0001", "second-key-0002")
    assert gone.state is ConnectorState.NEEDS_CREDENTIALS
    assert "env:TOY_KEY" in gone.state_detail


async def test_a_connector_of_a_plugin_in_quarantine_is_broken_until_it_is_back(
    clients: Clients, connector: Connector
) -> None:
    woken = []

    async def wake(_session, _tenant_id, connector_id) -> None:
        woken.append(connector_id)

    clients.states.when_usable(wake)
    await mark_broken(clients.database, clients.states, known_types=())
    without = Clients(clients.database, type(clients.catalog)(), HubSettings(), keys=clients.keys)
    opened = await without.by_name("acme", "my-toy")
    with pytest.raises(ConnectorBroken):
        _ = opened.working_type
    await mark_broken(clients.database, clients.states, known_types=("toy",))

    assert opened.state is ConnectorState.BROKEN
    assert (await clients.by_name("acme", "my-toy")).state is ConnectorState.ACTIVE
    assert woken == [connector.id]


async def test_settings_that_no_longer_fit_make_it_broken(
    clients: Clients, connector: Connector
) -> None:
    async with clients.database.writing() as session:
        await session.execute(update(Connector).values(settings={"retries": 99}))

    opened = await clients.by_name("acme", "my-toy")

    assert opened.state is ConnectorState.BROKEN
    assert "/base_url" in opened.state_detail


async def test_a_refused_credential_is_told_once_and_lifted_by_a_good_check(
    clients: Clients, connector: Connector
) -> None:
    tenant_id, states = connector.tenant_id, clients.states
    async with clients.database.writing() as session:
        for _ in range(2):
            await states.needs_credentials(session, tenant_id, connector.id, "401 Unauthorized.")
        lifted = [await states.good_check(session, tenant_id, connector.id) for _ in range(2)]
        told = (await session.scalars(select(Activity.text).order_by(Activity.id))).all()

    assert lifted == [True, False]
    assert len(told) == 2
    assert "401" in told[0]


async def test_another_master_key_is_refused_at_start_and_rotation_rewraps(
    clients: Clients, connector: Connector, tmp_path
) -> None:
    fresh = MasterKeys(current=new_key())
    with pytest.raises(StartRefused, match="another master key"):
        await secret_keeping.check_master_key(clients.database, fresh)

    rotating = MasterKeys(current=fresh.current, previous=clients.keys.current)
    changed = await secret_keeping.rotate_master_key(clients.database, rotating)
    await secret_keeping.check_master_key(clients.database, fresh)
    mine = Clients(clients.database, clients.catalog, HubSettings(data_dir=tmp_path), keys=fresh)
    opened = await mine.by_name("acme", "my-toy")
    await mine.close()

    assert changed == 1
    assert opened.settings.api_key.get_secret_value() == "good-key-0000a1f3"


async def test_connectors_with_one_credential_share_a_limiter_key(
    clients: Clients, connector: Connector, tenant: Tenant, vendor: ToyVendor
) -> None:
    await add_connector(clients, tenant, vendor.url, name="second")

    one, two = [await clients.by_name("acme", name) for name in ("my-toy", "second")]

    assert one.limiter_key == two.limiter_key
    assert "good-key" not in one.limiter_key


async def test_answers_tell_the_limits_of_the_vendors_quota(
    clients: Clients, connector: Connector, vendor: ToyVendor
) -> None:
    vendor.headers = {
        "ratelimit-limit": "960",
        "ratelimit-remaining": "0",
        "ratelimit-reset": "30",
    }
    opened = await clients.by_name("acme", "my-toy")
    await opened.client.ask("GET", "/me")

    assert await clients.limits.permit(opened) > 25
    assert clients.limits.usage(opened).limit == 960
