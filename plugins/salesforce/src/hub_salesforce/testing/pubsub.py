"""The simulated org's event bus: Change Data Capture over a real gRPC port."""

import asyncio
import hashlib
import io
import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import fastavro
import grpc
from grpc import aio

from hub_salesforce.pubsub.changes import HEADER, bitmap_of, topic_of
from hub_salesforce.pubsub.messages import CUSTOM, EARLIEST, SERVICE, message
from hub_salesforce.testing.schema import Definition
from hub_salesforce.testing.world import Change, Row, World

if TYPE_CHECKING:
    from hub_salesforce.testing.app import FakeSalesforce

_KEPT = timedelta(hours=72)
_ERROR = "sfdc.platform.eventbus.grpc"
_STRINGS = {"type": "array", "items": "string"}
_TYPES = ["CREATE", "UPDATE", "DELETE", "UNDELETE"]
_OPERATIONS = {"insert": "CREATE", "update": "UPDATE", "delete": "DELETE", "undelete": "UNDELETE"}
_NOT_TOLD = frozenset({"Id", "SystemModstamp", "IsDeleted", "LastViewedDate", "LastReferencedDate"})
_AVRO: dict[str, Any] = {
    "boolean": "boolean",
    "int": "int",
    "double": "double",
    "currency": "double",
    "percent": "double",
    "date": {"type": "int", "logicalType": "date"},
    "datetime": {"type": "long", "logicalType": "timestamp-millis"},
}


@dataclass(frozen=True, kw_only=True)
class Published:
    """One event of the bus."""

    replay: int
    topic: str
    schema_id: str
    payload: bytes
    at: datetime


@dataclass(kw_only=True)
class EventBus:
    """What one org's bus keeps, and who may hear it; `selected` are the chosen objects."""

    world: World
    selected: set[str] = field(default_factory=set)
    log: list[Published] = field(default_factory=list)
    schemas: dict[str, Definition] = field(default_factory=dict)
    first_replay: int = 1_000
    came: asyncio.Event = field(default_factory=asyncio.Event)
    transactions: int = 0
    subscriptions: int = 0
    most_subscriptions: int = 1_000

    def select(self, *objects: str) -> None:
        """Choose objects, as Setup, Change Data Capture does."""
        if not self.selected:
            self.world.automation.on_commit.append(self.committed)
        self.selected |= set(objects)

    def committed(self, changes: Sequence[Change]) -> None:
        """Publish a transaction's changes of selected objects."""
        self.transactions += 1
        for number, change in enumerate(changes, 1):
            if change.object in self.selected:
                self._publish(change, number)
        self._wake()

    def gap(self, object: str, *ids: str, kind: str = "UPDATE", user: str = "") -> None:
        """Publish a gap event: something happened, too big or too odd to tell; or OVERFLOW."""
        self.transactions += 1
        header = self._header(object, list(ids), f"GAP_{kind}", 1, user)
        self._put(object, header, {})
        self._wake()

    def forget(self) -> None:
        """Let no kept event be replayed: replay ids from before are unknown afterwards."""
        self.log.clear()
        self.first_replay += 100_000

    def topics(self) -> dict[str, str]:
        """Return the selected objects by topic."""
        return {topic_of(name): name for name in self.selected}

    def after(self, topic: str, replay: int) -> list[Published]:
        """Return a topic's kept events after a replay id."""
        since = self.world.now() - _KEPT
        return [e for e in self.log if e.topic == topic and e.replay > replay and e.at > since]

    @property
    def latest(self) -> int:
        """The newest replay id."""
        return self.log[-1].replay if self.log else self.first_replay

    def knows(self, replay: int) -> bool:
        """Tell whether a subscription may begin after this replay id."""
        return self.first_replay - 1 <= replay <= self.latest

    def _wake(self) -> None:
        self.came.set()
        self.came = asyncio.Event()

    def _publish(self, change: Change, number: int) -> None:
        row = change.new or change.old or {}
        kind = _OPERATIONS[change.operation]
        schema = schema_of(self.world.definition(change.object))
        header = self._header(change.object, [row["Id"]], kind, number, change.user.id)
        header["changeOrigin"] = f"com/salesforce/api/rest/60.0;client={change.client}"
        told = {one["name"] for one in schema["fields"]} - {HEADER}
        if kind == "DELETE":
            self._put(change.object, header, {})
            return
        if kind == "UPDATE":
            old = change.old or {}
            told = {name for name in told if old.get(name) != row.get(name)} | {"LastModifiedDate"}
            header["changedFields"] = [bitmap_of(frozenset(told), schema)]
            nulled = frozenset(name for name in told if row.get(name) is None)
            header["nulledFields"] = [bitmap_of(nulled, schema)] if nulled else []
        self._put(change.object, header, {name: row.get(name) for name in told})

    def _header(
        self, object: str, ids: list[str], kind: str, number: int, user: str
    ) -> dict[str, Any]:
        return {
            "entityName": object,
            "recordIds": ids,
            "changeType": kind,
            "changeOrigin": "",
            "transactionKey": f"0000{self.transactions:04d}-sim",
            "sequenceNumber": number,
            "commitTimestamp": int(self.world.now().timestamp() * 1000),
            "commitNumber": 1_000_000 + len(self.log),
            "commitUser": user,
            "nulledFields": [],
            "diffFields": [],
            "changedFields": [],
        }

    def _put(self, object: str, header: dict[str, Any], values: Row) -> None:
        schema = schema_of(self.world.definition(object))
        text = json.dumps(schema, sort_keys=True)
        schema_id = hashlib.sha256(text.encode()).hexdigest()[:22]
        self.schemas[schema_id] = schema
        types = {f["name"]: f["type"] for f in self.world.definition(object)["fields"]}
        told = {name: _avro_value(raw, types[name]) for name, raw in values.items()}
        out = io.BytesIO()
        fastavro.schemaless_writer(out, schema, {HEADER: header, **told})
        self.log.append(
            Published(
                replay=self.latest + 1,
                topic=topic_of(object),
                schema_id=schema_id,
                payload=out.getvalue(),
                at=self.world.now(),
            )
        )


