"""Change Data Capture by the Pub/Sub API; needs the extra `pubsub`, loaded where it is used."""

from importlib.util import find_spec
from typing import TYPE_CHECKING

from hub import Batch, Poller

if TYPE_CHECKING:
    from hub_salesforce.client import SalesforceClient
    from hub_salesforce.sobjects import Objects

CHANNEL = "change_events"
NEEDS = ("grpc", "fastavro", "google.protobuf")
HOW = "install the extra: pip install 'hub-salesforce[pubsub]'"


def missing() -> tuple[str, ...]:
    """Return which libraries of the extra are not installed."""
    return tuple(name for name in NEEDS if not _is_there(name))


def listener_of(objects: "Objects") -> "Poller[SalesforceClient]":
    """Return what hears the change events of the objects that a connector's settings name."""

    async def fetch(client: "SalesforceClient", cursor: str | None) -> Batch:
        from hub_salesforce.pubsub import capture  # noqa: PLC0415 - few connectors listen

        return await capture.fetch(client, objects, cursor)

    return Poller(source_object=objects.declared[0].name, fetch=fetch, channel=CHANNEL, waits=True)


async def subscribable(client: "SalesforceClient") -> str:
    """Check that the change events that the settings name can be subscribed to."""
    from hub_salesforce.pubsub import capture  # noqa: PLC0415 - few connectors listen

    return await capture.subscribable(client)


def _is_there(name: str) -> bool:
    try:
        return find_spec(name) is not None
    except ModuleNotFoundError:  # the package around it is missing
        return False
