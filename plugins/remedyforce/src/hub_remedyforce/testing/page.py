"""The page on which a person creates and edits incidents of the simulated org."""

from collections.abc import Awaitable, Callable, Mapping
from html import escape
from typing import Any
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from hub_remedyforce.names import (
    ACTION_API,
    CATEGORY_API,
    HISTORY_API,
    INCIDENT_API,
    STATUS_API,
    api,
)
from hub_salesforce.testing import AGENT, FakeSalesforce
from hub_salesforce.testing.answers import Refused
from hub_salesforce.testing.control import control as salesforce_control

_LOOKUPS = {
    "FKCategory__c": ("Category", CATEGORY_API),
    "FKStatus__c": ("Status", STATUS_API),
    "FKImpact__c": ("Impact", api("Impact__c")),
    "FKUrgency__c": ("Urgency", api("Urgency__c")),
}
_TEXTS = {
    "shortDescription__c": "Short Description",
    "incidentDescription__c": "Description",
    "incidentResolution__c": "Resolution",
}
_STYLE = (
    "body{font:15px/1.45 system-ui,sans-serif;max-width:64rem;margin:2rem auto;padding:0 1rem}"
    "table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.4rem .6rem;"
    "border-bottom:1px solid #ccc}form{display:grid;grid-template-columns:10rem 1fr;gap:.5rem;"
    "margin:1rem 0;max-width:40rem}button{grid-column:2;justify-self:start}.wrong{color:#a00}"
    ".note{border-left:3px solid #07c;padding-left:.8rem;margin:.6rem 0;white-space:pre-wrap}"
)


def control(org: FakeSalesforce) -> Callable[[Request], Awaitable[Response]]:
    """Return Salesforce's control API with a page of incidents in place of its page of Cases."""
    others = salesforce_control(org)

    async def answer(request: Request) -> Response:
        path = request.scope["path"].rstrip("/")
        if request.method == "GET" and path == "/_sim":
            return HTMLResponse(whole(org, request.query_params.get("incident", "")))
        if request.method == "GET" and path.startswith(f"/lightning/r/{INCIDENT_API}/"):
            return HTMLResponse(whole(org, path.split("/")[4]))
        if request.method == "POST" and path in {"/_sim/incidents", "/_sim/notes"}:
            form = dict(parse_qsl((await request.body()).decode(), keep_blank_values=True))
            return _saved(org, path, form)
        return await others(request)

    return answer


def whole(org: FakeSalesforce, id: str, wrong: str = "") -> str:
    """Return the page: all incidents, and the chosen one to edit, or a form for a new one."""
    incident = org.world.find(INCIDENT_API, id) if id else None
    rows = "".join(_line(row) for row in reversed(org.world.rows(INCIDENT_API)))
    heading = f"Incident {escape(incident['Name'])}" if incident else "New incident"
    return (
        "<!doctype html><html lang=en><meta charset=utf-8><title>Simulated Remedyforce</title>"
        f"<style>{_STYLE}</style><h1>Simulated Remedyforce: {escape(org.world.name)}</h1>"
        f"<p><small>Everything here is made up. You act as {AGENT}.</small></p>"
        f"<p class=wrong>{escape(wrong)}</p>"
        "<table><tr><th>Number<th>Short description<th>Category<th>Status<th>Priority"
        f"<th>PagerDuty</tr>{rows}</table><h2>{heading}</h2>{_form(org, incident)}"
        f"{_notes(org, incident) if incident else ''}</html>"
    )


def _saved(org: FakeSalesforce, path: str, form: Mapping[str, str]) -> Response:
    own = form.get("Id", "")
    try:
        own = _save(org, path, form, own)
    except Refused as no:
        said = "; ".join(str(one["message"]) for one in no.errors)
        return HTMLResponse(whole(org, own, said), 400)
    org.outgoing.start()
    return RedirectResponse(f"/_sim/?incident={own}", status_code=303)


def _save(org: FakeSalesforce, path: str, form: Mapping[str, str], own: str) -> str:
    if path == "/_sim/notes":
        action = next(one["Id"] for one in org.world.rows(ACTION_API) if one["Name"] == "Notes")
        note = {api("note__c"): form["note"], api("FKAction__c"): action}
        org.create(AGENT, HISTORY_API, **{api("FKIncident__c"): own, **note})
        return own
    given: dict[str, Any] = {
        api(name): form[name] or None for name in (*_LOOKUPS, *_TEXTS) if name in form
    }
    if own:
        org.update(AGENT, INCIDENT_API, own, **given)
        return own
    return org.create(AGENT, INCIDENT_API, **given)


def _line(row: Mapping[str, Any]) -> str:
    names = ("shortDescription__c", "Category_ID__c", "Status_ID__c", "Priority_ID__c")
    cells = [str(row.get(api(name)) or "") for name in names]
    cells.append(str(row.get("PagerDuty_Incident_Id__c") or ""))
    shown = "".join(f"<td>{escape(cell)}</td>" for cell in cells)
    return f'<tr><td><a href="/_sim/?incident={row["Id"]}">{row["Name"]}</a></td>{shown}</tr>'


def _form(org: FakeSalesforce, incident: Mapping[str, Any] | None) -> str:
    row = incident or {}
    hidden = f'<input type=hidden name=Id value="{row["Id"]}">' if row else ""
    texts = "".join(
        f"<label for={name}>{label}</label><textarea id={name} name={name} rows=2>"
        f"{escape(str(row.get(api(name)) or ''))}</textarea>"
        for name, label in _TEXTS.items()
    )
    lookups = "".join(
        f"<label for={name}>{label}</label>{_select(org, name, of, row.get(api(name)))}"
        for name, (label, of) in _LOOKUPS.items()
    )
    link = row.get("PagerDuty_Incident_URL__c")
    shown = f'<p><a href="{escape(str(link))}">PagerDuty incident</a></p>' if link else ""
    form = f"<form method=post action=/_sim/incidents>{hidden}{texts}{lookups}"
    return f"{shown}{form}<button>Save</button></form>"


def _select(org: FakeSalesforce, name: str, object: str, chosen: object) -> str:
    options = "".join(
        f'<option value="{row["Id"]}"{" selected" if row["Id"] == chosen else ""}>'
        f"{escape(str(row['Name']))}</option>"
        for row in org.world.rows(object)
    )
    return f"<select id={name} name={name}><option></option>{options}</select>"


def _notes(org: FakeSalesforce, incident: Mapping[str, Any]) -> str:
    own = [r for r in org.world.rows(HISTORY_API) if r[api("FKIncident__c")] == incident["Id"]]
    shown = "".join(
        f"<div class=note><small>{escape(str(row[api('actionId__c')]))}, {row['CreatedDate']}"
        f"</small><br>{escape(str(row[api('note__c')] or ''))}</div>"
        for row in own
    )
    return (
        f"<h3>History</h3>{shown}<form method=post action=/_sim/notes>"
        f'<input type=hidden name=Id value="{incident["Id"]}"><label for=note>Note</label>'
        "<textarea id=note name=note rows=3></textarea><button>Add note</button></form>"
    )
