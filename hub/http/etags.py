"""ETag on reads, If-Match on writes: nobody overwrites what they have not seen."""

from datetime import datetime
from typing import Annotated, Protocol

from fastapi import Header, Response

from hub.errors import ChangedMeanwhile, PreconditionMissing

IfMatch = Annotated[
    str | None,
    Header(
        alias="If-Match",
        max_length=200,
        description="The ETag of the state that this change was made from, or * for any.",
    ),
]


class Versioned(Protocol):
    """A row that says who changed it last."""

    @property
    def row_version(self) -> int: ...  # noqa: D102 - a column
    @property
    def updated_at(self) -> datetime: ...  # noqa: D102 - a column
    @property
    def updated_by(self) -> str: ...  # noqa: D102 - a column


def etag_of(version: int) -> str:
    """Return the ETag of a row's version."""
    return f'"{version}"'


def set_etag(response: Response, version: int) -> None:
    """Tell the caller which state they were shown."""
    response.headers["ETag"] = etag_of(version)


def require_match(if_match: str | None, row: Versioned) -> None:
    """Refuse a change that was made from another state than the present one.

    PreconditionMissing without If-Match; ChangedMeanwhile with the other's name and time.
    """
    if _matches(if_match, row.row_version):
        return
    when = row.updated_at.isoformat(timespec="seconds").replace("+00:00", "Z")
    who = row.updated_by or "somebody"
    raise ChangedMeanwhile(f"{who} changed it at {when}. Read it again, then repeat the change.")


def require_version(if_match: str | None, version: int) -> None:
    """As `require_match`, for a row that does not say who changed it."""
    if not _matches(if_match, version):
        raise ChangedMeanwhile("Read it again, then repeat the change.")


def _matches(if_match: str | None, version: int) -> bool:
    if if_match is None:
        raise PreconditionMissing("Send the ETag that you were shown as If-Match (or *).")
    shown = {part.strip().removeprefix("W/") for part in if_match.split(",")}
    return bool(shown & {"*", etag_of(version)})
