"""Small plugins to plant faults in."""

from collections.abc import Callable
from importlib.metadata import EntryPoint
from types import ModuleType
from typing import Any

from pydantic import BaseModel, Field, SecretStr

import hub
from hub.sdk.hookspecs import hookimpl


class Settings(BaseModel):
    token: SecretStr = Field(title="Token", description="The API token")
    site: str = Field(default="", title="Site", description="Which site")


class Comment(BaseModel):
    text: str = Field(title="Text", description="What to say")


class Client:
    def __init__(self, settings: Settings, http: object) -> None:
        self.settings = settings
        self.http = http


async def comment(call: hub.ActionCall[Client, Comment]) -> hub.ActionResult:
    return hub.ActionResult(summary="Commented")


async def outbound(client: Client, record: hub.Record) -> str | None:
    return None


def connector_type(name: str = "acme", **changes: Any) -> hub.ConnectorType[Any, Any]:
    return hub.ConnectorType(
        **{"name": name, "label": name.title(), "settings": Settings, "connect": Client} | changes
    )


ACME = connector_type()
TICKET = ACME.source_object("ticket", "Acme ticket")


def plugin(**answers: Any) -> Any:
    """Make a plugin out of `connector_types=[…], fields=[…]` or whole hook functions."""
    hooks = {
        name if name.startswith("hub_") else f"hub_register_{name}": _hook(answer)
        for name, answer in answers.items()
    }
    module = ModuleType("planted")
    vars(module).update(hooks)
    return module


def _hook(answer: Any) -> Callable[..., Any]:
    if callable(answer) and not isinstance(answer, type):
        return hookimpl(answer)
    return hookimpl(lambda: answer)


def acme(**more: Any) -> Any:
    """Make a plugin in good order, with changes."""
    whole = {
        "connector_types": [ACME],
        "source_objects": [TICKET],
        "fields": [TICKET.field("subject", "Subject")],
        "triggers": [TICKET.trigger("created", "Ticket created")],
        "actions": [ACME.action("comment", "Comment", Comment, comment, target=TICKET)],
    }
    return plugin(**(whole | more))


class Planted(EntryPoint):
    """An entry point that hands out an object, or raises."""

    def load(self) -> Any:
        found = _PLANTED[self.value]
        if isinstance(found, BaseException):
            raise found
        return found


_PLANTED: dict[str, Any] = {}


def installed(**plugins: Any) -> list[EntryPoint]:
    """Return entry points, one for each plugin; an exception is raised at its import."""
    for name, one in plugins.items():
        _PLANTED[f"planted_{name}"] = one
    return [Planted(name=name, value=f"planted_{name}", group="hub") for name in plugins]
