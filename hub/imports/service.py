"""Imports for people: asked for, looked at, stopped."""

import uuid
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from hub import ids
from hub.activity import audit
from hub.clock import Clock
from hub.connectors.clients import OpenConnector
from hub.connectors.models import Connector
from hub.connectors.repository import Connectors, Objects
from hub.errors import Conflict, Fault, Invalid
from hub.http.actor import Actor
from hub.http.faults import fault_of
from hub.imports.models import ImportJob
from hub.imports.repository import Imports
from hub.imports.schemas import ImportIn, ImportOut
from hub.sdk.connector_types import Poller

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportsService:
    """One actor's work on the imports of a tenant's connectors, in one transaction."""

    session: "AsyncSession"
    actor: Actor
    clock: Clock

    async def begin(
        self, connector: OpenConnector, asked: ImportIn, declared: Container[str]
    ) -> ImportOut:
        """Ask for existing records; Invalid says what can't be asked for.

        `declared` are the objects that plugins know; others may be adopted by the connector.
        """
        if asked.object not in declared:
            adopted = await Objects(self.session, self.actor.home).one(connector.id, asked.object)
            if adopted is None:
                raise _unknown(asked.object)
        cursor = first_cursor(connector, asked)
        row = await self._connector(connector.name)
        if await self._imports.running(row.id, asked.object) is not None:
            raise Conflict(f"{asked.object} of {row.name!r} is being imported already.")
        made = self._imports.add(
            ImportJob(
                id=ids.new_id(),
                connector_id=row.id,
                source_object=asked.object,
                since=asked.since,
                until=asked.until,
                filters=asked.filters,
                cursor=cursor,
                next_at=self.clock(),
                created_at=self.clock(),
                created_by=self.actor.name,
            )
        )
        await self.session.flush()
        told = asked.model_dump(mode="json", by_alias=True)
        await audit.record(self.session, self.actor, "import begun", row.name, after=told)
        return out(made, row.name)

    async def page(
        self, name: str, after: str | None, limit: int
    ) -> tuple[list[ImportOut], str | None]:
        """Return a connector's imports, the newest first, and the next page's cursor."""
        row = await self._connector(name)
        found, following = await self._imports.newest(row, after, limit)
        return [out(one, name) for one in found], following

    async def get(self, name: str, number: uuid.UUID) -> ImportOut:
        """Return an import."""
        row = await self._connector(name)
        return out(await self._imports.of(row.id, number), name)

    async def stop(self, name: str, number: uuid.UUID) -> ImportOut:
        """Stop an import; what it filed stays."""
        row = await self._connector(name)
        job = await self._imports.of(row.id, number)
        if job.state != "running":
            raise Conflict(f"The import is {job.state}; only one that runs can be stopped.")
        job.state, job.ended_at = "stopped", self.clock()
        await audit.record(self.session, self.actor, "import stopped", f"{name}: {number}")
        return out(job, name)

    @property
    def _imports(self) -> Imports:
        return Imports(self.session, self.actor.home)

    async def _connector(self, name: str) -> Connector:
        return await Connectors(self.session, self.actor.home).by_name(name)


def first_cursor(connector: OpenConnector, asked: ImportIn) -> str:
    """Return where an import begins."""
    poller = _poller(connector.working_type.pollers, connector.type_name, asked.object)
    if poller.imports is not None:
        params = _params(poller, asked.filters)
        return poller.imports.cursor(params, asked.since, asked.until)
    return _since(poller, asked)


def importable(
    pollers: Sequence[Poller[Any]], connector_type: str, name: str
) -> Poller[Any] | None:
    """Return the poller that reads existing records of an object."""
    able = [one for one in pollers if one.imports is not None or one.since is not None]
    own = [one for one in able if one.source_object == name]
    same = able if name.startswith(f"{connector_type}.") else []
    return next(iter([*own, *same]), None)


def _poller(pollers: Sequence[Poller[Any]], connector_type: str, name: str) -> Poller[Any]:
    found = importable(pollers, connector_type, name)
    if found is None:
        raise _unknown(name)
    return found


def _unknown(name: str) -> Invalid:
    fault = Fault("/object", f"Existing records of {name!r} can't be read.", "unknown")
    return Invalid("These records can't be imported.", errors=[fault])


def _params(poller: Poller[Any], filters: Mapping[str, Any]) -> Any:  # noqa: ANN401 - the plugin's own
    assert poller.imports is not None  # noqa: S101 - asked before
    try:
        return poller.imports.params.model_validate(dict(filters))
    except ValidationError as error:
        model = poller.imports.params
        found = error.errors(include_url=False)
        faults = [fault_of(one, model=model, before="/filters") for one in found]
        raise Invalid("The filters can't be used.", errors=faults) from error


def _since(poller: Poller[Any], asked: ImportIn) -> str:
    if poller.since is None or asked.since is None or asked.filters:
        member = "/filters" if asked.filters else "/from"
        fault = Fault(member, "This connector type reads existing records by time only.", "unknown")
        raise Invalid("These records can't be imported.", errors=[fault])
    return poller.since(asked.since)


def out(job: ImportJob, connector: str) -> ImportOut:
    """Show an import."""
    members = {name: getattr(job, name) for name in ImportOut.model_fields if hasattr(job, name)}
    return ImportOut.model_validate(
        {**members, "connector": connector, "object": job.source_object}
    )
