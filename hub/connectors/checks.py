"""A connector's test: line by line, kept, with cause and remedy; it moves the state."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from pydantic import BaseModel

from hub import logs
from hub.connectors.clients import Clients, OpenConnector
from hub.connectors.fields import FieldBook
from hub.connectors.repository import Checks, Transaction, watch_at_once
from hub.connectors.transport import vendor_call
from hub.errors import HubError
from hub.sdk.connector_types import Check
from hub.sdk.errors import AuthenticationFailed, ConnectorError, Unavailable

logger = logs.get_logger(__name__)
_LONGEST_S: Final = 30.0
WEBHOOK: Final = "webhook"
FIELDS: Final = "discovery"
SECRETS: Final = "secrets"
OLD_SECRET_DAYS: Final = 90


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """How one check ended; `ok` None = not tried. `error` is what the connector met."""

    name: str
    label: str
    ok: bool | None
    text: str
    took_ms: int = 0
    fix: str = ""
    error: ConnectorError | None = None


class Checker:
    """Runs the checks of one connector."""

    def __init__(self, clients: Clients, connector: OpenConnector, webhook_url: str | None) -> None:
        self._clients = clients
        self._connector = connector
        self._webhook_url = webhook_url

    async def run(self) -> AsyncIterator[Line]:
        """Yield each line as its check ends; at the end keep them and move the state."""
        lines: list[Line] = []
        async for line in self._lines():
            lines.append(line)
            yield line
        await self._settle(lines)

    async def _lines(self) -> AsyncIterator[Line]:
        connector = self._connector
        if connector.type is None or not connector.is_ready:
            yield Line(
                name="connector",
                label="Connector",
                ok=False,
                text=connector.state_detail,
                fix=_fix_of(connector),
            )
            return
        hopeless = ""
        own = {check.name for check in connector.type.checks}
        for check in connector.type.checks:
            if hopeless:
                yield Line(name=check.name, label=check.label, ok=None, text=hopeless)
                continue
            line = await self._run(check)
            yield line
            hopeless = _why_hopeless(line)
        async for line in self._hubs_own(own, hopeless):
            yield line

    async def _run(self, check: Check[Any]) -> Line:
        began = time.perf_counter()
        error: ConnectorError | None = None
        fix = ""
        try:
            async with asyncio.timeout(_LONGEST_S):
                with vendor_call():
                    text, ok = await check.run(self._connector.client), True
        except ConnectorError as met:
            text, ok, error, fix = str(met), False, met, self._fix(check, met)
        except TimeoutError:
            text, ok = f"No answer within {_LONGEST_S:g} s.", False
            error = Unavailable(text)
            fix = self._fix(check, error)
        except Exception as bug:
            logger.exception("check failed", connector=self._connector.name, check=check.name)
            text, ok = f"The plugin has a fault: {type(bug).__name__}: {bug}", False
        took = round((time.perf_counter() - began) * 1000)
        return Line(
            name=check.name,
            label=check.label,
            ok=ok,
            text=logs.redactor.text(text),
            took_ms=took,
            fix=fix,
            error=error,
        )

    def _fix(self, check: Check[Any], met: ConnectorError) -> str:
        if not isinstance(met, Unavailable):
            return check.fix.replace("NAME", self._connector.name)
        return _reach(addresses(self._connector.settings))

    async def _hubs_own(self, own: set[str], hopeless: str) -> AsyncIterator[Line]:
        brought = self._connector.working_type
        if brought.receiver is not None and WEBHOOK not in own:
            yield await self._webhook(hopeless)
        if brought.discovery is not None and FIELDS not in own and not hopeless:
            yield await self._fields()
        old = await self._old_secrets()
        if old:
            yield Line(name=SECRETS, label="Secrets", ok=True, text=old)

    async def _webhook(self, hopeless: str) -> Line:
        connector, label = self._connector, "Webhook"
        if not connector.enabled_webhook:
            return Line(name=WEBHOOK, label=label, ok=True, text="Webhook disabled")
        if self._webhook_url is None or connector.working_type.subscription is None:
            text = f"Webhook endpoint configured: {self._webhook_url}"
            return Line(name=WEBHOOK, label=label, ok=True, text=text)
        if hopeless:
            return Line(name=WEBHOOK, label=label, ok=None, text=hopeless)
        return await self._run(
            Check(
                name=WEBHOOK,
                label=label,
                run=self._inspect,
                fix=f"hub connector webhook {connector.name} --enable",
            )
        )

    async def _inspect(self, client: Any) -> str:  # noqa: ANN401 - the plugin's client
        subscription = self._connector.working_type.subscription
        assert subscription is not None  # noqa: S101 - asked before
        assert self._webhook_url is not None  # noqa: S101 - asked before
        state = await subscription.inspect(client, self._webhook_url)
        if state is None:
            raise ConnectorError(f"The vendor has no subscription to {self._webhook_url}.")
        if not state.active:
            raise ConnectorError(f"The subscription is disabled at the vendor. {state.detail}")
        told = f". {state.detail}" if state.detail else ""
        return f"Webhook endpoint configured ({state.id}){told}"

    async def _fields(self) -> Line:
        async def read(_: Any) -> str:  # noqa: ANN401 - the plugin's client
            try:
                count = await FieldBook(self._clients).renew_all(self._connector)
            except HubError as error:
                raise ConnectorError(str(error)) from error
            return f"Fields of {count} object{'' if count == 1 else 's'} read"

        return await self._run(Check(name=FIELDS, label="Live fields", run=read))

    async def _old_secrets(self) -> str:
        async with self._clients.database.reading() as session:
            store = self._clients.store(session, self._connector.tenant_id)
            rows = await store.rows(self._connector.id)
        now = self._clients.clock()
        ages = {name: (now - row.set_at).days for name, row in rows.items()}
        old = {name: days for name, days in ages.items() if days >= OLD_SECRET_DAYS}
        told = ", ".join(f"{name} ({days} days)" for name, days in sorted(old.items()))
        return f"Old secrets, change them soon: {told}" if told else ""

    async def _settle(self, lines: Sequence[Line]) -> None:
        connector, now = self._connector, self._clients.clock()
        states = self._clients.states
        kept = [
            {
                "name": one.name,
                "ok": one.ok,
                "text": one.text,
                "took_ms": one.took_ms,
                "at": now + timedelta(microseconds=place),  # keeps their order
            }
            for place, one in enumerate(lines)
            if one.ok is not None
        ]
        refused = next((one for one in lines if isinstance(one.error, AuthenticationFailed)), None)
        async with self._clients.database.writing() as session:
            self._clients.changed_by(session, connector.id)
            await Checks(session, connector.tenant_id).keep(connector.id, kept)
            await self._webhook_seen(session, lines)
            if refused is not None:
                await states.needs_credentials(
                    session, connector.tenant_id, connector.id, refused.text
                )
            elif connector.is_ready and all(
                one.ok is not False or one.name in {WEBHOOK, FIELDS} for one in lines
            ):
                lifted = await states.good_check(session, connector.tenant_id, connector.id)
                if lifted:
                    self._clients.limits.succeeded(connector.id)

    async def _webhook_seen(self, session: Transaction, lines: Sequence[Line]) -> None:
        line = next((one for one in lines if one.name == WEBHOOK and one.ok is not None), None)
        connector = self._connector
        if not connector.enabled_webhook:
            return
        own = connector.type is not None and WEBHOOK in {one.name for one in connector.type.checks}
        if own:  # the plugin's line may say something else: the hub looks for itself
            await watch_at_once(session, connector.id)
            return
        if line is None or line.ok is None:
            return
        await self._clients.states.webhook_seen(
            session,
            (connector.tenant_id, connector.id),
            ok=line.ok,
            detail=line.text,
            now=self._clients.clock(),
        )


def _why_hopeless(line: Line) -> str:
    if isinstance(line.error, AuthenticationFailed):
        return "Not tried: the credentials were refused."
    if isinstance(line.error, Unavailable):
        return "Not tried: the vendor can't be reached."
    return ""


def addresses(settings: BaseModel | None) -> dict[str, str]:
    """Return the settings that are addresses, by name."""
    if settings is None:
        return {}
    values = {name: getattr(settings, name) for name in type(settings).model_fields}
    return {
        name: value
        for name, value in values.items()
        if name.endswith("url") and isinstance(value, str) and value
    }


def _reach(known: Mapping[str, str]) -> str:
    told = ", ".join(f"{name} is {value}" for name, value in known.items())
    named = f" ({told})" if told else ""
    return (
        f"Nothing usable answers there: compare the address in the settings{named} with the "
        "vendor's, then DNS, firewall and proxy, then the vendor's status page. What comes "
        "meanwhile is held and worked once the vendor is back."
    )


def _fix_of(connector: OpenConnector) -> str:
    if connector.type is None and not connector.has_references:
        return "hub plugins list shows what became of its plugin."
    return f"hub connector update {connector.name} --set …"
