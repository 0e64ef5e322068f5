"""The reference page of roles, their permissions, and what each operation demands."""

from collections.abc import Iterator

from fastapi.routing import APIRoute

from hub.app import ROUTERS
from hub.auth.roles import BUILT_IN, DESCRIPTIONS
from hub.http.actor import Permission
from hub.http.openapi import permission_of

_MARKS = " <!-- covers: RF-109 -->"
_ABOUT = {
    "configuration": "connectors with their settings, checks, webhooks and logs",
    "links": "which incident belongs to which record",
    "rules": "rulesets, service mappings, value maps, object mappings",
    "operations": "deliveries, runs, holds: read them, replay, retry, release",
    "audit": "who changed what, and when",
    "members": "people, tokens and roles",
}


def page() -> Iterator[str]:
    """Yield the page's lines."""
    yield "# Roles and permissions"
    yield ""
    yield "A member of a tenant, and a token, has a role; a role is a set of permissions. The four"
    yield f"built-in roles are these; they can't be changed.{_MARKS}"
    yield ""
    yield from _roles()
    yield ""
    yield "A person who should set the hub up without being an administrator of the vendors'"
    yield "systems needs the role *administrator* here and nothing else. <!-- covers: RF-046 -->"
    yield "A role of a tenant's own takes the same words: the API's `roles` make and change it."
    yield ""
    yield "The *operator* of the hub stands outside tenants: only it makes tenants and sees the"
    yield "inbox of all. Nobody can hand out a permission that they do not have themselves. Secrets"
    yield "are never shown again, whatever the role."
    yield ""
    yield "## What each word is about"
    yield ""
    yield "| word | what |"
    yield "|---|---|"
    yield from (f"| `{word}` | {about} |" for word, about in _ABOUT.items())
    yield ""
    yield "## What each operation demands"
    yield ""
    yield "`operator`: the operator alone; `signed-in`: any valid credentials; `anyone`: none."
    yield ""
    yield "| operation | request | permission |"
    yield "|---|---|---|"
    yield from sorted(_operations())


def _roles() -> Iterator[str]:
    yield f"| permission | {' | '.join(BUILT_IN)} |"
    yield f"|---|{'---|' * len(BUILT_IN)}"
    for one in Permission:
        has = ("✓" if one in granted else "" for granted in BUILT_IN.values())
        yield f"| `{one.value}` | {' | '.join(has)} |"
    yield ""
    yield from (f"* *{name}*: {text}" for name, text in DESCRIPTIONS.items())


def _operations() -> Iterator[str]:
    for router in ROUTERS:
        for route in router.routes:
            if isinstance(route, APIRoute) and route.include_in_schema:
                name = route.operation_id or route.name
                for method in sorted(route.methods or ()):
                    yield f"| `{name}` | `{method} {route.path}` | `{permission_of(route)}` |"
