"""Recorded answers: the plugin reads them, and the simulator's have the same shape."""

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
from sf_steps import Steps

import hub
from hub import WebhookRequest
from hub_salesforce.auth import oauth, soap
from hub_salesforce.auth.refusals import refusal, remedy_for
from hub_salesforce.case import CASE, OBJECTS
from hub_salesforce.describe import read_describe
from hub_salesforce.errors import Ambiguous, Answer, Conflict, error_of, faults_of
from hub_salesforce.inbound.receiver import receiver_of
from hub_salesforce.testing import AGENT, FakeSalesforce

NOW = datetime(2026, 11, 20, tzinfo=UTC)
_COUNT = "/services/data/v60.0/query/?q=select count()"
ROOT = "http://127.0.0.1/services/data/v60.0"
_NOT_OURS = frozenset({"sObjectDescribeOption", "associateEntityType", "associateParentEntity"})
"""Members of newer describes that nothing reads."""


def judged(folder: Path) -> Steps:
    """Read all recordings below the folder of the vendor's data."""
    steps = Steps("recordings")
    _signing_in(steps, folder)
    _describes(steps, folder)
    _errors(steps, folder)
    _changes(steps, folder)
    asyncio.run(_shapes(steps, folder))
    return steps


def _json(file: Path) -> Any:
    return json.loads(file.read_text(encoding="utf-8"))


def _response(status: int, body: Any) -> httpx.Response:
    return httpx.Response(status, json=body, request=httpx.Request("POST", "http://x"))


def _signing_in(steps: Steps, folder: Path) -> None:
    good = [
        *sorted((folder / "restforce").glob("*auth_success_response.json")),
        folder / "restforce" / "refresh_success_response.json",
        *sorted((folder / "samples").glob("oauth_token_success_*.json")),
    ]
    for file in good:
        answer = _response(200, _json(file))
        steps.step(file.name, lambda a=answer: oauth._access(a), lambda a: a.token)
    for file in ("auth_error_response.json", "refresh_error_response.json"):
        answer = _response(400, _json(folder / "restforce" / file))
        steps.step(file, lambda a=answer: refusal(a, NOW), _refuses)
    for one in _json(folder / "samples" / "oauth_token_errors.json"):
        answer = _response(one["status"], one["body"])
        wanted = _refuses if one["body"]["error"] not in _LATER else _waits
        name = f"token error {one['body']}"
        steps.step(name, lambda a=answer: refusal(a, NOW), wanted)
    text = (folder / "xsoar-remedyforce" / "soap_login_response.xml").read_text(encoding="utf-8")
    steps.step("SOAP login", lambda: soap._access(text), lambda a: a.token and a.instance_url)
    fault = httpx.Response(500, text=(folder / "samples" / "soap_login_fault.xml").read_text())
    steps.step("SOAP fault", lambda: soap._fault(fault), _refuses)


_LATER = {"server_error", "rate_limit_exceeded"}


def _refuses(error: Any) -> bool:
    general = remedy_for("", "")
    return isinstance(error, hub.AuthenticationFailed) and general not in str(error)


def _waits(error: Any) -> bool:
    return isinstance(error, hub.Unavailable | hub.RateLimited)


def _describes(steps: Steps, folder: Path) -> None:
    for file in sorted(folder.glob("*/describe_*.json")):
        data = _json(file)
        steps.step(
            file.name,
            lambda d=data: read_describe(d, "", NOW),
            lambda found, d=data: len(found.fields) == len(d["fields"]),
        )
    case = read_describe(_json(folder / "cumulusci" / "describe_Case.json"), "", NOW)
    steps.step("Case requires nothing", lambda: case.required, lambda found: found == ())
    names = {one.api_name for one in CASE.fields if one.api_name and "." not in one.api_name}
    described = {one.name for one in case.fields}
    steps.step("declared fields exist", lambda: names - described, lambda missing: not missing)
    for one in CASE.fields:
        info = case.field(one.api_name)
        if info and one.api_name:
            steps.step(
                f"{one.key} is typed and writable as described",
                lambda i=info: (i.type, i.updateable),
                lambda found, o=one: found == (o.type, o.writable),
            )


_CLASSES: dict[str, type[Exception]] = {
    "INVALID_SESSION_ID": hub.AuthenticationFailed,
    "INVALID_AUTH_HEADER": hub.AuthenticationFailed,
    "API_DISABLED_FOR_ORG": hub.AuthenticationFailed,
    "UNABLE_TO_LOCK_ROW": hub.Unavailable,
    "SERVER_UNAVAILABLE": hub.Unavailable,
    "UNKNOWN_EXCEPTION": hub.OutcomeUnknown,
    "ENTITY_IS_DELETED": hub.Gone,
    "NOT_FOUND": hub.Gone,
    "GONE": hub.Gone,
}


def _errors(steps: Steps, folder: Path) -> None:
    for one in _json(folder / "samples" / "rest_errors.json"):
        answer = Answer(
            method="PATCH",
            path="/x",
            status=one["status"],
            headers={},
            data=one["body"],
            text=json.dumps(one["body"]),
        )
        wanted = _class_of(one)
        steps.step(
            f"error {one['body']}"[:80],
            lambda a=answer: error_of(a, faults_of(a.data), NOW),
            lambda found, w=wanted: isinstance(found, w),
        )
    for file in sorted((folder / "restforce").glob("*_error_response.json")):
        body = _json(file)
        if isinstance(body, list) and body and isinstance(body[0], dict):
            steps.step(file.name, lambda b=body: faults_of(b), lambda f: f[0].code and f[0].message)


