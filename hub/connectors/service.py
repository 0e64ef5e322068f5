"""What people do with connectors: add, change, enable, delete, look at."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from pydantic import BaseModel

from hub import ids
from hub.activity import audit
from hub.connectors import documents, shapes
from hub.connectors.clients import Clients
from hub.connectors.judging import (
    Judged,
    accepts_webhooks,
    judge,
    placed,
    removed_by,
    without_shown,
)
from hub.connectors.models import CheckResult, Connector, Secret
from hub.connectors.repository import Checks, Connectors, Transaction, poll_at_once
from hub.connectors.schemas import ConnectorIn, ConnectorPatch, DocumentRest
from hub.connectors.secrets import shown
from hub.connectors.states import ConnectorState
from hub.db.conflicts import taken
from hub.db.tenancy import raise_rules_version
from hub.errors import Conflict, Fault, SettingsInvalid
from hub.http.actor import Actor
from hub.http.etags import require_match
from hub.sdk.connector_types import ConnectorType

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

_OPTIONS: Final = (
    "label",
    "allow_unsigned",
    "poll_every_s",
    "log_level",
    "log_days",
    "on_dead_letter",
    "acting_user",
    "ingress_rate",
    "allowed_ips",
    "quota_guard",
    "reconcile_every_h",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A connector with what may be shown of its secrets."""

    row: Connector
    secrets: Mapping[str, Secret]


