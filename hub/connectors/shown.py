"""Connectors and what belongs to them, as the API shows them. Pure."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from hub.catalog.catalog import Catalog
from hub.connectors.checks import Line
from hub.connectors.models import CheckResult, Connector, ConnectorObject, PollCursor
from hub.connectors.schemas import (
    CheckLine,
    CheckReport,
    ChoiceOut,
    ConnectorOut,
    FieldList,
    FieldOut,
    ObjectOut,
    PollOut,
    SubscriptionOut,
)
from hub.connectors.service import ConnectorsService, Seen
from hub.http.etags import etag_of
from hub.sdk.connector_types import Check, SubscriptionState
from hub.sdk.vocabulary import FieldSchema, SourceObject


def connector(service: ConnectorsService, seen: Seen) -> ConnectorOut:
    """Show a connector."""
    row = seen.row
    return ConnectorOut.model_validate(
        {
            **{
                name: getattr(row, name) for name in ConnectorOut.model_fields if hasattr(row, name)
            },
            "settings": service.settings_shown(seen),
            "webhook_url": service.webhook_url(row),
            "etag": etag_of(row.row_version),
        }
    )


def check(line: Line) -> CheckLine:
    """Show one line of a test."""
    return CheckLine(
        name=line.name,
        label=line.label,
        ok=line.ok,
        text=line.text,
        took_ms=line.took_ms,
        fix=line.fix if line.ok is False else "",
    )


def report(lines: Sequence[Line], state: str) -> CheckReport:
    """Show a whole test."""
    return CheckReport(
        ok=all(one.ok is True for one in lines), state=state, checks=[check(one) for one in lines]
    )


def kept_lines(row: Connector, kept: Sequence[CheckResult], catalog: Catalog) -> list[CheckLine]:
    """Show the results of the last test, with the labels of the plugin's checks."""
    brought = catalog.connector_types.get(row.type)
    declared = {one.name: one for one in brought.checks} if brought is not None else {}
    return [
        CheckLine(
            name=one.name,
            label=declared[one.name].label if one.name in declared else one.name.capitalize(),
            ok=one.ok,
            text=one.text,
            took_ms=one.took_ms,
            fix=fix_for(declared[one.name], row.name)
            if one.name in declared and not one.ok
            else "",
            at=one.at,
        )
        for one in kept
    ]


def fix_for(check: Check[Any], connector: str) -> str:
    """Return what to do when a check fails, in commands with the connector's own name."""
    return check.fix.replace("NAME", connector)


def kept_report(row: Connector, kept: Sequence[CheckResult], catalog: Catalog) -> CheckReport:
    """Show the last test."""
    lines = kept_lines(row, kept, catalog)
    return CheckReport(ok=all(one.ok for one in lines), state=row.state, checks=lines)


def fields(
    object: str, found: Iterable[tuple[FieldSchema, bool]], at: datetime | None
) -> FieldList:
    """Show an object's fields."""
    return FieldList(
        object=object, fetched_at=at, items=[_field(one, declared=own) for one, own in found]
    )


def _field(field: FieldSchema, *, declared: bool) -> FieldOut:
    return FieldOut(
        name=field.name,
        key=field.key,
        label=field.label,
        type=field.type.value,
        choices=[ChoiceOut(value=one.value, label=one.label) for one in field.choices],
        choice_source=field.choice_source,
        writable=field.writable,
        required=field.required,
        secret=field.secret,
        max_length=field.max_length,
        vendor_name=field.vendor_name,
        declared=declared,
    )


def object_(found: SourceObject, row: ConnectorObject | None, catalog: Catalog) -> ObjectOut:
    """Show a kind of record."""
    return ObjectOut(
        name=found.name,
        label=row.label if row is not None else found.label,
        vendor_name=found.vendor_name,
        declared=found.name in catalog.objects,
        adopted=row is not None,
        polled=row is not None and row.polled,
    )


def poll(cursor: PollCursor) -> PollOut:
    """Show how a poller is doing."""
    return PollOut(
        object=cursor.source_object,
        polled_at=cursor.polled_at,
        next_at=cursor.next_at,
        error=cursor.error,
    )


def subscription(state: SubscriptionState | None, url: str) -> SubscriptionOut:
    """Show a subscription, or that there is none."""
    if state is None:
        text = "The vendor has no subscription to this URL."
        return SubscriptionOut(id=None, active=False, url=url, detail=text)
    return SubscriptionOut(id=state.id, active=state.active, url=url, detail=state.detail)
