"""A made-up vendor for the delivery engine: small signed webhooks in, countable requests out.

Used by the driver suite, the tests of the delivery engine and the benchmark.
"""

import hashlib
import hmac
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

import httpx
from pydantic import BaseModel, SecretStr

from hub.sdk.actions import ActionCall, ActionResult, Repeat
from hub.sdk.answers import json_of
from hub.sdk.connector_types import ConnectorType, Poller, WebhookReceiver, WebhookRequest
from hub.sdk.errors import InvalidPayload, InvalidSignature
from hub.sdk.events import Event, Record, RecordRef, Told
from hub.sdk.hookspecs import hookimpl
from hub.sdk.vocabulary import FieldType, SourceObject, Value

SIGNATURE: Final = "x-load-signature"


class LoadSettings(BaseModel):
    """Where the counting sink is, and the secret of the webhooks."""

    url: str
    webhook_secret: SecretStr = SecretStr("")


class LoadClient:
    """Speaks to the counting sink."""

    def __init__(self, settings: LoadSettings, http: httpx.AsyncClient) -> None:
        self._url = settings.url
        self._http = http

    async def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Send something that counts."""
        found: dict[str, Any] = json_of(await self._http.post(f"{self._url}{path}", json=body))
        return found

    async def find(self, key: str) -> dict[str, Any]:
        """Ask whether a key arrived."""
        found: dict[str, Any] = json_of(await self._http.get(f"{self._url}/find?key={key}"))
        return found


class Post(BaseModel):
    """What is sent."""

    lane: str = ""
    seq: int = 0
    text: str | None = ""


class SetStatus(BaseModel):
    """The status to set."""

    status: str


class AddNote(BaseModel):
    """The note to add."""

    content: str


class Create(BaseModel):
    """The record to make."""

    title: str = ""
    slot: str = ""
    urgency: str = "low"


Call = ActionCall[LoadClient, Any]


async def _post(call: Call) -> ActionResult:
    said = {"key": call.key, **call.params.model_dump()}
    await call.client.post("/post", said)
    return ActionResult(summary=f"Sent {call.params.lane} {call.params.seq}")


async def _post_once(call: Call) -> ActionResult:
    said = {"key": call.key, **call.params.model_dump()}
    await call.client.post("/once", said)
    return ActionResult(summary=f"Sent {call.params.lane} {call.params.seq}")


async def _find_post(call: Call) -> ActionResult | None:
    found = await call.client.find(call.key)
    return ActionResult(summary="Found what was sent") if found else None


async def _set_status(call: Call) -> ActionResult:
    record = call.record.id if call.record else ""
    body = {"key": call.key, "lane": record, "status": call.params.status}
    await call.client.post("/status", body)
    return ActionResult(summary=f"Set {record} to {call.params.status}")


async def _create_item(call: Call) -> ActionResult:
    return await _create(call, "item")


async def _create_case(call: Call) -> ActionResult:
    return await _create(call, "case")


async def _find_item(call: Call) -> ActionResult | None:
    found = await call.client.find(call.key)
    return _made(found, call, "item") if found else None


async def _find_case(call: Call) -> ActionResult | None:
    found = await call.client.find(call.key)
    return _made(found, call, "case") if found else None


async def _create(call: Call, kind: str) -> ActionResult:
    body = {"key": call.key, "lane": call.event.record.id, "title": call.params.title}
    return _made(await call.client.post(f"/{kind}s", body), call, kind)


def _made(found: dict[str, Any], call: Call, kind: str) -> ActionResult:
    record = Record(
        source_object=f"load.{kind}",
        id=found["id"],
        url=f"http://vendor.test/{found['id']}",
        human_id=f"#{found['id'][-4:]}",
        values={"title": call.params.title},
    )
    return ActionResult(summary=f"Created {found['id']}", record=record)


async def _add_note(call: Call) -> ActionResult:
    record = call.record.id if call.record else ""
    body = {"key": call.key, "lane": record, "content": call.params.content}
    found = await call.client.post("/notes", body)
    return ActionResult(summary=f"Added a note to {record}", note=found["note"])


async def _find_note(call: Call) -> ActionResult | None:
    found = await call.client.find(call.key)
    return ActionResult(summary="Found the note", note=found["note"]) if found else None


async def _fail(call: Call) -> ActionResult:
    raise RuntimeError(f"a bug: {call.params.text}")


def verify(settings: LoadSettings, request: WebhookRequest) -> None:
    """Check the signature."""
    secret = settings.webhook_secret.get_secret_value()
    if not secret:
        raise InvalidSignature("The connector has no webhook secret.")
    good = sign(secret, request.body)
    if not hmac.compare_digest(good, request.headers.get(SIGNATURE, "")):
        raise InvalidSignature(f"The header {SIGNATURE} does not fit the body.")


def sign(secret: str, body: bytes) -> str:
    """Return the signature of a body."""
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def parse(request: WebhookRequest) -> Sequence[Event]:
    """Read {"events": [{"kind", "id", "key", "at", "values", "before", …}]}."""
    try:
        said = json.loads(request.body)
        listed = said["events"]
    except (ValueError, KeyError, TypeError) as error:
        raise InvalidPayload("It is not what the vendor sends.", pointer="/events") from error
    return [_event(one) for one in listed if one.get("kind") != "unknown"]


def _event(said: dict[str, Any]) -> Event:
    values: dict[str, Value] = said.get("values", {})
    return Event(
        trigger=f"{said.get('object', 'load.item')}.{said['kind']}",
        record=Record(
            source_object=said.get("object", "load.item"),
            id=said["id"],
            human_id=said.get("human_id"),
            values=values,
        ),
        occurred_at=datetime.fromisoformat(said["at"]) if "at" in said else _EPOCH,
        key=said["key"],
        before=said.get("before"),
        actor=said.get("actor"),
        origin=said.get("origin"),
        note=said.get("note"),
        told=Told(way=said["way"]) if "way" in said else None,
        joins=RecordRef(source_object=said["joins"][0], id=said["joins"][1])
        if "joins" in said
        else None,
    )


_EPOCH: Final = datetime(2025, 11, 21, 9, 0, tzinfo=UTC)


def delivery_key(request: WebhookRequest) -> str:
    """Return the vendor's id of the delivery."""
    return request.headers.get("x-load-delivery", "")


