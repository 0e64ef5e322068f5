"""A connector's settings as its JSON Schema describes them: asked for, and shown."""

import json
import sys
from collections.abc import Iterator, Mapping
from typing import Any, Final

import typer

from hub.cli.failure import Failed, Status, Usage
from hub.cli.session import Session

_WORDS: Final = {
    "checked_at": "Last checked",
    "requests_last_minute": "Requests in the last minute",
    "rate_limit": "Requests allowed a minute",
    "rate_limit_used_percent": "Rate limit used",
    "quota_used_percent": "Quota used",
    "quota_held_back": "Held back for the quota",
    "oldest_secret_days": "Age of the oldest secret",
    "webhook_ok": "Webhook in order",
    "polls_every_s": "Polled every",
}


def connector_type(session: Session, type: str) -> dict[str, Any]:
    """Return what a connector type declares; Failed when there is no such type."""
    catalog = session.hub.get("/catalog")
    types = {one["name"]: one for one in catalog["connector_types"]}
    if type not in types:
        known = ", ".join(sorted(types)) or "none"
        raise Failed(
            f"There is no connector type {type!r}. Installed: {known}.",
            "hub plugins list shows what is installed, and what is in quarantine.",
            status=Status.NOT_FOUND,
        )
    found: dict[str, Any] = types[type]
    return found


def secrets(schema: Mapping[str, Any]) -> set[str]:
    """Return the names of the secret settings."""
    return {name for name, one in _members(schema) if _is_secret(one)}


def ask(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Ask for each setting that is not advanced; Enter takes the default or leaves it out."""
    if not sys.stdin.isatty():
        raise Usage(
            "The settings are missing.", "Give --set key=value or --config, or use a terminal."
        )
    answers: dict[str, Any] = {}
    for name, member in _members(schema):
        if not _hints(member).get("advanced"):
            answer = _ask(name, member, required=name in schema.get("required", ()))
            if answer not in ("", None):
                answers[name] = answer
    return answers


def shown(value: Any, session: Session) -> str:  # noqa: ANN401 - JSON
    """Return a setting's value as people read it; a secret by its ending, since when, by whom."""
    if isinstance(value, Mapping) and "set" in value:
        return _secret(value, session) if value["set"] else "not set"
    if isinstance(value, str):
        return value
    return "" if value is None else json.dumps(value, ensure_ascii=False)


def _secret(value: Mapping[str, Any], session: Session) -> str:
    words = ["set"]
    if value.get("reference"):
        words = [f"kept at {value['reference']}"]
    elif value.get("ending"):
        words.append(f"ends in {value['ending']}")
    if value.get("since"):
        words.append(f"since {session.moment(value['since'])}")
    if value.get("by"):
        words.append(f"by {value['by']}")
    return ", ".join(words)


def lines_of(health: Mapping[str, Any], session: Session) -> dict[str, object]:
    """Return a connector's health as `Name: value` lines."""
    return dict(
        _in_words(key, value, session)
        for key, value in health.items()
        if not isinstance(value, list | dict) and key not in ("state", "state_detail")
    )


def every(seconds: float | None) -> str:
    """Return a time between two events in words: 90 s, 5 min, 2 h."""
    if seconds is None:
        return "as its type says"
    for size, unit in ((3600, "h"), (60, "min")):
        if seconds >= size and seconds % size == 0:
            return f"{seconds / size:g} {unit}"
    return f"{seconds:g} s"


def _in_words(key: str, value: object, session: Session) -> tuple[str, object]:
    words = _WORDS.get(key, key.replace("_", " ").capitalize())
    if _is_time(key, value):
        return words, session.moment(str(value))
    if isinstance(value, int | float) and not isinstance(value, bool):
        if key.endswith("_every_s"):
            return words, every(value)
        if key.endswith("_percent"):
            return words, f"{value:g} %"
        if key.endswith("_days"):
            return words, f"{value:g} days"
    return words, value


def _ask(name: str, member: Mapping[str, Any], *, required: bool) -> Any:  # noqa: ANN401 - JSON
    title = member.get("title") or name
    if _is_secret(member):
        return typer.prompt(title, default=None if required else "", hide_input=True)
    default = member.get("default")
    choices = member.get("enum")
    offered = f" ({', '.join(map(str, choices))})" if choices else ""
    if default in (None, "") and not required:
        return typer.prompt(f"{title}{offered} (optional)", default="", show_default=False)
    return typer.prompt(f"{title}{offered}", default=_text(default) if default else None)


def _members(schema: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    yield from (schema.get("properties") or {}).items()


def _is_secret(member: Mapping[str, Any]) -> bool:
    variants = [member, *(member.get("anyOf") or ())]
    return any(one.get("format") == "password" or one.get("writeOnly") for one in variants)


def _hints(member: Mapping[str, Any]) -> Mapping[str, Any]:
    hints = member.get("x-hub")
    return hints if isinstance(hints, Mapping) else {}


def _text(default: object) -> str:
    return default if isinstance(default, str) else json.dumps(default)


def _is_time(key: str, value: object) -> bool:
    return isinstance(value, str) and (key.endswith("_at") or key.startswith("last_"))
