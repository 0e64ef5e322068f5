"""Live lists for forms."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Final

import hub
from hub import Choice, ChoiceSource
from hub_pagerduty import errors, lookups
from hub_pagerduty.client import Json, PagerDutyClient, Query

SHOWN: Final = 200
"""Nobody scrolls further: a search narrows the list."""

Fetch = Callable[[PagerDutyClient, str], Awaitable[Sequence[Choice]]]


def _listed(path: str, name: str, *, query: Query = (), value: str = "id") -> Fetch:
    async def fetch(client: PagerDutyClient, search: str) -> Sequence[Choice]:
        asked = [*query, *([("query", search)] if search else [])]

        async def look() -> list[Choice]:
            return await _first(client.pages(path, name, asked), value)

        return await client.remembered(f"choices:{name}:{search}", look)

    return fetch


async def _first(rows: AsyncIterator[Json], value: str) -> list[Choice]:
    found: list[Choice] = []
    async for row in rows:
        found.append(Choice(value=str(row[value]), label=_label(row)))
        if len(found) >= SHOWN:
            break
    return found


def _label(row: Json) -> str:
    name = str(row.get("name") or row.get("summary") or row["id"])
    return f"{name} ({row['email']})" if row.get("email") else name


def _matching(choices: Sequence[Choice], search: str) -> list[Choice]:
    wanted = search.casefold()
    return [one for one in choices if wanted in one.label.casefold() or wanted in one.value]


async def _priorities(client: PagerDutyClient, search: str) -> Sequence[Choice]:
    listed = await lookups.priorities(client)
    return _matching([Choice(value=one.name, label=one.name) for one in listed], search)


async def _incident_types(client: PagerDutyClient, search: str) -> Sequence[Choice]:
    async def look() -> list[Choice]:
        found = await client.get("/incidents/types", [("filter", "enabled")])
        return [
            Choice(value=str(one["name"]), label=str(one.get("display_name") or one["name"]))
            for one in found.get("incident_types") or []
        ]

    return _matching(await client.remembered("choices:incident_types", look), search)


async def _custom_fields(client: PagerDutyClient, search: str) -> Sequence[Choice]:
    fields = await lookups.custom_fields(client, "incident_default")
    listed = [
        Choice(value=str(one["name"]), label=str(one.get("display_name") or one["name"]))
        for one in fields
    ]
    return _matching(listed, search)


async def _workflows(client: PagerDutyClient, search: str) -> Sequence[Choice]:
    async def look() -> list[Choice]:
        asked = [("query", search)] if search else []
        pages = client.pages("/incident_workflows", "incident_workflows", asked)
        usable = [one async for one in pages if one.get("is_enabled", True)]
        return [Choice(value=str(one["id"]), label=str(one.get("name"))) for one in usable[:SHOWN]]

    return await client.remembered(f"choices:workflows:{search}", look)


async def _response_plays(client: PagerDutyClient, search: str) -> Sequence[Choice]:
    async def look() -> Sequence[Choice]:
        return await _plays_and_workflows(client, search)

    return await client.remembered(f"choices:response_plays:{search}", look)


async def _plays_and_workflows(client: PagerDutyClient, search: str) -> Sequence[Choice]:
    try:
        found = await client.get("/response_plays", [("query", search)] if search else [])
    except (hub.Gone, errors.Refused):
        return await _workflows(client, search)  # plays are withdrawn in most accounts
    plays = [
        Choice(value=str(one["id"]), label=str(one.get("name") or one.get("summary")))
        for one in found.get("response_plays") or []
    ]
    return [*plays, *await _workflows(client, search)]


services: Final = _listed("/services", "services")
escalation_policies: Final = _listed("/escalation_policies", "escalation_policies")

_KEPT: Final = {
    "priorities": "priorities",
    "custom_fields": "fields:incident_default",
    "incident_types": "choices:incident_types",
}
"""Lists that are kept whole, whatever is searched for, and under which key."""


def _aged(name: str) -> Callable[[PagerDutyClient, str], float | None]:
    def age(client: PagerDutyClient, search: str) -> float | None:
        return client.age_of(_KEPT.get(name) or f"choices:{name}:{search}")

    return age


CHOICES: Final[tuple[ChoiceSource[PagerDutyClient], ...]] = tuple(
    ChoiceSource(name=name, fetch=fetch, age=_aged(name))
    for name, fetch in (
        ("services", services),
        ("escalation_policies", escalation_policies),
        ("users", _listed("/users", "users")),
        ("teams", _listed("/teams", "teams")),
        ("schedules", _listed("/schedules", "schedules")),
        ("priorities", _priorities),
        ("incident_types", _incident_types),
        ("custom_fields", _custom_fields),
        ("workflows", _workflows),
        ("response_plays", _response_plays),
    )
)
