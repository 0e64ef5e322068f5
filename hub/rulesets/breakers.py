"""Rules that are off for a record since they fired too often: seen and reset."""

from sqlalchemy import delete, select

from hub.activity import audit
from hub.connectors.models import Connector
from hub.errors import NotFound
from hub.rulesets.bodies import rules_of
from hub.rulesets.neighbours import table
from hub.rulesets.schemas_trial import BreakerOut
from hub.rulesets.work import Work


async def listed(work: Work) -> list[BreakerOut]:
    """Return the breakers that are open."""
    rows = table("rule_breakers")
    query = (
        select(rows, Connector.name)
        .join(Connector, Connector.id == rows.c.connector_id)
        .where(rows.c.tenant_id == work.tenant, rows.c.open_until > work.clock())
        .order_by(rows.c.since)
        .limit(1000)
    )
    return [
        BreakerOut(
            rule=row["rule_id"],
            connector=row["name"],
            record=row["record_id"],
            firings=row["firings"],
            since=row["since"],
            open_until=row["open_until"],
        )
        for row in (await work.session.execute(query)).mappings()
    ]


async def _known(work: Work, named: str) -> str | None:
    """Return the id of a rule by id or name; None when no version or draft has it."""
    for bodies in (await work.versions.active(), await work.drafts.all()):
        for kept in bodies.values():
            for rule in rules_of(kept.body):
                if named in {rule.get("id"), rule.get("name")}:
                    return str(rule.get("id"))
    return None


async def reset(work: Work, rule: str, record: str | None) -> None:
    """Close a rule's breakers, of one record or of all; NotFound when there is no such rule."""
    named = await _known(work, rule)
    rows = table("rule_breakers")
    statement = delete(rows).where(
        rows.c.tenant_id == work.tenant, rows.c.rule_id == (named or rule)
    )
    if record is not None:
        statement = statement.where(rows.c.record_id == record)
    closed = await work.session.execute(statement.returning(rows.c.rule_id))
    if named is None and not closed.all():
        raise NotFound(f"There is no rule {rule!r}.")
    subject = f"{rule} {record or 'all records'}"
    await audit.record(work.session, work.actor, "rule breaker reset", subject)
