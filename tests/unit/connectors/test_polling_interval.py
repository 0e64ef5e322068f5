"""How often a connector is polled: what is set for it, its type's settings, the usual."""

import uuid
from typing import Any

import pytest
from pydantic import BaseModel

from hub.connectors.opening import OpenConnector
from hub.connectors.states import ConnectorState
from hub.sdk.connector_types import ConnectorType


class Settings(BaseModel):
    every: float | None = None


def connector(every: float | None = None, **more: Any) -> OpenConnector:
    kind = ConnectorType(
        name="acme",
        label="Acme",
        settings=Settings,
        connect=lambda settings, _: settings,
        poll_every=lambda settings: settings.every,
    )
    return OpenConnector(
        tenant_id=uuid.UUID(int=1),
        tenant="acme",
        id=uuid.UUID(int=2),
        name="acme",
        type_name="acme",
        type=kind,
        state=ConnectorState.ACTIVE,
        settings=Settings(every=every),
        client=object(),
        **more,
    )


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (connector(enabled_webhook=False), 60),
        (connector(), 300),
        (connector(webhook_ok=True), 300),
        (connector(webhook_ok=False), 60),
        (connector(120), 120),
        (connector(120, webhook_ok=False), 60),
        (connector(30, webhook_ok=False), 30),
        (connector(1), 10),
        (connector(120, poll_every_s=3600), 3600),
        (connector(120, poll_every_s=3600, webhook_ok=False), 3600),
    ],
)
def test_what_is_nearest_counts(made: OpenConnector, expected: float) -> None:
    assert made.polls_every_s == expected
