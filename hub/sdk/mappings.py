"""Which service a record belongs to."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Generic

from hub.sdk.actions import Client
from hub.sdk.events import Record
from hub.sdk.vocabulary import Value


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceResolver(Generic[Client]):
    """A rule of its own for finding the service; asked before the tenant's table.

    `outbound` gets the record and answers the paging vendor's service id, or None.
    `inbound` gets a service id and answers the fields to set (by key), or None.
    """

    name: str
    source_object: str
    outbound: Callable[[Client, Record], Awaitable[str | None]]
    inbound: Callable[[Client, str], Awaitable[Mapping[str, Value] | None]] | None = None
