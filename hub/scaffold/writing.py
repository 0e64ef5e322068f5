"""Writing a new plugin from the files beside this module."""

import hashlib
import hmac
import json
import re
from collections.abc import Iterator, Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from string import Template
from typing import Any

from hub._version import __version__

_NAME = re.compile(r"[a-z][a-z0-9_]*")
_ENDING = ".template"
SECRET = "s3cret-value"  # noqa: S105 - made up, for the tests that are written
_TAKEN = frozenset({"hub", "im", "chat", "mail", "pagerduty", "salesforce", "remedyforce"})


class ScaffoldRefused(Exception):
    """The plugin can't be written like this; the message says what to do."""


def write_plugin(name: str, folder: Path) -> tuple[Path, ...]:
    """Write the distribution `hub-NAME` as a new folder in `folder`; return its files.

    ScaffoldRefused when the name can't be one or the folder is there already.
    """
    _refuse_bad_name(name)
    root = folder / f"hub-{name.replace('_', '-')}"
    if root.exists():
        raise ScaffoldRefused(f"{root} is there already. Choose another name or folder.")
    written = [_write(root / path, text) for path, text in _texts(name)]
    written += [_write(root / path, text) for path, text in _payloads(name)]
    return tuple(written)


def _refuse_bad_name(name: str) -> None:
    if not _NAME.fullmatch(name) or len(name) > 40:
        raise ScaffoldRefused(
            f"{name!r} can't be a plugin's name. Take the vendor's, in lower-case letters, "
            "digits and underscores: zendesk."
        )
    if name in _TAKEN:
        raise ScaffoldRefused(f"The name {name!r} is taken. Choose another one.")


def _write(file: Path, text: str) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    return file


def _texts(name: str) -> Iterator[tuple[str, str]]:
    words = {
        "name": name,
        "NAME": name.upper(),
        "Label": name.replace("_", " ").title(),
        "Class": name.title().replace("_", ""),
        "dashed": name.replace("_", "-"),
        "version": __version__,
        "secret": SECRET,
    }
    for path, text in _templates(files("hub.scaffold") / "files", ""):
        yield path.replace("hub_name", f"hub_{name}"), Template(text).substitute(words)


def _templates(folder: Traversable, path: str) -> Iterator[tuple[str, str]]:
    for one in sorted(folder.iterdir(), key=lambda found: found.name):
        if one.is_dir():
            yield from _templates(one, f"{path}{one.name}/")
        elif one.name.endswith(_ENDING):
            yield path + one.name.removesuffix(_ENDING), one.read_text(encoding="utf-8")


def _payloads(name: str) -> Iterator[tuple[str, str]]:
    for verb, before, status in (("created", {}, "new"), ("updated", {"status": "new"}, "open")):
        yield f"tests/payloads/ticket_{verb}.json", _payload(name, verb, before, status)


def _payload(name: str, verb: str, before: Mapping[str, str], status: str) -> str:
    ticket = {"id": "1", "number": 1001, "subject": "Printer on fire", "status": status}
    sent = {"id": f"evt-{verb}", "type": f"ticket.{verb}", "at": "2025-03-01T09:30:00Z"}
    body = json.dumps(sent | {"ticket": ticket, "changed": before})
    signature = hmac.new(SECRET.encode(), body.encode(), hashlib.sha256).hexdigest()
    shown: dict[str, Any] = {
        "note": "Made up. Replace it with a delivery that the vendor documents or sent.",
        "headers": {"X-Signature": signature, "X-Delivery": f"dlv-{verb}"},
        "body": body,
        "events": [_event(name, verb, before, ticket)],
    }
    return json.dumps(shown, indent=2) + "\n"


def _event(
    name: str, verb: str, before: Mapping[str, str], ticket: Mapping[str, Any]
) -> dict[str, Any]:
    return {
        "trigger": f"{name}.ticket.{verb}",
        "key": f"evt-{verb}",
        "occurred_at": "2025-03-01T09:30:00Z",
        "before": dict(before),
        "record": {
            "source_object": f"{name}.ticket",
            "id": ticket["id"],
            "human_id": f"#{ticket['number']}",
            "values": {"subject": ticket["subject"], "status": ticket["status"]},
        },
    }
