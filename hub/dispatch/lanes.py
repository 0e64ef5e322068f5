"""Which lane and which shard; pure, and the same in every process."""

import uuid
import zlib
from hashlib import blake2b
from typing import Final

from hub.sdk.events import RecordRef

BUCKETS: Final = 64
"""Advisory locks of records, on PostgreSQL."""


def lane_of(connector_id: uuid.UUID, record: RecordRef) -> str:
    """Return the lane of a record that is linked to nothing: 16 hex digits."""
    digest = blake2b(connector_id.bytes, digest_size=8)
    digest.update(f"\x1f{record.source_object}\x1f{record.id}".encode("utf-8", "surrogatepass"))
    return digest.hexdigest()


def shard_of(lane: str, shards: int) -> int:
    """Return the shard of a lane."""
    return zlib.crc32(lane.encode()) % shards


def bucket_of(connector_id: uuid.UUID, record: RecordRef) -> int:
    """Return the advisory lock's number of a record."""
    return zlib.crc32(lane_of(connector_id, record).encode()) % BUCKETS
