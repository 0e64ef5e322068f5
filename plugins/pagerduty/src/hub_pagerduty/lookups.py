"""What the account has: priorities, people, custom fields; remembered for a minute."""

from collections.abc import Sequence
from typing import NamedTuple

import hub
from hub_pagerduty import errors
from hub_pagerduty.client import Json, PagerDutyClient


class Priority(NamedTuple):
    """A level of the account's own list; position 0 is the most severe."""

    id: str
    name: str
    position: int


async def priorities(client: PagerDutyClient) -> Sequence[Priority]:
    """Return the account's priorities, most severe first; none where the feature is off."""

    async def look() -> list[Priority]:
        try:
            rows = [row async for row in client.pages("/priorities", "priorities")]
        except (hub.Gone, errors.Refused) as refused:
            if isinstance(refused, errors.Refused) and refused.answer.status != 402:
                raise
            return []
        used = [row for row in rows if str(row.get("name", "---")).strip("-")]
        return [
            Priority(str(row["id"]), str(row.get("name") or row.get("summary")), position)
            for position, row in enumerate(used)
        ]

    return await client.remembered("priorities", look)


async def priority_named(client: PagerDutyClient, name: str) -> Priority | None:
    """Find a priority by its name, else by its place when the name is P1, P2, …, else by id."""
    listed = await priorities(client)
    for one in listed:
        if name.casefold() == one.name.casefold() or name == one.id:
            return one
    place = name[1:]
    if name[:1] in {"P", "p"} and place.isdigit() and 1 <= int(place) <= len(listed):
        return listed[int(place) - 1]
    return None


async def user_id(client: PagerDutyClient, who: str) -> str:
    """Return the id of a user given by e-mail address or id; Rejected when there is none."""
    if "@" not in who:
        return who
    found = await client.person(who)
    if found is None:
        raise hub.Rejected(f"{who} is no user of this PagerDuty account.")
    return found.id


async def custom_fields(client: PagerDutyClient, incident_type: str) -> Sequence[Json]:
    """Return the definitions of an incident type's custom fields; none where there are none."""
    path = f"/incidents/types/{incident_type}/custom_fields"

    async def look() -> list[Json]:
        try:
            found = await client.get(path, [("include[]", "field_options")])
        except hub.Gone:
            return []
        except errors.Refused as refused:
            if refused.answer.status not in {402, 403}:
                raise
            return []
        fields: list[Json] = found.get("fields") or []
        return fields

    return await client.remembered(f"fields:{incident_type}", look)


async def service(client: PagerDutyClient, service_id: str) -> Json:
    """Return a service."""

    async def look() -> Json:
        return await client.get_one(f"/services/{service_id}", "service")

    return await client.remembered(f"service:{service_id}", look)
