"""Salesforce's event bus: a subscription to some topics, heard for a while."""

import asyncio
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import fastavro
import grpc
from grpc import aio

import hub
from hub_salesforce.pubsub.changes import Change, change_of
from hub_salesforce.pubsub.messages import CUSTOM, EARLIEST, LATEST, SERVICE, message

if TYPE_CHECKING:
    from hub_salesforce.auth.access import Access

MOST = 100
"""Events that one request asks for, which is all that Salesforce allows."""
GRACE_S = 0.1
"""How long the other topics are heard after the first one told something."""
_LOST_REPLAY = (
    "sfdc.platform.eventbus.grpc.subscription.fetch.replayid.corrupted",
    "sfdc.platform.eventbus.grpc.subscription.fetch.replayid.validation.failed",
)
_AUTH, _CLIENTS = "service.auth.error", "concurrent.client.limit.exceeded"
_SELECT = (
    "Setup, Change Data Capture: select the object; and give the integration user View All on it"
)


class ReplayLost(Exception):
    """Salesforce does not know the place any more where the hub had stopped hearing."""


@dataclass(kw_only=True)
class Heard:
    """What one topic told: its changes, and the place after the last of them.

    `replay` None means that nothing was told; `earliest` begins with all that is kept.
    """

    topic: str
    replay: bytes | None = None
    earliest: bool = False
    changes: list[Change] = field(default_factory=list)


@dataclass(kw_only=True)
class Bus:
    """The bus of one org; `schemas` are kept by id, for they never change."""

    url: str
    access: "Access"
    schemas: dict[str, Mapping[str, Any]]

    async def hear(self, topics: list[Heard], *, wait_s: float) -> None:
        """Wait for changes of the topics and fill them in.

        Returns as soon as something came, or after `wait_s`. Raises ReplayLost, or the
        ConnectorError that a refusal stands for.
        """
        came = asyncio.Event()
        async with self._channel() as channel:
            tasks = [asyncio.create_task(self._listen(channel, one, came)) for one in topics]
            try:
                await _until(came, tasks, wait_s)
            finally:
                for task in tasks:
                    task.cancel()
                ended = await asyncio.gather(*tasks, return_exceptions=True)
        for one in ended:
            if isinstance(one, Exception) and not any(heard.changes for heard in topics):
                raise one

    async def _listen(self, channel: aio.Channel, heard: Heard, came: asyncio.Event) -> None:
        call = self._subscription(channel)
        try:
            await call.write(_first_request(heard))
            async for answer in call:
                for event in answer.events:
                    heard.changes.append(await self._change(channel, event.event))
                    heard.replay = event.replay_id
                if answer.events:
                    came.set()
                else:
                    heard.replay = answer.latest_replay_id or heard.replay
        except aio.AioRpcError as error:
            raise refusal(error, heard.topic) from error
        except asyncio.InvalidStateError:  # refused before the request was written
            await _refused(call, heard.topic)
        finally:
            call.cancel()

    def _subscription(self, channel: aio.Channel) -> Any:  # noqa: ANN401 - a gRPC call
        return channel.stream_stream(
            f"{SERVICE}/Subscribe",
            request_serializer=message("FetchRequest").SerializeToString,
            response_deserializer=message("FetchResponse").FromString,
        )(metadata=self._metadata)

    async def _change(self, channel: aio.Channel, event: Any) -> Change:  # noqa: ANN401 - a message
        schema = await self._schema(channel, event.schema_id)
        decoded = fastavro.schemaless_reader(io.BytesIO(event.payload), schema, None)
        return change_of(decoded, schema)  # type: ignore[arg-type]  # a record's value is a mapping

    async def _schema(self, channel: aio.Channel, schema_id: str) -> Any:  # noqa: ANN401 - Avro
        if schema_id not in self.schemas:
            ask = channel.unary_unary(
                f"{SERVICE}/GetSchema",
                request_serializer=message("SchemaRequest").SerializeToString,
                response_deserializer=message("SchemaInfo").FromString,
            )
            told = await ask(message("SchemaRequest")(schema_id=schema_id), metadata=self._metadata)
            self.schemas[schema_id] = json.loads(told.schema_json)
        return self.schemas[schema_id]

    async def topic(self, name: str) -> bool:
        """Tell whether the user may subscribe to a topic."""
        async with self._channel() as channel:
            ask = channel.unary_unary(
                f"{SERVICE}/GetTopic",
                request_serializer=message("TopicRequest").SerializeToString,
                response_deserializer=message("TopicInfo").FromString,
            )
            try:
                told = await ask(message("TopicRequest")(topic_name=name), metadata=self._metadata)
            except aio.AioRpcError as error:
                raise refusal(error, name) from error
        return bool(told.can_subscribe)

    @property
    def _metadata(self) -> tuple[tuple[str, str], ...]:
        return (
            ("accesstoken", self.access.token),
            ("instanceurl", self.access.instance_url),
            ("tenantid", self.access.organization_id),
        )

    def _channel(self) -> aio.Channel:
        parts = urlsplit(self.url)
        if parts.scheme == "http":
            return aio.insecure_channel(parts.netloc)
        return aio.secure_channel(parts.netloc, grpc.ssl_channel_credentials())


def refusal(error: aio.AioRpcError, topic: str) -> Exception:
    """Return the error that a refused call stands for."""
    said = _code(error)
    words = f"{topic}: {error.details() or said or error.code().name}"
    if said in _LOST_REPLAY:
        return ReplayLost(words)
    if _AUTH in said or error.code() is grpc.StatusCode.UNAUTHENTICATED:
        return hub.AuthenticationFailed(words)
    if _CLIENTS in said or error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED:
        return hub.RateLimited(words, retry_after=60)
    if error.code() in {grpc.StatusCode.PERMISSION_DENIED, grpc.StatusCode.NOT_FOUND}:
        return hub.Rejected(f"{words} - {_SELECT}")
    if error.code() is grpc.StatusCode.INVALID_ARGUMENT:
        return hub.Rejected(words)
    return hub.Unavailable(words)


async def _until(came: asyncio.Event, tasks: list[asyncio.Task[None]], wait_s: float) -> None:
    """Wait until something came, a subscription ended, or the time is over."""
    waiting = asyncio.create_task(came.wait())
    try:
        await asyncio.wait([waiting, *tasks], timeout=wait_s, return_when="FIRST_COMPLETED")
    finally:
        waiting.cancel()
    if came.is_set():
        await asyncio.sleep(GRACE_S)


def _first_request(heard: Heard) -> Any:  # noqa: ANN401 - a message
    preset = CUSTOM if heard.replay else (EARLIEST if heard.earliest else LATEST)
    return message("FetchRequest")(
        topic_name=heard.topic,
        replay_preset=preset,
        replay_id=heard.replay or b"",
        num_requested=MOST,
    )


async def _refused(call: Any, topic: str) -> None:  # noqa: ANN401 - a gRPC call
    """Raise what a call that ended early was refused with."""
    code, words = await call.code(), await call.details()
    ended = aio.AioRpcError(
        code, await call.initial_metadata(), await call.trailing_metadata(), words
    )
    raise refusal(ended, topic)


def _code(error: aio.AioRpcError) -> str:
    trailer = error.trailing_metadata() or ()
    return next((str(value) for name, value in trailer if name == "error-code"), "")
