"""From what somebody asks about to facts: stored events, pasted deliveries, samples."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from hub import ids
from hub.connectors.models import Connector
from hub.errors import Fault, Invalid, NotFound
from hub.rules import Facts, Linked, Schema, Surroundings, build_facts, load_facts
from hub.rules.schema import object_of
from hub.rulesets.history import History, Neighbourhood, StoredEvent
from hub.rulesets.schemas_trial import ExplainIn, LinkedIn, SampleIn, WebhookIn
from hub.rulesets.work import Work
from hub.sdk.connector_types import WebhookRequest
from hub.sdk.errors import InvalidPayload
from hub.sdk.events import Event, Record, RecordRef

NOT_STORED: Final = "evt_0"


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """One event to try rules on; `stored` where it really happened."""

    facts: Facts
    around: Neighbourhood
    event: Event | None = None
    stored: StoredEvent | None = None

    @property
    def echo(self) -> bool:
        """Whether the hub took the event for the echo of its own write."""
        return self.stored is not None and self.stored.state == "echo"


@dataclass(slots=True)
class Subjects:
    """Finds subjects for one request."""

    work: Work
    schema: Schema

    @property
    def history(self) -> History:
        """The tenant's past."""
        return History(self.work.session, self.work.tenant)

    async def of(self, asked: ExplainIn) -> list[Subject]:
        """Return the events that are asked about."""
        if asked.event is not None:
            return [await self.stored(await self._event(asked.event))]
        if asked.delivery is not None:
            return await self._delivery(asked.delivery)
        if asked.webhook is not None:
            return await self._pasted(asked.webhook)
        if asked.sample is not None:
            return [await self._sample(asked.sample)]
        return []

    async def _event(self, shown: str) -> StoredEvent:
        found = await self.history.event(ids.number("evt", shown))
        if found is None:
            raise NotFound(f"There is no event {shown}.")
        return found

    async def _delivery(self, shown: str) -> list[Subject]:
        number = ids.number("dlv", shown)
        known = await self.history.delivery(number)
        if known is None:
            raise NotFound(f"There is no delivery {shown}.")
        events = await self.history.of_delivery(number)
        if not events:
            state, detail, _ = known
            raise Invalid(f"The delivery has no events: it is {state}. {detail or ''}".strip())
        return [await self.stored(one) for one in events]

    async def stored(self, found: StoredEvent) -> Subject:
        """Return a stored event: with what the rules saw then, or else as it is seen now."""
        ref = RecordRef(source_object=found.source_object, id=found.record_id)
        around = await self.history.around(found.connector_id, ref)
        if found.facts is not None:
            facts = load_facts(found.facts, self.schema)
            return Subject(facts=facts, around=around, event=found.event, stored=found)
        connector = (await self.history.connectors()).get(found.connector_id)
        if connector is None:
            raise NotFound("The connector that the event came from is gone.")
        shown = ids.shown("evt", found.id)
        facts = await self._facts(found.event, connector, around, shown)
        return Subject(facts=facts, around=around, event=found.event, stored=found)

    async def _pasted(self, asked: WebhookIn) -> list[Subject]:
        connector = await self._connector(asked.connector, "/webhook/connector")
        kind = self.work.catalog.connector_types.get(connector.type)
        if kind is None or kind.receiver is None:
            text = f"Connectors of type {connector.type!r} receive no webhooks."
            raise Invalid(text, errors=[Fault("/webhook/connector", text)])
        body = asked.body if isinstance(asked.body, str) else json.dumps(asked.body)
        headers = {name.lower(): value for name, value in asked.headers.items()}
        request = WebhookRequest(headers=headers, body=body.encode())
        try:
            events = kind.receiver.parse(request)
        except InvalidPayload as error:
            where = getattr(error, "pointer", None) or ""
            fault = Fault(f"/webhook/body{where}", str(error), "payload")
            raise Invalid("The delivery can't be read.", errors=[fault]) from error
        return [await self._now(one, connector) for one in events]

    async def _sample(self, asked: SampleIn) -> Subject:
        connector = await self._connector(asked.connector, "/sample/connector")
        if asked.trigger not in self.schema.triggers:
            near = self.schema.nearest_trigger(asked.trigger)
            hint = f" Nearest: '{near}'." if near else ""
            text = f"No trigger '{asked.trigger}'.{hint}"
            raise Invalid(text, errors=[Fault("/sample/trigger", text, "trigger.unknown")])
        source_object = object_of(asked.trigger)
        record = Record(
            source_object=source_object,
            id=asked.record.id,
            url=asked.record.url,
            human_id=asked.record.human_id,
            values=_by_key(asked.record.values, source_object),
        )
        event = Event(
            trigger=asked.trigger,
            record=record,
            occurred_at=asked.occurred_at or self.work.clock(),
            key=NOT_STORED,
            before=None if asked.before is None else _by_key(asked.before, source_object),
            actor=asked.actor,
            actor_name=asked.actor_name,
        )
        return await self._now(event, connector, [_linked(one) for one in asked.linked])

    async def _now(
        self, event: Event, connector: Connector, linked: list[Linked] | None = None
    ) -> Subject:
        around = await self.history.around(connector.id, event.record.ref)
        if linked:
            around = Neighbourhood(
                last_seen=around.last_seen,
                linked=(*linked, *around.linked),
                correlation=around.correlation,
                reserved=around.reserved,
            )
        facts = await self._facts(event, connector, around, NOT_STORED)
        return Subject(facts=facts, around=around, event=event)

    async def _facts(
        self, event: Event, connector: Connector, around: Neighbourhood, shown: str
    ) -> Facts:
        surroundings = Surroundings(
            event_id=shown,
            tenant=await self.history.tenant_slug(),
            connector=connector.name,
            connector_type=connector.type,
            source="hand" if shown == NOT_STORED else "webhook",
            last_seen=around.last_seen,
            linked=around.linked,
            correlation=around.correlation,
        )
        return build_facts(event, surroundings, self.schema)

    async def _connector(self, name: str, pointer: str) -> Connector:
        for one in (await self.history.connectors()).values():
            if one.name == name:
                return one
        text = f"There is no connector {name!r}."
        raise Invalid(text, errors=[Fault(pointer, text, "connector.unknown")])


def _by_key(values: Mapping[str, Any], source_object: str) -> dict[str, Any]:
    return {name.removeprefix(f"{source_object}."): value for name, value in values.items()}


def _linked(given: LinkedIn) -> Linked:
    values = _by_key(given.values, given.object)
    return Linked(
        ref=RecordRef(source_object=given.object, id=given.id),
        connector=given.connector,
        values=values,
        precise=values,
        url=given.url,
        human_id=given.human_id,
    )
