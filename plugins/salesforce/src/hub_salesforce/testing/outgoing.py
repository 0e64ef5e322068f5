"""What the simulated org sends: Apex pushes, at most once, and Outbound Messages, until Ack."""

import asyncio
import hashlib
import hmac
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from xml.sax.saxutils import escape

import httpx

from hub_salesforce.testing.faults import Faults
from hub_salesforce.testing.saving import stamped
from hub_salesforce.testing.world import Change, Row, World

CHUNK = 200
"""Records that one trigger run, and so one push, holds."""
MOST_PUSHES = 50
MOST_NOTIFICATIONS = 100
_KEEP = timedelta(hours=24)
_LONGEST_GAP = timedelta(hours=2)
_NO_SESSION = '<SessionId xsi:nil="true"/>'
_OUTBOUND = "http://soap.sforce.com/2005/09/outbound"


@dataclass(kw_only=True)
class ApexTrigger:
    """An installed trigger with its Queueable.

    `proof` is "signature" (HMAC of the body) or "bearer". `style` is "hub" (the envelope),
    "lists" (lists instead of maps), "bare" (the new map alone) or "ids".
    """

    object: str
    url: str
    secret: str = ""
    proof: str = "signature"
    style: str = "hub"
    skip_user: str = ""
    skip_contexts: tuple[str, ...] = ()
    operations: tuple[str, ...] = ("insert", "update", "delete", "undelete")
    timeout: float = 10.0


@dataclass(kw_only=True)
class OutboundMessage:
    """A Flow's or workflow's Outbound Message action; `condition` sees the changed row."""

    object: str
    url: str
    fields: tuple[str, ...] = ("Id", "SystemModstamp", "LastModifiedById")
    condition: Callable[[Row], bool] = lambda _row: True
    action_id: str = "04kxx0000000001AAA"
    include_session: bool = False


@dataclass(kw_only=True)
class Notification:
    """One queued notification; the record's values are read when it is sent."""

    id: str
    message: OutboundMessage
    record: str
    first: datetime
    due: datetime
    tries: int = 0


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """One attempt to send, as the log keeps it."""

    n: int
    at: str
    kind: str
    url: str
    status: int | None
    error: str | None
    body: Any


