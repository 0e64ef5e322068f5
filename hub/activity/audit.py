"""Who changed what: one line for every change, in the transaction of the change."""

import uuid
from collections.abc import Mapping
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from hub.activity.models import AuditLine
from hub.http.actor import Actor
from hub.logs import redactor


async def record(
    session: AsyncSession,
    actor: Actor,
    action: str,
    subject: str,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> None:
    """Write down a change: `record(session, actor, "connector updated", "prod-pagerduty", …)`.

    Of `before` and `after` only what differs is kept, and nothing secret.
    """
    await record_for(session, actor, actor.tenant_id, action, subject, before=before, after=after)


async def record_for(  # noqa: PLR0913 - as `record`, with the tenant named
    session: AsyncSession,
    actor: Actor,
    tenant_id: uuid.UUID | None,
    action: str,
    subject: str,
    *,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> None:
    """Write down a change that an operator makes to a tenant, or (None) to the hub."""
    old, new = differing(before, after)
    session.add(
        AuditLine(
            tenant_id=tenant_id,
            actor=actor.name,
            address=actor.address,
            action=action,
            subject=subject[:200],
            before=_clean(old),
            after=_clean(new),
        )
    )


def differing(
    before: Mapping[str, Any] | None, after: Mapping[str, Any] | None
) -> tuple[Mapping[str, Any] | None, Mapping[str, Any] | None]:
    """Return both sides without what is the same in them."""
    if before is None or after is None:
        return before, after
    changed = {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)}
    return (
        {key: value for key, value in before.items() if key in changed},
        {key: value for key, value in after.items() if key in changed},
    )


def _clean(facts: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if facts is None:
        return None
    cleaned: dict[str, Any] = redactor.value("", facts)
    return cleaned