@dataclass(kw_only=True)
class PubSub:
    """The gRPC service of a simulated org; `url` is where it listens."""

    org: "FakeSalesforce"
    url: str = ""
    server: Any = None

    async def start(self, port: int = 0) -> str:
        """Listen, and return the address for the connector's Pub/Sub address."""
        self.server = aio.server()
        self.server.add_generic_rpc_handlers((_Handlers(self),))
        bound = self.server.add_insecure_port(f"127.0.0.1:{port}")
        await self.server.start()
        self.url = f"http://127.0.0.1:{bound}"
        return self.url

    async def stop(self) -> None:
        """Stop listening."""
        if self.server is not None:
            await self.server.stop(None)

    async def schema(self, request: Any, context: Any) -> Any:  # noqa: ANN401 - messages
        """Answer GetSchema."""
        await self._admit(context)
        found = self.org.bus.schemas.get(request.schema_id)
        if found is None:
            await context.abort(grpc.StatusCode.NOT_FOUND, "no such schema")
        text = json.dumps(found)
        return message("SchemaInfo")(schema_json=text, schema_id=request.schema_id)

    async def topic(self, request: Any, context: Any) -> Any:  # noqa: ANN401 - messages
        """Answer GetTopic."""
        await self._admit(context)
        await self._selected(request.topic_name, context)
        return message("TopicInfo")(topic_name=request.topic_name, can_subscribe=True)

    async def subscribe(self, requests: Any, context: Any) -> AsyncIterator[Any]:  # noqa: ANN401
        """Answer Subscribe: what is kept after the wished place, then what comes."""
        await self._admit(context)
        asked = await anext(aiter(requests))
        await self._selected(asked.topic_name, context)
        bus = self.org.bus
        if bus.subscriptions >= bus.most_subscriptions:
            words = "too many concurrent clients"
            await _abort(context, grpc.StatusCode.RESOURCE_EXHAUSTED, words, _CLIENTS)
        at = await self._place(asked, context)
        bus.subscriptions += 1
        try:
            async for answer in self._answers(asked, at):
                yield answer
        finally:
            bus.subscriptions -= 1

    async def _answers(self, asked: Any, at: int) -> AsyncIterator[Any]:  # noqa: ANN401
        left = min(asked.num_requested, 100)
        yield _response((), at, left)
        while left:
            bus = self.org.bus
            came, found = bus.came, bus.after(asked.topic_name, at)[:left]
            if not found:
                await came.wait()
                continue
            at, left = found[-1].replay, left - len(found)
            yield _response(found, at, left)

    async def _place(self, asked: Any, context: Any) -> int:  # noqa: ANN401 - messages
        bus = self.org.bus
        if asked.replay_preset == EARLIEST:
            return bus.first_replay - 1
        if asked.replay_preset != CUSTOM:
            return bus.latest
        replay = int.from_bytes(asked.replay_id, "big")
        if not bus.knows(replay):
            words = "The Replay ID validation failed: it is not kept any more"
            await _abort(context, grpc.StatusCode.INVALID_ARGUMENT, words, _REPLAY)
        return replay

    async def _admit(self, context: Any) -> None:  # noqa: ANN401 - a gRPC context
        given = dict(context.invocation_metadata())
        world = self.org.world
        same = given.get("tenantid", "")[:15] == world.id[:15] and given.get("instanceurl")
        if given.get("accesstoken") not in world.sessions or not same:
            words = "An authentication exception occurred"
            await _abort(context, grpc.StatusCode.UNAUTHENTICATED, words, _AUTH)

    async def _selected(self, topic: str, context: Any) -> None:  # noqa: ANN401 - a gRPC context
        if topic not in self.org.bus.topics():
            words = f"The topic {topic} doesn't exist, or you can't subscribe to it"
            await context.abort(grpc.StatusCode.NOT_FOUND, words)


