"""What the vendors' lists say against a row: told as flags, for lists may be slow to tell."""

import asyncio
from collections.abc import Sequence
from typing import Any, Final

from hub.catalog.catalog import Catalog
from hub.connectors.calls import answered
from hub.errors import HubError
from hub.http.actor import Actor
from hub.mappings.naming import field_named, object_named
from hub.mappings.schemas import ServiceMappingIn
from hub.mappings.service import Lists
from hub.sdk.vocabulary import FieldType

SERVICE: Final = "service_unknown"
VALUE: Final = "value_unknown"
_SERVICES: Final = "services"
_PATIENCE_S: Final = 5.0


async def doubts(
    asked: ServiceMappingIn,
    connectors: Sequence[tuple[str, str]],
    catalog: Catalog,
    asking: tuple[Lists, Actor],
) -> list[str]:
    """Return flags of what the vendors don't know of a row; nothing where they don't answer.

    `connectors` are the tenant's (name, type).
    """
    clients, actor = asking
    found = []
    if await _lacks((clients, actor.slug, asked.connector), _SERVICES, asked.service):
        found.append(SERVICE)
    name = object_named(asked.object or "", catalog, ())
    field = field_named(catalog, name, asked.field)
    if name is None or field is None or field.type is not FieldType.CHOICE or not asked.value:
        return found
    owners = [one for one, kind in connectors if kind == name.partition(".")[0]]
    if field.choices:
        unknown = all(one.value != asked.value for one in field.choices)
    elif field.choice_source and owners:
        lacking = [
            await _lacks((clients, actor.slug, one), field.choice_source, asked.value)
            for one in owners
        ]
        unknown = all(lacking)
    else:
        unknown = False
    return [*found, VALUE] if unknown else found


async def _lacks(whose: tuple[Lists, str, str], source: str, value: str) -> bool:
    """Whether a connector's list is there, answers, and does not have the value."""
    clients, tenant, connector = whose
    try:
        async with asyncio.timeout(_PATIENCE_S):
            opened = await clients.by_name(tenant, connector)
            listed = next((one for one in opened.working_type.choices if one.name == source), None)
            return listed is not None and not await _has(opened.client, connector, listed, value)
    except (HubError, TimeoutError):
        return False


async def _has(client: Any, connector: str, listed: Any, value: str) -> bool:  # noqa: ANN401 - a plugin's
    async with answered(connector):
        for search in ("", value):
            if any(one.value == value for one in await listed.fetch(client, search)):
                return True
    return False
