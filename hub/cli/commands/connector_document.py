"""What a vendor's document holds beside settings: tables, mappings, and rules that it asks for."""

from collections.abc import Mapping
from typing import Any

from hub.cli.client import segment
from hub.cli.failure import Failed
from hub.cli.session import Session


def apply(session: Session, name: str, rest: Mapping[str, Any]) -> None:
    """Store it; what can't be stored is said with its reason, and keeps nothing else from it."""
    for table, rows in rest["value_maps"].items():
        body = {"rows": [{"key": key, "value": value} for key, value in rows.items()]}
        _try(session, f"Value map {table}", "PUT", f"value-maps/{segment(table)}", body)
    for row in rest["service_mappings"]:
        told = f"Service mapping {row.get('name', row['service'])} → {row['service']}"
        _try(session, told, "POST", "service-mappings", {**row, "connector": name})
    for template, params in rest["templates"].items():
        _instance(session, name, template, params)


def _instance(session: Session, name: str, template: str, params: Mapping[str, Any]) -> None:
    offered = {one["name"]: one for one in session.hub.pages("ruleset-templates", limit=1000)}
    if template not in offered:
        session.screen.warn(f"Template {template}: no plugin brings it.")
        return
    roles = _roles(session, name, offered[template]["roles"])
    missing = [f"{role} ({kind})" for role, kind in offered[template]["roles"].items()
               if role not in roles]  # fmt: skip
    if missing:
        session.screen.warn(
            f"Template {template}: add a connector for {', '.join(missing)}, then use it: "
            f"hub template use {template}"
        )
        return
    known = offered[template]["params"].get("properties") or {}
    body = {
        "roles": roles,
        "params": {key: value for key, value in params.items() if key in known},
        "enable": True,
    }
    path = f"ruleset-templates/{segment(template)}/instances"
    _try(session, f"Ruleset of {template}, enabled", "POST", path, body)


def _roles(session: Session, name: str, wanted: Mapping[str, str]) -> dict[str, str]:
    """Return who plays each role: this connector, else the only one of the role's type."""
    connectors = session.hub.pages("connectors", limit=1000)
    mine = next(one["type"] for one in connectors if one["name"] == name)
    found: dict[str, str] = {}
    for role, kind in wanted.items():
        able = [one["name"] for one in connectors if one["type"] == kind]
        if kind == mine:
            found[role] = name
        elif len(able) == 1:
            found[role] = able[0]
    return found


def _try(session: Session, what: str, method: str, path: str, body: Mapping[str, Any]) -> None:
    headers = {"If-Match": "*"} if method == "PUT" else {}
    try:
        session.hub.call(method, path, body=body, headers=headers)
    except Failed as failed:
        session.screen.warn(f"{what}: {failed}")
    else:
        session.screen.done(what)