_AUTH = f"{_ERROR}.service.auth.error"
_REPLAY = f"{_ERROR}.subscription.fetch.replayid.validation.failed"
_CLIENTS = f"{_ERROR}.concurrent.client.limit.exceeded"


class _Handlers(grpc.GenericRpcHandler):  # type: ignore[misc]  # grpc ships no types
    def __init__(self, service: PubSub) -> None:
        self._methods = {
            f"{SERVICE}/Subscribe": grpc.stream_stream_rpc_method_handler(
                service.subscribe,
                request_deserializer=message("FetchRequest").FromString,
                response_serializer=message("FetchResponse").SerializeToString,
            ),
            f"{SERVICE}/GetSchema": grpc.unary_unary_rpc_method_handler(
                service.schema,
                request_deserializer=message("SchemaRequest").FromString,
                response_serializer=message("SchemaInfo").SerializeToString,
            ),
            f"{SERVICE}/GetTopic": grpc.unary_unary_rpc_method_handler(
                service.topic,
                request_deserializer=message("TopicRequest").FromString,
                response_serializer=message("TopicInfo").SerializeToString,
            ),
        }

    def service(self, details: Any) -> Any:  # noqa: ANN401 - of grpc
        """Return what answers a method."""
        return self._methods.get(details.method)


def schema_of(definition: Definition) -> Definition:
    """Return the Avro schema of an object's change event."""
    header = {
        "type": "record",
        "name": HEADER,
        "fields": [
            {"name": "entityName", "type": "string"},
            {"name": "recordIds", "type": _STRINGS},
            {"name": "changeType", "type": _kinds()},
            {"name": "changeOrigin", "type": "string"},
            {"name": "transactionKey", "type": "string"},
            {"name": "sequenceNumber", "type": "int"},
            {"name": "commitTimestamp", "type": "long"},
            {"name": "commitNumber", "type": "long"},
            {"name": "commitUser", "type": "string"},
            {"name": "nulledFields", "type": _STRINGS},
            {"name": "diffFields", "type": _STRINGS},
            {"name": "changedFields", "type": _STRINGS},
        ],
    }
    told = (f for f in definition["fields"] if f["name"] not in _NOT_TOLD and not f["calculated"])
    fields = [
        {"name": f["name"], "type": ["null", _AVRO.get(f["type"], "string")], "default": None}
        for f in told
    ]
    name = topic_of(definition["name"]).rpartition("/")[2]
    whole = [{"name": HEADER, "type": header}, *fields]
    return {"type": "record", "name": name, "namespace": "com.sforce.eventbus", "fields": whole}


def _kinds() -> dict[str, Any]:
    gaps = [f"GAP_{one}" for one in (*_TYPES, "OVERFLOW")]
    return {"type": "enum", "name": "ChangeType", "symbols": [*_TYPES, *gaps, "SNAPSHOT"]}


def _avro_value(raw: Any, kind: str) -> Any:  # noqa: ANN401 - a field's value
    if raw is None:
        return None
    if kind == "datetime":
        return datetime.fromisoformat(str(raw))
    if kind == "date":
        return date.fromisoformat(str(raw))
    if kind in {"double", "currency", "percent"}:
        return float(raw)
    return raw if kind in {"boolean", "int"} else str(raw)


def _response(found: Sequence[Published], at: int, left: int) -> Any:  # noqa: ANN401 - a message
    event, consumed = message("ProducerEvent"), message("ConsumerEvent")
    return message("FetchResponse")(
        events=[
            consumed(
                event=event(id=str(e.replay), schema_id=e.schema_id, payload=e.payload),
                replay_id=e.replay.to_bytes(8, "big"),
            )
            for e in found
        ],
        latest_replay_id=at.to_bytes(8, "big"),
        pending_num_requested=left,
    )


async def _abort(context: Any, status: Any, words: str, code: str) -> None:  # noqa: ANN401
    await context.abort(status, words, trailing_metadata=(("error-code", code),))