def _class_of(one: Any) -> type[Exception]:
    if one["status"] in {300, 412}:
        return Ambiguous if one["status"] == 300 else Conflict
    error = one["body"][0]
    if error["errorCode"] == "REQUEST_LIMIT_EXCEEDED":
        return hub.QuotaExhausted if "Total" in error["message"] else hub.RateLimited
    return _CLASSES.get(error["errorCode"], hub.Rejected)


def _changes(steps: Steps, folder: Path) -> None:
    parse = receiver_of(OBJECTS).parse
    samples = folder / "samples"
    push = (samples / "apex_webhook_push.json").read_bytes()
    steps.step(
        "Apex push",
        lambda: parse(WebhookRequest(headers={}, body=push)),
        lambda e: e[0].before["status"] == "New",
    )
    maps = _json(samples / "apex_trigger_maps.json")
    body = json.dumps({"old": maps["oldMap"], "new": maps["newMap"]}).encode()
    steps.step(
        "trigger maps",
        lambda: parse(WebhookRequest(headers={}, body=body)),
        lambda e: e[0].record.values["status"] == "Escalated",
    )
    xml = (samples / "outbound_message_request.xml").read_bytes()
    steps.step(
        "Outbound Message",
        lambda: parse(WebhookRequest(headers={"content-type": "text/xml"}, body=xml)),
        lambda e: len(e) == 2,
    )
    ack = (samples / "outbound_message_ack_true.xml").read_text(encoding="utf-8")
    ours = receiver_of(OBJECTS).answer.decode()
    steps.step("Ack", lambda: ours, lambda a: "".join(a.split()) == "".join(ack.split()))


async def _shapes(steps: Steps, folder: Path) -> None:
    """Make the recorded situations in the simulator and compare the sets of keys."""
    org = FakeSalesforce()
    token = org.world.open_session(org.world.users[AGENT]).token
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app=org), headers=headers, base_url=ROOT
    ) as http:
        for name, ours, recorded in await _pairs(org, http, folder):
            difference = ours ^ recorded
            steps.step(name, lambda d=difference: sorted(d), lambda d: not d)


Pairs = list[tuple[str, set[str], set[str]]]


async def _pairs(org: FakeSalesforce, http: httpx.AsyncClient, folder: Path) -> Pairs:
    force, cumulus = folder / "restforce", folder / "cumulusci"

    async def ask(method: str, path: str, body: Any = None) -> Any:
        return (await http.request(method, ROOT + path, json=body)).json()

    described = await ask("GET", "/sobjects/Case/describe")
    recorded = _json(cumulus / "describe_Case.json")
    listed = await ask("GET", "/sobjects")
    everything = _json(cumulus / "sobjects_global_describe.json")
    made = await ask("POST", "/sobjects/Case", {"Subject": "a"})
    wrong = await ask("POST", "/sobjects/Case", {"foo": 1})
    org.world.page_sizes = (1, 1)
    page = await ask("GET", "/query?q=SELECT+Id,Name+FROM+User")
    span = "start=2026-11-01T00:00:00%2B00:00&end=2100-11-30T00:00:00%2B00:00"
    composite = await ask("POST", "/composite", {"compositeRequest": [
        {"method": "GET", "url": f"{_COUNT} from XYZZY", "referenceId": "a"},
    ]})  # fmt: skip
    collected = await ask(
        "POST", "/composite/sobjects", {"records": [{"attributes": {"type": "Case"}}]}
    )
    unknown = _json(cumulus / "composite_invalid_type.json")[0]["response"]["body"]
    row = _json(force / "sobject_query_paginated_first_page_response.json")
    return [
        ("describe", set(described), set(recorded)),
        ("field", _keys(described["fields"]), _keys(recorded["fields"])),
        ("child", _keys(described["childRelationships"]), _keys(recorded["childRelationships"])),
        ("record type", set(described["recordTypeInfos"][0]), set(recorded["recordTypeInfos"][0])),
        ("global describe", set(listed), set(everything)),
        (
            "listed object",
            _keys(listed["sobjects"]),
            _keys(everything["sobjects"]) - _NOT_OURS,
        ),
        ("create", set(made), set(_json(force / "sobject_create_success_response.json"))),
        ("write error", set(wrong[0]), set(_json(force / "sobject_write_error_response.json")[0])),
        ("query page", set(page), set(row)),
        ("row", set(page["records"][0]["attributes"]), set(row["records"][0]["attributes"])),
        (
            "updated",
            set(await ask("GET", f"/sobjects/Case/updated/?{span}")),
            set(_json(force / "sobject_get_updated_success_response.json")),
        ),
        (
            "deleted",
            set(await ask("GET", f"/sobjects/Case/deleted/?{span}")),
            set(_json(force / "sobject_get_deleted_success_response.json")),
        ),
        (
            "composite",
            set(composite["compositeResponse"][0]),
            set(unknown["compositeResponse"][1]),
        ),
        (
            "composite error",
            set(composite["compositeResponse"][0]["body"][0]),
            set(unknown["compositeResponse"][1]["body"][0]),
        ),
        ("collection", set(collected[0]), {"id", "success", "errors"}),
    ]  # fmt: skip


def _keys(rows: Any) -> set[str]:
    return {key for row in rows for key in row}