LOAD: Final = ConnectorType(
    name="load",
    label="Load",
    settings=LoadSettings,
    connect=LoadClient,
    receiver=WebhookReceiver(verify=verify, parse=parse, delivery_key=delivery_key),
)
ITEM: Final = LOAD.source_object("item", "Item")
CASE: Final = LOAD.source_object("case", "Case")


class LoadPlugin:
    """Brings the connector type `load`; with pollers where a test has some."""

    def __init__(self, pollers: tuple[Poller[Any], ...] = ()) -> None:
        self._pollers = pollers

    @hookimpl
    def hub_register_connector_types(self) -> Sequence[ConnectorType[Any, Any]]:
        """Bring the connector type."""
        if not self._pollers:
            return [LOAD]
        from dataclasses import replace  # noqa: PLC0415 - only here

        return [replace(LOAD, pollers=self._pollers)]

    @hookimpl
    def hub_register_source_objects(self) -> Sequence[Any]:
        """Bring two objects."""
        return [ITEM, CASE]

    @hookimpl
    def hub_register_fields(self) -> Sequence[Any]:
        """Bring the fields of both."""
        return [
            field
            for one in (ITEM, CASE)
            for field in (
                one.field("title", "Title"),
                one.field("status", "Status", writable=True),
                one.field("lane", "Lane"),
                one.field("seq", "Sequence", FieldType.INTEGER),
                one.field("note", "Note"),
                one.field("stamp", "Stamp", FieldType.TIMESTAMP, noise=True),
            )
        ]

    @hookimpl
    def hub_register_triggers(self) -> Sequence[Any]:
        """Bring the triggers of both."""
        return [
            one.trigger(verb, f"{one.label} {verb}")
            for one in (ITEM, CASE)
            for verb in ("created", "updated", "annotated")
        ]

    @hookimpl
    def hub_register_actions(self) -> Sequence[Any]:
        """Bring one action of each class."""
        once = Repeat.FIND_FIRST
        return [
            LOAD.action("post", "Post", Post, _post),
            LOAD.action("post_keyed", "Post with a key", Post, _post, repeat=Repeat.KEYED),
            LOAD.action("post_once", "Post once", Post, _post_once, repeat=once, find=_find_post),
            LOAD.action("fail", "Fail", Post, _fail),
            _setting("set_status", "Set status", ITEM),
            _setting("set_case_status", "Set the case's status", CASE),
            _creating("create_item", "Create item", ITEM, (_create_item, _find_item)),
            _creating("create_case", "Create case", CASE, (_create_case, _find_case)),
            LOAD.action(
                "add_note",
                "Add note",
                AddNote,
                _add_note,
                target=ITEM,
                repeat=once,
                find=_find_note,
                writes=lambda params: {"note": params.content},
            ),
        ]


def _setting(verb: str, label: str, target: SourceObject) -> Any:  # noqa: ANN401 - an action
    return LOAD.action(
        verb,
        label,
        SetStatus,
        _set_status,
        target=target,
        writes=lambda params: {"status": params.status},
    )


def _creating(
    verb: str,
    label: str,
    target: SourceObject,
    ways: tuple[Any, Any],
) -> Any:  # noqa: ANN401 - an action
    create, find = ways
    return LOAD.action(
        verb,
        label,
        Create,
        create,
        target=target,
        creates=True,
        repeat=Repeat.FIND_FIRST,
        find=find,
        writes=lambda params: {"title": params.title},
    )
