"""Options that every connector has, whatever its type; the same for adding and changing one."""

import re
from typing import Annotated, Any, Final

import typer

from hub.cli.failure import Usage

_DURATION: Final = re.compile(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s?)?")
_UNSET: Final = "default"
PollEvery = Annotated[
    str,
    typer.Option(
        "--poll-every",
        help="Time between two polls: 90s, 5m, 1h; 'default' leaves it to the connector's type.",
    ),
]
AllowIp = Annotated[
    list[str] | None,
    typer.Option(
        "--allow-ip",
        help="Address or network (CIDR) that may send webhooks; may be repeated; 'any' for all.",
    ),
]
ReconcileEvery = Annotated[
    str,
    typer.Option(
        "--reconcile-every", help="Time between two comparisons of linked records; 'never'."
    ),
]
Guard = Annotated[
    list[str] | None,
    typer.Option(
        "--guard",
        help="Used share of the vendor's quota from which something is shed: "
        "imports=70, polling=90, ordinary=95; 'default' for the usual ones.",
    ),
]


def options(
    poll_every: str, allow_ip: list[str] | None, reconcile_every: str, guard: list[str] | None
) -> dict[str, Any]:
    """Return what was given, as the API takes it."""
    body: dict[str, Any] = {}
    if poll_every:
        body["poll_every_s"] = None if poll_every == _UNSET else seconds(poll_every)
    if allow_ip:
        body["allowed_ips"] = [] if allow_ip == ["any"] else list(allow_ip)
    if reconcile_every:
        every = 0 if reconcile_every == "never" else seconds(reconcile_every)
        body["reconcile_every_h"] = -(-every // 3600)
    if guard:
        body["quota_guard"] = {} if guard == [_UNSET] else dict(map(_share, guard))
    return body


def seconds(duration: str) -> int:
    """Return the seconds of `90`, `90s`, `5m` or `1h30m`; Usage otherwise."""
    found = _DURATION.fullmatch(duration.strip())
    if not found or not any(found.groups()):
        raise Usage(f"{duration!r} is no duration such as 90s, 5m or 1h.")
    days, hours, minutes, rest = (int(part or 0) for part in found.groups())
    return ((days * 24 + hours) * 60 + minutes) * 60 + rest


def _share(given: str) -> tuple[str, int]:
    name, _, share = given.partition("=")
    if not share.isdecimal():
        raise Usage(f"{given!r} is no share: write polling=90.")
    return name, int(share)