class Outgoing:
    """Queues what commits cause and sends it over real HTTP."""

    def __init__(self, world: World, faults: Faults, http: Callable[[], httpx.AsyncClient]) -> None:
        self.world = world
        self.faults = faults
        self.triggers: list[ApexTrigger] = []
        self.messages: list[OutboundMessage] = []
        self.deliveries: list[Delivery] = []
        self.queue: list[Notification] = []
        self.instance_url = f"https://{world.my_domain}"
        self._http = http
        self._client: httpx.AsyncClient | None = None
        self._pending: list[tuple[ApexTrigger, bytes, str]] = []
        self._tasks: set[asyncio.Task[None]] = set()
        world.automation.on_commit.append(self.committed)

    def committed(self, changes: Sequence[Change]) -> None:
        """Queue the pushes and notifications of a transaction, and start sending."""
        for trigger in self.triggers:
            self._pending += self._pushes(trigger, changes)[:MOST_PUSHES]
        for message in self.messages:
            self._notify(message, changes)
        self.start()

    def start(self) -> None:
        """Send what waits, if there is a running loop to send in."""
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return
        waiting, self._pending = self._pending, []
        jobs: list[Awaitable[None]] = [self._push(*one) for one in waiting]
        if any(one.due <= self.world.now() for one in self.queue):
            jobs.append(self.send_messages())
        for job in jobs:
            task = loop.create_task(_run(job))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def settled(self) -> None:
        """Wait until everything that is being sent has been sent."""
        self.start()
        while self._tasks:
            await asyncio.gather(*list(self._tasks))

    async def close(self) -> None:
        """Stop sending and close the connections."""
        for task in list(self._tasks):
            task.cancel()
        if self._client:
            await self._client.aclose()
            self._client = None

    async def send_messages(self) -> None:
        """Send the notifications that are due; what is not acknowledged stays in the queue."""
        now = self.world.now()
        self.queue = [one for one in self.queue if now - one.first < _KEEP]
        for message in self.messages:
            due = [one for one in self.queue if one.message is message and one.due <= now]
            for at in range(0, len(due), MOST_NOTIFICATIONS):
                await self._message(message, due[at : at + MOST_NOTIFICATIONS])

    def _pushes(
        self, trigger: ApexTrigger, changes: Sequence[Change]
    ) -> list[tuple[ApexTrigger, bytes, str]]:
        found = []
        for operation in trigger.operations:
            mine = [c for c in changes if self._fires(trigger, c, operation)]
            for at in range(0, len(mine), CHUNK):
                body = self._envelope(trigger, operation, mine[at : at + CHUNK])
                found.append((trigger, body, self.world.mint("707")))
        return found

    def _fires(self, trigger: ApexTrigger, change: Change, operation: str) -> bool:
        mine = change.object == trigger.object and change.operation == operation
        skipped = change.user.username == trigger.skip_user
        return mine and not skipped and change.context not in trigger.skip_contexts

    def _envelope(self, trigger: ApexTrigger, operation: str, changes: Sequence[Change]) -> bytes:
        new = {c.new["Id"]: self._serialized(c.object, c.new) for c in changes if c.new}
        old = {c.old["Id"]: self._serialized(c.object, c.old) for c in changes if c.old}
        user = changes[0].user
        common = {
            "schema": "hub.salesforce.trigger.v1",
            "orgId": self.world.id,
            "instanceUrl": self.instance_url,
            "object": trigger.object,
            "operation": operation,
            "userId": user.id,
            "userName": user.name,
            "userEmail": user.email,
            "sentAt": self.world.now().strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z",
        }
        shapes: dict[str, Any] = {
            "hub": {**common, "old": old or None, "new": new or None},
            "lists": {"old": list(old.values()), "new": list(new.values()), "userId": user.id},
            "bare": new,
            "ids": {**common, "ids": list(new or old)},
        }
        return json.dumps(shapes[trigger.style]).encode()

    def _serialized(self, object: str, row: Row) -> Row:
        """Return a row as JSON.serialize of a trigger map has it: without empty fields."""
        attributes = {"type": object, "url": f"/services/data/v60.0/sobjects/{object}/{row['Id']}"}
        return {"attributes": attributes, **{k: v for k, v in row.items() if v is not None}}

    async def _push(self, trigger: ApexTrigger, body: bytes, job: str) -> None:
        fault = self.faults.take("POST", trigger.url, push=True)
        if fault and fault.effect == "lose_push":
            self._log("apex", trigger.url, None, "lost", body)
            return
        if fault and fault.effect == "delay_push":
            await asyncio.sleep(fault.seconds)
        for _ in range(2 if fault and fault.effect == "double_push" else 1):
            await self._post_push(trigger, body, job)

    async def _post_push(self, trigger: ApexTrigger, body: bytes, job: str) -> None:
        headers = {"Content-Type": "application/json", "X-Hub-Delivery": job}
        if trigger.proof == "signature":
            digest = hmac.new(trigger.secret.encode(), body, hashlib.sha256).hexdigest()
            headers["X-Hub-Signature"] = f"sha256={digest}"
        else:
            headers["Authorization"] = f"Bearer {trigger.secret}"
        await self._send("apex", trigger.url, body, headers, trigger.timeout)

    def _notify(self, message: OutboundMessage, changes: Sequence[Change]) -> None:
        now = self.world.now()
        for change in changes:
            wanted = change.object == message.object and change.new is not None
            if wanted and message.condition(change.new or {}):
                self.queue.append(
                    Notification(
                        id=self.world.mint("04l"),
                        message=message,
                        record=str((change.new or {})["Id"]),
                        first=now,
                        due=now,
                    )
                )

    async def _message(self, message: OutboundMessage, batch: list[Notification]) -> None:
        body = self._soap(message, batch).encode()
        headers = {"Content-Type": "text/xml; charset=UTF-8", "SOAPAction": '""'}
        answer = await self._send("outbound_message", message.url, body, headers, 10.0)
        if answer is not None and answer.status_code == 200 and "<Ack>true</Ack>" in answer.text:
            self.queue = [one for one in self.queue if one not in batch]
            return
        for one in batch:
            one.tries += 1
            gap = timedelta(seconds=30 * 2 ** min(one.tries - 1, 8))
            one.due = self.world.now() + min(gap, _LONGEST_GAP)

    def _soap(self, message: OutboundMessage, batch: Sequence[Notification]) -> str:
        notifications = "".join(self._notification(message, one) for one in batch)
        urls = (
            f"<EnterpriseUrl>{self.instance_url}/services/Soap/c/60.0/{self.world.id[:15]}"
            f"</EnterpriseUrl><PartnerUrl>{self.instance_url}/services/Soap/u/60.0/"
            f"{self.world.id[:15]}</PartnerUrl>"
        )
        kept = message.include_session
        session = f"<SessionId>{self.world.id}</SessionId>" if kept else _NO_SESSION
        return (
            '<?xml version="1.0" encoding="UTF-8"?><soapenv:Envelope '
            'xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" '
            'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><soapenv:Body>'
            f'<notifications xmlns="{_OUTBOUND}"><OrganizationId>{self.world.id}</OrganizationId>'
            f"<ActionId>{message.action_id}</ActionId>"
            f"{session}{urls}{notifications}"
            "</notifications></soapenv:Body></soapenv:Envelope>"
        )

    def _notification(self, message: OutboundMessage, one: Notification) -> str:
        row = self.world.find(message.object, one.record) or {"Id": one.record}
        filled = {name: row.get(name) for name in message.fields if row.get(name) is not None}
        shown = "".join(f"<sf:{n}>{escape(_xml(v))}</sf:{n}>" for n, v in filled.items())
        return (
            f'<Notification><Id>{one.id}</Id><sObject xsi:type="sf:{message.object}" '
            f'xmlns:sf="urn:sobject.enterprise.soap.sforce.com">{shown}</sObject></Notification>'
        )

    async def _send(
        self, kind: str, url: str, body: bytes, headers: dict[str, str], seconds: float
    ) -> httpx.Response | None:
        self._client = self._client or self._http()
        try:
            answer = await self._client.post(url, content=body, headers=headers, timeout=seconds)
        except httpx.HTTPError as error:
            self._log(kind, url, None, f"{type(error).__name__}: {error}", body)
            return None
        self._log(kind, url, answer.status_code, None, body)
        return answer

    def _log(self, kind: str, url: str, status: int | None, error: str | None, body: bytes) -> None:
        text = body.decode()
        shown = json.loads(text) if kind == "apex" else text
        self.deliveries.append(
            Delivery(
                n=len(self.deliveries) + 1,
                at=stamped(self.world),
                kind=kind,
                url=url.partition("?")[0],
                status=status,
                error=error,
                body=shown,
            )
        )


@dataclass(kw_only=True)
class Pump:
    """Sends again what was not acknowledged, as long as the org is served."""

    outgoing: Outgoing
    every: float = 1.0
    task: "asyncio.Task[None] | None" = field(default=None)

    def ensure(self) -> None:
        """Start pumping if messages wait and nobody pumps."""
        if self.outgoing.queue and (self.task is None or self.task.done()):
            self.task = asyncio.get_running_loop().create_task(self._run())

    async def _run(self) -> None:
        while self.outgoing.queue:
            await asyncio.sleep(self.every)
            await self.outgoing.send_messages()

    def stop(self) -> None:
        """Stop pumping."""
        if self.task:
            self.task.cancel()


def _xml(value: Any) -> str:  # noqa: ANN401 - field values
    if isinstance(value, bool):
        return str(value).lower()
    return str(value).replace(".000+0000", ".000Z")


async def _run(job: Awaitable[None]) -> None:
    await job
