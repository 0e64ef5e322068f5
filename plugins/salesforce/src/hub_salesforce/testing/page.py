"""The page on which a person creates and edits Cases of the simulated org."""

from collections.abc import Mapping
from html import escape
from typing import TYPE_CHECKING, Any

from hub_salesforce.testing.schema import field_of
from hub_salesforce.testing.seed import AGENT

if TYPE_CHECKING:
    from hub_salesforce.testing.app import FakeSalesforce

_SHOWN = ("CaseNumber", "Subject", "Status", "Priority", "PagerDuty_Incident_Id__c")
_EDITED = ("Subject", "Description", "Status", "Priority", "Type", "Origin")
_STYLE = (
    "body{font:15px/1.45 system-ui,sans-serif;max-width:64rem;margin:2rem auto;padding:0 1rem;"
    "color:#16325c}table{border-collapse:collapse;width:100%}th,td{text-align:left;"
    "padding:.4rem .6rem;border-bottom:1px solid #d8dde6}form{display:grid;"
    "grid-template-columns:10rem 1fr;gap:.5rem;margin:1rem 0;max-width:40rem}"
    "input,select,textarea{font:inherit;padding:.3rem}button{grid-column:2;font:inherit;"
    "padding:.4rem 1rem;justify-self:start}.note{border-left:3px solid #0070d2;"
    "padding-left:.8rem;margin:.6rem 0;white-space:pre-wrap}small{color:#54698d}"
)


def whole(org: "FakeSalesforce", id: str) -> str:
    """Return the page: all Cases, and the chosen one to edit, or a form for a new one."""
    case = org.world.find("Case", id) if id else None
    return (
        "<!doctype html><html lang=en><meta charset=utf-8><title>Simulated Salesforce</title>"
        f"<style>{_STYLE}</style><h1>Simulated Salesforce: {escape(org.world.name)}</h1>"
        f"<p><small>Everything here is made up. You act as {AGENT}.</small></p>"
        f"{_table(org)}{_form(org, case)}{_comments(org, case) if case else ''}</html>"
    )


def save_case(org: "FakeSalesforce", given: Mapping[str, str]) -> str:
    """Create or change a Case from the page's form; returns its id."""
    fields: dict[str, Any] = {name: given[name] or None for name in _EDITED if name in given}
    own = given.get("Id", "")
    if own:
        org.update(AGENT, "Case", own, **fields)
        return own
    return org.create(AGENT, "Case", **fields)


def save_comment(org: "FakeSalesforce", given: Mapping[str, str]) -> str:
    """Write a comment from the page's form; returns the Case's id."""
    parent = given["ParentId"]
    public = given.get("IsPublished") == "on"
    text = given["CommentBody"]
    org.create(AGENT, "CaseComment", ParentId=parent, CommentBody=text, IsPublished=public)
    return parent


def _table(org: "FakeSalesforce") -> str:
    head = "".join(f"<th>{escape(_label(org, name))}</th>" for name in _SHOWN)
    rows = "".join(_line(row) for row in reversed(org.world.rows("Case")) if not row["IsDeleted"])
    return f"<table><tr>{head}</tr>{rows}</table>"


def _line(row: Mapping[str, Any]) -> str:
    number = f'<a href="/_sim/?case={row["Id"]}">{escape(row["CaseNumber"])}</a>'
    cells = "".join(f"<td>{escape(str(row.get(name) or ''))}</td>" for name in _SHOWN[1:])
    return f"<tr><td>{number}</td>{cells}</tr>"


def _form(org: "FakeSalesforce", case: Mapping[str, Any] | None) -> str:
    heading = f"Case {escape(case['CaseNumber'])}" if case else "New Case"
    inputs = "".join(_input(org, name, (case or {}).get(name)) for name in _EDITED)
    hidden = f'<input type=hidden name=Id value="{case["Id"]}">' if case else ""
    link = _incident(case) if case else ""
    again = '<p><a href="/_sim/">New Case</a></p>' if case else ""
    return (
        f"<h2>{heading}</h2>{link}<form method=post action=/_sim/cases>{hidden}{inputs}"
        f"<button>Save</button></form>{again}"
    )


def _incident(case: Mapping[str, Any]) -> str:
    url = case.get("PagerDuty_Incident_URL__c")
    if not url:
        return "<p><small>Not linked with a PagerDuty incident.</small></p>"
    shown = escape(str(case.get("PagerDuty_Incident_Id__c") or url))
    return f'<p>PagerDuty incident <a href="{escape(str(url))}">{shown}</a></p>'


def _input(org: "FakeSalesforce", name: str, value: Any) -> str:  # noqa: ANN401 - field values
    info = field_of(org.world.definitions["Case"], name) or {}
    label = f'<label for="{name}">{escape(str(info.get("label", name)))}</label>'
    shown = escape(str(value or info.get("defaultValue") or ""))
    if info.get("picklistValues"):
        return label + _select(name, shown, [v["value"] for v in info["picklistValues"]])
    if info.get("type") == "textarea":
        return f"{label}<textarea id={name} name={name} rows=4>{shown}</textarea>"
    return f'{label}<input id={name} name={name} value="{shown}">'


def _select(name: str, chosen: str, values: list[str]) -> str:
    options = "".join(
        f"<option{' selected' if escape(v) == chosen else ''}>{escape(v)}</option>"
        for v in ["", *values]
    )
    return f"<select id={name} name={name}>{options}</select>"


def _comments(org: "FakeSalesforce", case: Mapping[str, Any]) -> str:
    rows = [r for r in org.world.rows("CaseComment") if r["ParentId"] == case["Id"]]
    shown = "".join(_comment(org, row) for row in rows) or "<p><small>No comments.</small></p>"
    return (
        f"<h3>Comments</h3>{shown}<form method=post action=/_sim/comments>"
        f'<input type=hidden name=ParentId value="{case["Id"]}">'
        "<label for=CommentBody>Comment</label>"
        "<textarea id=CommentBody name=CommentBody rows=3></textarea>"
        "<label for=IsPublished>Public</label>"
        "<input type=checkbox id=IsPublished name=IsPublished>"
        "<button>Add comment</button></form>"
    )


def _comment(org: "FakeSalesforce", row: Mapping[str, Any]) -> str:
    author = org.world.user_by_id(row["CreatedById"])
    who = escape(author.name if author else "")
    text = escape(row["CommentBody"])
    return f"<div class=note><small>{who}, {row['CreatedDate']}</small><br>{text}</div>"


def _label(org: "FakeSalesforce", name: str) -> str:
    info = field_of(org.world.definitions["Case"], name)
    return str(info["label"]) if info else name
