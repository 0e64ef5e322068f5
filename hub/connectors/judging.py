"""Whether a connector's settings can be used: all that is wrong with them, at once."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from hub.connectors import shapes
from hub.connectors.models import Secret
from hub.connectors.secrets import References, refers
from hub.errors import Fault, SettingsInvalid
from hub.http.faults import pointer_of
from hub.sdk.connector_types import ConnectorType
from hub.sdk.errors import ConnectorError


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """Settings that fit: plain values, secrets to keep (None = the one that is there)."""

    plain: dict[str, Any]
    secrets: Mapping[str, str]


async def judge(
    references: References,
    brought: ConnectorType[Any, Any],
    values: Mapping[str, Any],
    kept: Mapping[str, str],
) -> Judged:
    """Check settings with their secrets, references followed; all faults at once."""
    paths = shapes.secret_paths(brought.settings)
    try:
        plain, given = shapes.split(without_shown(values), paths)
    except TypeError as error:
        raise SettingsInvalid(str(error)) from error
    resolved, faults = await _followed(references, {**kept, **given})
    found = shapes.check(brought.settings, shapes.join(plain, resolved))
    if isinstance(found, list):
        unread = {fault.pointer for fault in faults}
        faults += [fault for fault in found if fault.pointer not in unread]
    if faults:
        located = [one._replace(pointer=f"/settings{one.pointer}") for one in faults]
        count = "One setting" if len(located) == 1 else f"{len(located)} settings"
        raise SettingsInvalid(f"{count} can't be used.", errors=located)
    return Judged(plain=plain, secrets=given)


async def _followed(
    references: References, secrets: Mapping[str, str]
) -> tuple[dict[str, str], list[Fault]]:
    resolved, faults = {}, []
    for path, value in secrets.items():
        resolved[path] = value
        if refers(value, references.backends):
            try:
                resolved[path] = await references.read(value, fresh=True)
            except ConnectorError as error:
                pointer = pointer_of(path.split("."))
                faults.append(Fault(pointer, str(error), "unreadable_reference"))
    return resolved, faults


def accepts_webhooks(
    brought: ConnectorType[Any, Any],
    asked: bool | None,  # noqa: FBT001 - what was asked, if anything
    secrets: Collection[str],
    *,
    unsigned: bool,
) -> bool:
    """Return whether webhooks are accepted; SettingsInvalid before unsigned ones are by mistake."""
    if brought.receiver is None:
        return False
    field = brought.subscription.secret_field if brought.subscription is not None else None
    verifiable = field is None or field in secrets or unsigned
    if asked and not verifiable:
        fault = Fault(
            "/enabled_webhook",
            f"Webhooks can't be verified without the setting {field!r}. Set it, have the "
            "subscription made, or set allow_unsigned.",
            "missing_secret",
        )
        raise SettingsInvalid("Webhooks can't be accepted yet.", errors=[fault])
    return verifiable if asked is None else asked


def without_shown(values: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out what stands for a secret that stays: `{"set": true, …}`."""
    kept: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, Mapping):
            if isinstance(value.get("set"), bool):
                continue
            kept[name] = without_shown(value)
        else:
            kept[name] = value
    return kept


def removed_by(change: Mapping[str, Any], paths: frozenset[str]) -> list[str]:
    """Return the secrets that a merge patch takes away."""
    gone = []
    for path in sorted(paths):
        place: Any = change
        *parents, last = path.split(".")
        for part in parents:
            place = place.get(part, {}) if isinstance(place, Mapping) else None
        if place is None or (isinstance(place, Mapping) and place.get(last, 0) in (None, "")):
            gone.append(path)
    return gone


def placed(settings: Mapping[str, Any], visible: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings with what is shown of secrets in their places."""
    whole = shapes.merged({}, settings)
    for path, value in visible.items():
        *parents, last = path.split(".")
        place = whole
        for part in parents:
            place = place.setdefault(part, {})
        place[last] = value
    return whole


def days_old(rows: Mapping[str, Secret], now: datetime) -> int | None:
    """Return the age of the oldest secret, in days."""
    return max(((now - row.set_at).days for row in rows.values()), default=None)
