"""ETag on reads, If-Match on writes: nobody overwrites what they have not seen."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Final, Protocol

from fastapi import Header, Response

from hub.errors import BadRequest, ChangedMeanwhile, EditedMeanwhile, PreconditionMissing

IfMatch = Annotated[
    str | None,
    Header(
        alias="If-Match",
        max_length=200,
        description="The ETag of the state that this change was made from, or * for any.",
    ),
]


_ETAG: Final = re.compile(r'\*|"[^"]*"')
_EXAMPLE: Final = 'If-Match: "7", or *'


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
    if not matches(if_match, row.row_version):
        raise ChangedMeanwhile(f"{_by(row)}. Read it again, then repeat the change.")


def _by(row: Versioned) -> str:
    when = row.updated_at.isoformat(timespec="seconds").replace("+00:00", "Z")
    return f"{row.updated_by or 'somebody'} changed it at {when}"


def lost_race(
    row: Versioned, *, theirs: object, yours: object, changes: Sequence[str]
) -> EditedMeanwhile:
    """Return the answer to the second of two people who save at once: both versions."""
    both = {"theirs": theirs, "yours": yours, "changes": list(changes)}
    return EditedMeanwhile(
        f"{_by(row)}. Compare both versions, then save again with the present ETag.",
        extra=both | {"etag": etag_of(row.row_version)},
    )


def require_unraced(
    if_match: str | None, row: Versioned, theirs: Mapping[str, Any], yours: Mapping[str, Any]
) -> None:
    """Refuse a save that was made from another state: EditedMeanwhile tells what both want.

    Only members that `yours` names are compared. PreconditionMissing without If-Match.
    """
    if matches(if_match, row.row_version):
        return
    changes = [
        f"{name}: {theirs.get(name)!r} → {value!r}"
        for name, value in yours.items()
        if theirs.get(name) != value
    ]
    raise lost_race(row, theirs=theirs, yours=yours, changes=changes)


def require_version(if_match: str | None, version: int) -> None:
    """As `require_match`, for a row that does not say who changed it."""
    if not matches(if_match, version):
        raise ChangedMeanwhile("Read it again, then repeat the change.")


def matches(if_match: str | None, version: int) -> bool:
    """Tell whether a change was made from this version.

    PreconditionMissing without If-Match, BadRequest when it is no ETag.
    """
    if if_match is None:
        raise PreconditionMissing("Send the ETag that you were shown as If-Match (or *).")
    shown = {part.strip().removeprefix("W/") for part in if_match.split(",")}
    wrong = next((one for one in shown if not _ETAG.fullmatch(one)), None)
    if wrong is not None:
        raise BadRequest(f"If-Match: {wrong!r} is no ETag. Send one as it came, as {_EXAMPLE}.")
    return bool(shown & {"*", etag_of(version)})