class ConnectorsService:
    """One actor's work on their tenant's connectors; each method is one transaction."""

    def __init__(self, clients: Clients, actor: Actor, public_url: str) -> None:
        self._clients = clients
        self._database = clients.database
        self._actor = actor
        self._public_url = public_url

    # Looking ------------------------------------------------------------------------------

    async def page(self, after: str | None, limit: int) -> tuple[list[Seen], str | None]:
        """Return connectors by name, and the cursor of the next page."""
        async with self._database.reading() as session:
            rows, following = await Connectors(session, self._actor.home).named(after, limit)
            store = self._clients.store(session, self._actor.home)
            return [Seen(row=row, secrets=await store.rows(row.id)) for row in rows], following

    async def get(self, name: str) -> Seen:
        """Return a connector; NotFound when there is none of this name."""
        async with self._database.reading() as session:
            row = await Connectors(session, self._actor.home).by_name(name)
            store = self._clients.store(session, self._actor.home)
            return Seen(row=row, secrets=await store.rows(row.id))

    async def checks(self, connector_id: uuid.UUID) -> Sequence[CheckResult]:
        """Return how a connector's checks ended last."""
        async with self._database.reading() as session:
            return await Checks(session, self._actor.home).of(connector_id)

    def webhook_url(self, row: Connector) -> str | None:
        """Return where the vendor sends webhooks; None when the type receives none."""
        brought = self._clients.catalog.connector_types.get(row.type)
        if brought is None or brought.receiver is None:
            return None
        return f"{self._public_url}/t/{self._actor.slug}/connectors/{row.name}/webhook"

    def secret_names(self, row: Connector) -> frozenset[str]:
        """Return the paths of the type's secret settings."""
        brought = self._clients.catalog.connector_types.get(row.type)
        return shapes.secret_paths(brought.settings) if brought is not None else frozenset()

    def settings_shown(self, seen: Seen) -> dict[str, Any]:
        """Return the settings as anybody may see them."""
        places = self.secret_names(seen.row) | seen.secrets.keys()
        visible = {
            name: shown(seen.secrets[name]) if name in seen.secrets else {"set": False}
            for name in places
        }
        return placed(seen.row.settings, visible)

    # Changing -----------------------------------------------------------------------------

    async def create(self, asked: ConnectorIn) -> Seen:
        """Add a connector; SettingsInvalid says everything that is wrong with it."""
        brought = self._type(asked.type)
        settings = documents.settings_of(brought, asked)
        judged = await judge(self._clients.references, brought, settings, kept={})
        row = Connector(
            id=ids.new_id(),
            name=asked.name,
            type=asked.type,
            settings=judged.plain,
            state=asked.state,
            created_by=self._actor.name,
            updated_by=self._actor.name,
            log_level_since=self._clients.clock(),
            **{option: _plain(getattr(asked, option)) for option in _OPTIONS},
        )
        row.enabled_webhook = accepts_webhooks(
            brought, asked.enabled_webhook, judged.secrets, unsigned=row.allow_unsigned
        )
        async with self._database.writing() as session:
            connectors = Connectors(session, self._actor.home)
            if await connectors.find_by_name(asked.name) is not None:
                raise Conflict(f"There is a connector {asked.name!r} already.")
            connectors.add(row)
            with taken(f"There is a connector {asked.name!r} already."):
                await session.flush()
            await raise_rules_version(session, self._actor.home)
            await self._keep_secrets(session, row, judged.secrets)
            await audit.record(
                session, self._actor, "connector added", row.name, after=self._told(row, judged)
            )
        return await self.get(asked.name)

    def rest_of(self, asked: ConnectorIn) -> DocumentRest | None:
        """Return what the document of a new connector holds beside settings."""
        return documents.rest_of(self._type(asked.type), asked)

    async def update(self, name: str, asked: ConnectorPatch, if_match: str | None) -> Seen:
        """Change what is named; the rest stays."""
        before = await self.get(name)
        require_match(if_match, before.row)
        brought = self._type(before.row.type)
        judged = await self._rejudged(brought, before, asked.settings)
        async with self._database.writing() as session:
            row = await Connectors(session, self._actor.home).by_name(name)
            require_match(if_match, row)
            old = self._told(row)
            self._apply(row, asked, judged)
            row.enabled_webhook = self._accepts(brought, before, row, asked, judged)
            row.row_version += 1
            row.updated_by = self._actor.name
            changed = await self._keep_secrets(session, row, judged.secrets if judged else {})
            if judged is not None:
                await self._forget_removed(session, row, asked.settings or {})
            await session.flush()
            await self._move(session, row, asked, moved=bool(changed or asked.settings))
            self._clients.changed_by(session, row.id)
            new = self._told(row, judged, changed)
            await audit.record(
                session, self._actor, "connector changed", row.name, before=old, after=new
            )
        return await self.get(name)

    async def delete(self, name: str, if_match: str | None) -> None:
        """Delete a connector with its secrets and everything that hangs on it."""
        async with self._database.writing() as session:
            connectors = Connectors(session, self._actor.home)
            row = await connectors.by_name(name)
            require_match(if_match, row)
            await self._clients.store(session, self._actor.home).forget(row.id)
            await connectors.remove(row)
            await raise_rules_version(session, self._actor.home)
            self._clients.changed_by(session, row.id)
            await audit.record(
                session, self._actor, "connector deleted", row.name, before=self._told(row)
            )

    async def take_settings(self, name: str, settings: BaseModel, why: str) -> None:
        """Store settings that came from the vendor (a set-up by redirect)."""
        row = (await self.get(name)).row
        brought = self._type(row.type)
        values = shapes.plain_of(settings)
        plain, secrets = shapes.split(values, shapes.secret_paths(brought.settings))
        async with self._database.writing() as session:
            row = await Connectors(session, self._actor.home).by_name(name)
            row.settings = plain
            row.row_version += 1
            row.updated_by = self._actor.name
            changed = await self._keep_secrets(session, row, secrets)
            await session.flush()
            await self._clients.states.credentials_changed(session, row.tenant_id, row.id)
            self._clients.changed_by(session, row.id)
            after = self._told(row, None, changed)
            await audit.record(session, self._actor, why, row.name, after=after)

    async def take_webhook_secret(self, name: str, field: str, secret: str | None) -> None:
        """Store the secret of a subscription, and accept its webhooks.

        Conflict when the vendor did not tell it and none is known: nothing could be verified.
        """
        async with self._database.writing() as session:
            row = await Connectors(session, self._actor.home).by_name(name)
            store = self._clients.store(session, self._actor.home)
            changed = await self._keep_secrets(session, row, {field: secret} if secret else {})
            if field not in await store.rows(row.id) and not row.allow_unsigned:
                raise Conflict(
                    "The vendor has a subscription to this hub already, but its secret is not "
                    f"known here. Set {field!r}, or remove the subscription and make it anew."
                )
            row.enabled_webhook = True
            row.webhook_ok, row.webhook_checked_at = True, self._clients.clock()
            await poll_at_once(session, row.id, self._clients.clock())
            row.row_version += 1
            row.updated_by = self._actor.name
            self._clients.changed_by(session, row.id)
            after = self._told(row, None, changed)
            await audit.record(session, self._actor, "webhook enabled", row.name, after=after)

    async def webhook_removed(self, name: str) -> None:
        """Accept no more webhooks: the vendor's subscription is gone."""
        async with self._database.writing() as session:
            row = await Connectors(session, self._actor.home).by_name(name)
            row.enabled_webhook, row.webhook_ok = False, None
            row.row_version += 1
            row.updated_by = self._actor.name
            self._clients.changed_by(session, row.id)
            await audit.record(session, self._actor, "webhook removed", row.name)

    # Inside -------------------------------------------------------------------------------

    def _type(self, name: str) -> ConnectorType[Any, Any]:
        types = self._clients.catalog.connector_types
        if name not in types:
            known = ", ".join(sorted(types)) or "none"
            fault = Fault("/type", f"No plugin brings {name!r}. Installed: {known}.", "unknown")
            raise SettingsInvalid(f"There is no connector type {name!r}.", errors=[fault])
        return types[name]

    async def _rejudged(
        self, brought: ConnectorType[Any, Any], before: Seen, change: Mapping[str, Any] | None
    ) -> Judged | None:
        if change is None:
            return None
        async with self._database.reading() as session:
            opened = await self._clients.store(session, self._actor.home).opened(before.row.id)
        removed = removed_by(change, shapes.secret_paths(brought.settings))
        kept = {
            path: value
            for path, value in {**opened.current, **opened.references}.items()
            if path not in removed
        }
        values = shapes.merged(before.row.settings, without_shown(change))
        return await judge(self._clients.references, brought, values, kept)

    def _apply(self, row: Connector, asked: ConnectorPatch, judged: Judged | None) -> None:
        for option in _OPTIONS:
            if option in asked.model_fields_set:
                value = _plain(getattr(asked, option))
                if value is not None or option in {"poll_every_s", "acting_user"}:
                    setattr(row, option, value)
        if "log_level" in asked.model_fields_set:
            row.log_level_since = self._clients.clock()
        if judged is not None:
            row.settings = judged.plain

    def _accepts(
        self,
        brought: ConnectorType[Any, Any],
        before: Seen,
        row: Connector,
        asked: ConnectorPatch,
        judged: Judged | None,
    ) -> bool:
        if not asked.model_fields_set & {"settings", "enabled_webhook", "allow_unsigned"}:
            return row.enabled_webhook
        removed = removed_by(asked.settings or {}, shapes.secret_paths(brought.settings))
        secrets = {name for name in before.secrets if name not in removed}
        secrets |= set(judged.secrets if judged is not None else ())
        wanted = row.enabled_webhook if asked.enabled_webhook is None else asked.enabled_webhook
        return accepts_webhooks(brought, wanted, secrets, unsigned=row.allow_unsigned)

    async def _move(
        self, session: Transaction, row: Connector, asked: ConnectorPatch, *, moved: bool
    ) -> None:
        states = self._clients.states
        if asked.state == "paused":
            row.state, row.state_detail = ConnectorState.PAUSED, ""
        elif asked.state == "active":
            await states.enabled(session, row.tenant_id, row.id)
        if moved:
            await states.credentials_changed(session, row.tenant_id, row.id)

    async def _keep_secrets(
        self,
        session: "AsyncSession",
        row: Connector,
        secrets: Mapping[str, str],
    ) -> list[str]:
        store = self._clients.store(session, self._actor.home)
        backends = self._clients.references.backends
        return [
            path
            for path, value in sorted(secrets.items())
            if await store.put(row.id, path, value, by=self._actor.name, backends=backends)
        ]

    async def _forget_removed(
        self,
        session: "AsyncSession",
        row: Connector,
        change: Mapping[str, Any],
    ) -> None:
        store = self._clients.store(session, self._actor.home)
        for path in removed_by(change, self.secret_names(row)):
            await store.remove(row.id, path)

    def _told(
        self, row: Connector, judged: Judged | None = None, changed: Sequence[str] = ()
    ) -> dict[str, Any]:
        told: dict[str, Any] = {option: getattr(row, option) for option in _OPTIONS}
        told |= {
            "type": row.type,
            "state": row.state,
            "settings": row.settings,
            "enabled_webhook": row.enabled_webhook,
        }
        replaced = sorted(changed or (judged.secrets if judged else ()))
        return told | ({"replaced": replaced} if replaced else {})


def _plain(value: Any) -> Any:  # noqa: ANN401 - an option's value
    return value.model_dump() if isinstance(value, BaseModel) else value
