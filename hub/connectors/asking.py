"""Questions people ask about a connector: choices, queries, health; objects they adopt."""

from collections.abc import Sequence
from typing import Any, Literal

from pydantic import ValidationError

from hub.activity import audit
from hub.connectors import shown
from hub.connectors.calls import answered
from hub.connectors.clients import Clients, OpenConnector
from hub.connectors.fields import FieldBook
from hub.connectors.judging import days_old
from hub.connectors.limits import Usage
from hub.connectors.models import ConnectorObject
from hub.connectors.repository import Cursors, Fields, Objects
from hub.connectors.schemas import (
    CheckLine,
    ChoiceList,
    ChoiceOut,
    HealthOut,
    ObjectAdopted,
    ObjectOut,
)
from hub.connectors.service import ConnectorsService, Seen
from hub.db.tenancy import raise_rules_version
from hub.errors import Invalid, NotFound
from hub.http.actor import Actor
from hub.http.faults import fault_of
from hub.sdk.vocabulary import SourceObject


async def choices(connector: OpenConnector, source: str, search: str) -> ChoiceList:
    """Return a live list; NotFound when the connector type has no such list."""
    known = {one.name: one for one in connector.working_type.choices}
    if source not in known:
        raise NotFound(f"There is no list {source!r}; there are: {', '.join(known) or 'none'}.")
    async with answered(connector.name):
        found = await known[source].fetch(connector.client, search)
    return ChoiceList(
        items=[ChoiceOut(value=one.value, label=one.label) for one in found],
        age_s=round(known[source].age(connector.client, search) or 0),
    )


async def query(connector: OpenConnector, name: str, params: dict[str, Any]) -> dict[str, Any]:
    """Ask the vendor; Invalid says what is wrong with the parameters."""
    known = {one.name: one for one in connector.working_type.queries}
    if name not in known:
        raise NotFound(f"There is no query {name!r}; there are: {', '.join(known) or 'none'}.")
    try:
        checked = known[name].params.model_validate(params)
    except ValidationError as error:
        faults = [fault_of(one, model=known[name].params) for one in error.errors()]
        raise Invalid("The query's parameters can't be used.", errors=faults) from error
    async with answered(connector.name):
        return dict(await known[name].run(connector.client, checked))


async def send_test(connector: OpenConnector, service: str) -> str:
    """Send a test event; NotFound where the connector type has none."""
    send = connector.working_type.send_test
    if send is None:
        raise NotFound(f"Connectors of the type {connector.type_name!r} send no test events.")
    async with answered(connector.name):
        return await send(connector.client, service)


async def adopt(
    clients: Clients, actor: Actor, connector: OpenConnector, name: str, asked: ObjectAdopted
) -> ObjectOut:
    """Adopt a vendor's object and read its fields."""
    book = FieldBook(clients)
    target = await book.find(connector, name)
    await book.renew(connector, target)
    async with clients.database.writing() as session:
        objects = Objects(session, actor.home)
        row = await objects.one(connector.id, name)
        if row is None:
            row = objects.add(_adopted(connector, target))
        row.label, row.polled = asked.label or target.label, asked.polled
        await raise_rules_version(session, actor.home)
        await audit.record(session, actor, "object adopted", f"{connector.name}: {name}")
    return shown.object_(target, row, clients.catalog)


def _adopted(connector: OpenConnector, target: SourceObject) -> ConnectorObject:
    return ConnectorObject(
        connector_id=connector.id,
        source_object=target.name,
        label=target.label,
        vendor_name=target.vendor_name,
    )


async def drop(clients: Clients, actor: Actor, connector: OpenConnector, name: str) -> None:
    """Give up an adopted object."""
    async with clients.database.writing() as session:
        objects = Objects(session, actor.home)
        row = await objects.one(connector.id, name)
        if row is None:
            raise NotFound(f"The object {name!r} is not adopted.")
        await objects.remove(row)
        await Fields(session, actor.home).forget(connector.id, name)
        await raise_rules_version(session, actor.home)
        await audit.record(session, actor, "object dropped", f"{connector.name}: {name}")


async def health(
    clients: Clients, service: ConnectorsService, seen: Seen, connector: OpenConnector
) -> HealthOut:
    """Put together how a connector is doing; layers above add their parts."""
    kept = await service.checks(seen.row.id)
    lines = shown.kept_lines(seen.row, kept, clients.catalog)
    usage = clients.limits.usage(connector)
    more: dict[str, Any] = {}
    async with clients.database.reading() as session:
        polls = await Cursors(session, connector.tenant_id).of(connector.id)
        for part in clients.health_parts:
            more |= await part(session, connector.tenant_id, connector.id)
    return HealthOut(
        health=_verdict(connector, lines),
        state=connector.state,
        state_detail=connector.state_detail,
        checked_at=max((one.at for one in kept), default=None),
        checks=lines,
        requests_last_minute=usage.made_last_minute,
        rate_limit=usage.limit or usage.requests_per_minute,
        rate_limit_used_percent=_used(usage),
        quota_used_percent=None if usage.used_percent is None else round(usage.used_percent, 1),
        quota_held_back=usage.shed.sentence if usage.shed else "",
        oldest_secret_days=days_old(seen.secrets, clients.clock()),
        webhook_ok=connector.webhook_ok if connector.enabled_webhook else None,
        polls_every_s=connector.polls_every_s if _polls(connector) else None,
        polls=[shown.poll(one) for one in polls],
        **more,
    )


def _polls(connector: OpenConnector) -> bool:
    return connector.type is not None and bool(connector.type.pollers)


def _verdict(
    connector: OpenConnector, lines: Sequence[CheckLine]
) -> Literal["healthy", "degraded", "unhealthy", "unknown"]:
    if connector.state in {"needs_credentials", "broken", "parked"}:
        return "unhealthy"
    if connector.enabled_webhook and connector.webhook_ok is False:
        return "degraded"
    if not lines:
        return "unknown"
    well = all(one.ok for one in lines) and connector.state == "active"
    return "healthy" if well else "degraded"


def _used(usage: Usage) -> float | None:
    if usage.limit and usage.remaining is not None:
        return round(100 * (1 - usage.remaining / usage.limit), 1)
    if usage.requests_per_minute:
        return round(100 * usage.made_last_minute / usage.requests_per_minute, 1)
    return None
