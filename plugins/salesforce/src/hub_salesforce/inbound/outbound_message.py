"""Outbound Messages: SOAP notifications of up to 100 records, without old values."""

import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping, Sequence

import hub
from hub import Event, WebhookRequest
from hub_salesforce import events
from hub_salesforce.ids import to_18
from hub_salesforce.sobjects import Objects
from hub_salesforce.values import to_value

OUTBOUND = "http://soap.sforce.com/2005/09/outbound"
ACK = (
    b'<?xml version="1.0" encoding="UTF-8"?>'
    b'<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"><soapenv:Body>'
    b'<notificationsResponse xmlns="http://soap.sforce.com/2005/09/outbound"><Ack>true</Ack>'
    b"</notificationsResponse></soapenv:Body></soapenv:Envelope>"
)
"""What tells Salesforce that a message arrived; anything else makes it send again for 24 hours."""
LARGEST = 5 * 1024 * 1024
_MOST = 100
_XSI_TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"
_NIL = "{http://www.w3.org/2001/XMLSchema-instance}nil"


def is_outbound_message(request: WebhookRequest) -> bool:
    """Tell whether a request is XML, by its type or its first character."""
    return "xml" in request.headers.get("content-type", "") or request.body.lstrip()[:1] == b"<"


def read_messages(objects: Objects, request: WebhookRequest) -> Sequence[Event]:
    """Return the events of a message; a session id in it is neither read nor kept."""
    root = _notifications(request.body)
    url = _instance(root)
    found: list[Event] = []
    for at, one in enumerate(root.iter(f"{{{OUTBOUND}}}Notification")):
        if at >= _MOST:
            raise hub.InvalidPayload(f"more than {_MOST} notifications", pointer=f"/{at}")
        try:
            found += _events(objects, one, url)
        except (ValueError, KeyError, OverflowError) as error:
            raise hub.InvalidPayload(f"notification {at}: {error}", pointer=f"/{at}") from error
    return found


def notification_ids(body: bytes) -> tuple[str, ...]:
    """Return the ids of a message's notifications, which stay the same when it is sent again."""
    root = _notifications(body)
    ids = (one.findtext(f"{{{OUTBOUND}}}Id") for one in root.iter(f"{{{OUTBOUND}}}Notification"))
    return tuple(sorted(one for one in ids if one))


def organization_of(body: bytes) -> str | None:
    """Return the organisation that a message says it comes from."""
    return _notifications(body).findtext(f"{{{OUTBOUND}}}OrganizationId")


def _notifications(body: bytes) -> ET.Element:
    """Return the parsed message; documents with a DTD or entities are refused unread."""
    if len(body) > LARGEST or b"<!" in body.replace(b"<![CDATA[", b"").replace(b"<!--", b""):
        raise hub.InvalidPayload("the message is too large, or has a document type declaration")
    if b"\x00" in body:
        raise hub.InvalidPayload("the message is not in UTF-8")
    try:
        root = ET.fromstring(body)  # noqa: S314 - no DTD, no entities: see above
    except (ET.ParseError, ValueError, LookupError) as error:
        raise hub.InvalidPayload(f"the message is no XML: {error}") from error
    found = root.find(f".//{{{OUTBOUND}}}notifications")
    if found is None:
        raise hub.InvalidPayload("the message has no notifications of Salesforce")
    return found


def _events(objects: Objects, notification: ET.Element, url: str | None) -> Iterator[Event]:
    sobject = notification.find(f"{{{OUTBOUND}}}sObject")
    if sobject is None:
        raise ValueError("there is no sObject")
    api_name = sobject.get(_XSI_TYPE, "").rpartition(":")[2]
    row: dict[str, str | bool | None] = {
        one.tag.rpartition("}")[2]: None if one.get(_NIL) == "true" else one.text or ""
        for one in sobject
    }
    row["Id"] = to_18(str(row["Id"]))
    yield from _of_row(objects, api_name, row, url)


def _of_row(
    objects: Objects, api_name: str, row: Mapping[str, str | bool | None], url: str | None
) -> Iterator[Event]:
    noted = objects.with_notes_in(api_name)
    if noted:
        declared, shape = noted
        if not shape.is_note(row):
            return
        public = {shape.public: row.get(shape.public) == "true"} if shape.public else {}
        yield events.commented(declared, shape, {**row, **public}, author=None, url=url)
        return
    declared = objects.of(api_name)
    is_new = row.get("CreatedDate") and row.get("CreatedDate") == row.get("SystemModstamp")
    if is_new:
        yield events.created(declared, row, actor_name=None, url=url)
    else:
        yield events.updated(declared, row, before=None, actor_name=None, url=url)


def _instance(root: ET.Element) -> str | None:
    for name in ("EnterpriseUrl", "PartnerUrl"):
        given = str(to_value(root.findtext(f"{{{OUTBOUND}}}{name}")) or "")
        host = given.split("/services/", 1)[0]
        if host.startswith("https://"):
            return host
    return None
