"""Performing one attempt of a run: parameters, the plugin's function, what came of it."""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from hub.connectors.clients import OpenConnector
from hub.connectors.transport import Call, Withdrawn, recording, vendor_call
from hub.correlations.values import pack, unpack
from hub.runs.ledger import LedgerRun
from hub.sdk.actions import Action, ActionCall, ActionResult
from hub.sdk.errors import ConnectorError, OutcomeUnknown, Rejected
from hub.sdk.events import Event, Record
from hub.sdk.vocabulary import Value

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempted:
    """What an attempt came to: a result, or an error; with the requests that it made."""

    result: ActionResult | None = None
    error: Exception | None = None
    calls: tuple[Call, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Everything that attempts of one run need."""

    run: LedgerRun
    action: Action[Any, Any]
    connector: OpenConnector
    event: Event
    timeout_s: float
    sparing: bool = False

    @property
    def call(self) -> ActionCall[Any, Any]:
        """What the plugin is handed; Rejected when the parameters do not fit."""
        return ActionCall(
            client=self.connector.client,
            params=checked_params(self.action, self.run.params),
            event=self.event,
            record=self.run.record,
            key=self.run.key,
            origin=f"hub/{self.run.rule_id}/{self.run.id}",
            sparing=self.sparing,
        )

    async def perform(self) -> Attempted:
        """Do it."""
        return await self._attempt(self.action.perform)

    async def look(self) -> Attempted:
        """Look for what an earlier attempt did; neither result nor error: there is nothing."""
        if self.action.find is None:
            return Attempted()
        return await self._attempt(self.action.find)

    async def _attempt(
        self, function: Callable[[ActionCall[Any, Any]], Awaitable[ActionResult | None]]
    ) -> Attempted:
        calls: list[Call] = []
        try:
            call = self.call
            with recording(calls.append), vendor_call():
                async with asyncio.timeout(self.timeout_s):
                    result = await function(call)
        except ConnectorError as error:
            return Attempted(error=error, calls=tuple(calls))
        except Withdrawn:
            raise
        except TimeoutError:
            late = OutcomeUnknown(f"There was no answer within {self.timeout_s:g} s.")
            return Attempted(error=late, calls=tuple(calls))
        except Exception as error:  # noqa: BLE001 - a plugin's bug is an outcome of its run
            _log.exception("action failed", extra={"action": self.action.name})
            return Attempted(error=error, calls=tuple(calls))
        return Attempted(result=result, calls=tuple(calls))


@dataclass(frozen=True, slots=True)
class Writes:
    """What a run will set on its target, by field key; None: not known."""

    values: dict[str, Value] | None = field(default=None)


def writes_of(action: Action[Any, Any], params: dict[str, Any]) -> Writes:
    """Ask the action what it will set; a failure is the plugin's and counts as not known."""
    if action.writes is None:
        return Writes()
    try:
        return Writes(dict(action.writes(checked_params(action, params))))
    except Rejected:
        return Writes()
    except Exception:  # noqa: BLE001 - logged; without it the echo is only not foreseen
        _log.exception("writes failed", extra={"action": action.name})
        return Writes()


def checked_params(action: Action[Any, Any], params: dict[str, Any]) -> Any:  # noqa: ANN401 - its own model
    """Return the parameters as the action's model; Rejected names what does not fit."""
    try:
        return action.params.model_validate(params)
    except ValidationError as error:
        faults = "; ".join(
            f"{'.'.join(str(part) for part in one['loc'])}: {one['msg']}" for one in error.errors()
        )
        raise Rejected(f"The parameters do not fit: {faults}") from error


def packed_result(result: ActionResult) -> dict[str, Any]:
    """Return a result as it is stored with the run."""
    record = result.record
    return {
        "changed": result.changed,
        "note": result.note,
        "record": None
        if record is None
        else {
            "object": record.source_object,
            "id": record.id,
            "url": record.url,
            "human_id": record.human_id,
            "values": json.loads(pack(dict(record.values))),
        },
    }


def stored_record(result: dict[str, Any] | None) -> Record | None:
    """Read the record that a run made or changed."""
    stored = (result or {}).get("record")
    if not stored:
        return None
    return Record(
        source_object=stored["object"],
        id=stored["id"],
        url=stored["url"],
        human_id=stored["human_id"],
        values=unpack(json.dumps(stored["values"])),
    )
