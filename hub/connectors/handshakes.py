"""Set-up by redirect: the hub makes and checks `state`, the plugin does the vendor's part."""

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from pydantic import BaseModel

from hub.connectors.calls import answered
from hub.connectors.clients import Clients, OpenConnector
from hub.connectors.models import HandshakeState
from hub.connectors.repository import Handshakes
from hub.connectors.service import ConnectorsService
from hub.errors import NotAllowed, NotFound, VendorRefused
from hub.sdk.connector_types import Handshake

VALID: Final = timedelta(minutes=15)
_NOBODYS: Final = bytes(32)
_PLACE: Final = "{state}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Handshaking:
    """One connector's set-up by redirect."""

    clients: Clients
    connector: OpenConnector
    call_back: str

    async def start(self, credential: bytes) -> str:
        """Return the vendor's page; its answer must come with the same credential."""
        handshake = self._handshake
        state = secrets.token_urlsafe(32)
        async with answered(self.connector.name):
            url = handshake.start(self.connector.settings, self.call_back)
        async with self.clients.database.writing() as session:
            Handshakes(session, self.connector.tenant_id).add(
                HandshakeState(
                    state_hash=_hashed(state),
                    connector_id=self.connector.id,
                    session_hash=credential or _NOBODYS,
                    expires_at=self.clients.clock() + VALID,
                )
            )
        return _with_state(url, state)

    async def refusal(self) -> str:
        """Return why the set-up cannot begin; "" when it can."""
        try:
            async with answered(self.connector.name):
                self._handshake.start(self.connector.settings, self.call_back)
        except VendorRefused as error:
            return str(error)
        return ""

    async def finish(
        self, query: Mapping[str, str], service: ConnectorsService, credential: bytes
    ) -> Mapping[str, str]:
        """Check the state, let the plugin complete, store the settings it returns.

        Returns the vendor's services that came with it, id -> name.
        """
        await self._check(query.get("state", ""), credential)
        handshake = self._handshake
        http = self.connector.http
        assert http is not None  # noqa: S101 - a ready connector has one
        told = {**query, "redirect_uri": self.call_back}
        async with answered(self.connector.name):
            settings = await handshake.complete(http, self.connector.settings, told)
        await service.take_settings(self.connector.name, settings, "connector set up by redirect")
        return _new_services(handshake, self.connector.settings, settings)

    async def _check(self, state: str, credential: bytes) -> None:
        async with self.clients.database.writing() as session:
            begun = await Handshakes(session, self.connector.tenant_id).take(_hashed(state))
        if begun is None or begun.connector_id != self.connector.id:
            raise NotAllowed("This set-up was not begun here, or it was finished already.")
        if begun.expires_at < self.clients.clock():
            raise NotAllowed("This set-up took longer than 15 minutes. Begin it again.")
        # Begun with a token there is no browser to compare: then the state alone counts.
        of_browser = begun.session_hash != _NOBODYS
        if of_browser and not secrets.compare_digest(begun.session_hash, credential or _NOBODYS):
            raise NotAllowed("This set-up was begun by somebody else.")

    @property
    def _handshake(self) -> Handshake[BaseModel]:
        handshake = self.connector.working_type.handshake
        if handshake is None:
            raise NotFound(f"{self.connector.type_name!r} is not set up by redirect.")
        return handshake


def _new_services(
    handshake: Handshake[BaseModel], before: BaseModel, after: BaseModel
) -> Mapping[str, str]:
    if handshake.services is None:
        return {}
    known = handshake.services(before)
    services = handshake.services(after)
    return {service: services[service] for service in services if service not in known}


def _hashed(state: str) -> bytes:
    return hashlib.sha256(state.encode()).digest()


def _with_state(url: str, state: str) -> str:
    if _PLACE in url:  # a vendor without a state parameter: the call-back itself carries it
        return url.replace(_PLACE, state)
    parts = urlsplit(url)
    query = [(name, value) for name, value in parse_qsl(parts.query) if name != "state"]
    return urlunsplit(parts._replace(query=urlencode([*query, ("state", state)])))
