"""The simulated org refuses what Salesforce refuses."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from hub_salesforce.testing import AGENT, FakeSalesforce, simulator
from hub_salesforce.testing.schema import field, field_of, picklist

ROOT = "http://127.0.0.1/services/data/v60.0"
Ask = Callable[..., Awaitable[httpx.Response]]


@pytest.fixture
def ask(http: httpx.AsyncClient, org: FakeSalesforce) -> Ask:
    """Ask the REST API as the agent: ask(method, path, json)."""
    token = org.world.open_session(org.world.users[AGENT]).token

    async def ask(method: str, path: str, json: Any = None, **headers: str) -> httpx.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        sent = {"Authorization": f"Bearer {token}", **named}
        url = path if path.startswith("http") else ROOT + path
        return await http.request(method, url, json=json, headers=sent)

    return ask


def query(text: str) -> str:
    return f"/query?{httpx.QueryParams({'q': text})}"


def code(answer: httpx.Response) -> str:
    return str(answer.json()[0]["errorCode"])


async def test_a_case_lives_from_creation_to_deletion(ask: Ask) -> None:
    made = await ask("POST", "/sobjects/Case", {"Subject": "a"})
    path = f"/sobjects/Case/{made.json()['id']}"
    read = await ask("GET", f"{path}?fields=Subject,Status")
    changed = await ask("PATCH", path, {"Status": "Closed"})
    also = await ask("POST", f"{path}?_HttpMethod=PATCH", {"Priority": "Low"})
    row = (await ask("GET", path)).json()
    gone = await ask("DELETE", path)
    twice = await ask("DELETE", path)

    assert made.status_code == 201
    assert made.headers["location"].endswith(path)
    assert read.json()["Status"] == "New"
    assert (changed.status_code, changed.content, also.status_code) == (204, b"", 204)
    assert (row["IsClosed"], row["Priority"], row["Reason"]) == (True, "Low", None)
    assert gone.status_code == 204
    assert (twice.status_code, code(twice)) == (404, "ENTITY_IS_DELETED")


REFUSED = {
    "unknown field": ({"Nothing": 1}, "INVALID_FIELD"),
    "read-only field": ({"IsClosed": True}, "INVALID_FIELD_FOR_INSERT_UPDATE"),
    "too long": ({"Subject": "x" * 256}, "STRING_TOO_LONG"),
    "bad date": ({"When__c": "soon"}, "JSON_PARSER_ERROR"),
    "time without zone": ({"When__c": "2026-11-20T09:00:00"}, "JSON_PARSER_ERROR"),
    "bad number": ({"Many__c": "many"}, "JSON_PARSER_ERROR"),
    "too big a number": ({"Many__c": 10**9}, "NUMBER_OUTSIDE_VALID_RANGE"),
    "bad e-mail": ({"SuppliedEmail": "nobody"}, "INVALID_EMAIL_ADDRESS"),
    "no id": ({"OwnerId": "me"}, "MALFORMED_ID"),
    "id of another object": ({"ContactId": "005xx0000000000AAA"}, "FIELD_INTEGRITY_EXCEPTION"),
    "missing record": ({"AccountId": "001xx0000000001AAA"}, "INVALID_CROSS_REFERENCE_KEY"),
    "restricted picklist": ({"Region__c": "Mars"}, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"),
    "id in the body": ({"Id": "500xx000000bqjZAAQ"}, "INVALID_FIELD"),
}


@pytest.mark.parametrize("case", REFUSED)
async def test_a_bad_value_is_refused_with_the_right_code(
    ask: Ask, org: FakeSalesforce, case: str
) -> None:
    org.world.add_field("Case", field("When__c", "When", "datetime"))
    org.world.add_field("Case", field("Many__c", "Many", "int", digits=6))
    region = picklist("Region__c", "Region", ("EU", "US"))
    org.world.add_field("Case", {**region, "restrictedPicklist": True})
    given, wanted = REFUSED[case]

    answer = await ask("POST", "/sobjects/Case", given)

    assert (answer.status_code, code(answer)) == (400, wanted)


async def test_unrestricted_picklists_take_anything(ask: Ask) -> None:
    assert (await ask("POST", "/sobjects/Case", {"Status": "Pondering"})).status_code == 201


async def test_an_owner_who_left_is_refused(ask: Ask, org: FakeSalesforce) -> None:
    gone = org.world.users["gone@acme.example"]

    answer = await ask("POST", "/sobjects/Case", {"OwnerId": gone.id})

    assert code(answer) == "INACTIVE_OWNER_OR_USER"
    assert gone.id[:15] in answer.text


async def test_a_comment_needs_its_case_and_counts_bytes(ask: Ask) -> None:
    alone = await ask("POST", "/sobjects/CaseComment", {"CommentBody": "a"})
    case = (await ask("POST", "/sobjects/Case", {})).json()["id"]
    long = await ask("POST", "/sobjects/CaseComment", {"ParentId": case, "CommentBody": "é" * 2001})
    made = await ask("POST", "/sobjects/CaseComment", {"ParentId": case, "CommentBody": "é" * 2000})
    edited = await ask("PATCH", f"/sobjects/CaseComment/{made.json()['id']}", {"CommentBody": "b"})

    assert code(alone) == "REQUIRED_FIELD_MISSING"
    assert code(long) == "STRING_TOO_LONG"
    assert made.status_code == 201
    assert code(edited) == "INVALID_FIELD_FOR_INSERT_UPDATE"


async def test_internal_comments_become_a_comment(ask: Ask, org: FakeSalesforce) -> None:
    case = (await ask("POST", "/sobjects/Case", {"Comments": "look here"})).json()["id"]

    (comment,) = org.world.rows("CaseComment")
    assert (comment["ParentId"], comment["CommentBody"]) == (case, "look here")


async def test_a_refused_save_leaves_everything_as_it_was(ask: Ask, org: FakeSalesforce) -> None:
    case = org.create(AGENT, "Case", Subject="a")
    org.world.automation.rules["Case"] = [lambda _new, old: ("no", []) if old else None]
    before = dict(org.record("Case", case))

    answer = await ask("PATCH", f"/sobjects/Case/{case}", {"Subject": "b"})

    assert code(answer) == "FIELD_CUSTOM_VALIDATION_EXCEPTION"
    assert before == org.record("Case", case)


async def test_changes_of_tracked_fields_are_in_the_history(ask: Ask, org: FakeSalesforce) -> None:
    case = org.create(AGENT, "Case", Subject="a")
    org.update(AGENT, "Case", case, Status="Working", Subject="b")

    found = await ask(
        "GET", query(f"SELECT Field, OldValue, NewValue FROM CaseHistory WHERE CaseId = '{case}'")
    )

    rows = [(r["Field"], r["OldValue"], r["NewValue"]) for r in found.json()["records"]]
    assert rows == [("Status", "New", "Working")]


async def test_rows_have_their_parents_and_children(ask: Ask, org: FakeSalesforce) -> None:
    account = org.create(AGENT, "Account", Name="Northwind")
    case = org.create(AGENT, "Case", Subject="a", AccountId=account)
    org.create(AGENT, "CaseComment", ParentId=case, CommentBody="c")
    text = (
        "SELECT Id, Account.Name, Contact.Name, (SELECT CommentBody FROM CaseComments), "
        f"(SELECT Id FROM Cases) FROM Case WHERE Id = '{case}'"
    )

    (row,) = (await ask("GET", query(text))).json()["records"]

    assert list(row) == ["attributes", "Id", "Account", "Contact", "CaseComments", "Cases"]
    assert row["Account"]["Name"] == "Northwind"
    assert row["Contact"] is None
    assert row["CaseComments"]["records"][0]["CommentBody"] == "c"
    assert row["Cases"] is None


COUNTS = {
    "Subject = 'LINE 3'": 1,
    "Subject LIKE 'line%'": 2,
    "Subject LIKE '%50\\%%'": 1,
    "Priority IN ('High', 'Low')": 2,
    "Priority NOT IN ('High')": 2,
    "Priority != 'High' AND IsClosed = false": 1,
    "Priority = 'High' OR (Priority = 'Low' AND IsClosed = true)": 2,
    "NOT Priority = 'High'": 2,
    "IsClosed = true AND (NOT Priority = 'High')": 1,
    "Reason = null": 3,
    "CreatedDate >= 2026-11-20T09:15:00Z": 3,
    "CreatedDate > 2026-11-20T10:15:00+01:00": 0,
    "CreatedDate = TODAY": 3,
    "CreatedDate = YESTERDAY": 0,
    "CreatedDate = LAST_N_DAYS:3": 3,
    "Owner.Name = 'Agent One'": 3,
    "Account.Name = null": 3,
}


@pytest.mark.parametrize("where", COUNTS)
async def test_conditions_select_what_they_say(ask: Ask, org: FakeSalesforce, where: str) -> None:
    org.world.records["Case"].clear()
    org.create(AGENT, "Case", Subject="Line 3", Priority="High")
    org.create(AGENT, "Case", Subject="Line 4 at 50%", Priority="Low", Status="Closed")
    org.create(AGENT, "Case", Subject="Other")

    found = await ask("GET", query(f"SELECT count() FROM Case WHERE {where}"))

    assert found.json() == {"totalSize": COUNTS[where], "done": True, "records": []}


REFUSED_QUERIES = {
    "SELECT Id FROM Nothing": ("INVALID_TYPE", "sObject type 'Nothing' is not supported"),
    "SELECT Foo FROM Case": ("INVALID_FIELD", "No such column 'Foo' on entity 'Case'"),
    "SELECT Id FROM Case WHERE CreatedDate > '2026-11-20T09:00:00Z'": (
        "INVALID_FIELD",
        "should not be enclosed in quotes",
    ),
    "SELECT Id FROM Case WHERE Subject = 3": ("INVALID_FIELD", "should be enclosed in quotes"),
    "SELECT Id FROM Case WHERE Subject = :x": ("MALFORMED_QUERY", "Bind variables"),
    "SELECT Id FROM Case;": ("MALFORMED_QUERY", "unexpected token: ';'"),
    "SELECT Id FORM Case": ("MALFORMED_QUERY", "unexpected token: 'FORM'"),
    "SELECT Id FROM Case WHERE Status = 'a' AND Type = 'b' OR Reason = 'c'": (
        "MALFORMED_QUERY",
        "unexpected token: 'OR'",
    ),
    "SELECT Id FROM Case WHERE Status = 'a' AND NOT Type = 'b'": (
        "MALFORMED_QUERY",
        "unexpected token: 'NOT'",
    ),
    "SELECT Id FROM Case WHERE Description = 'x'": ("INVALID_FIELD", "can not be filtered"),
    "SELECT Id FROM Case ORDER BY Description": ("INVALID_FIELD", "can not be sorted"),
    "SELECT Id FROM Case WHERE Id IN ()": ("MALFORMED_QUERY", "unexpected token: ')'"),
    "SELECT Id FROM Case WHERE OwnerId = 'me'": (
        "INVALID_QUERY_FILTER_OPERATOR",
        "invalid ID field: me",
    ),
    "SELECT Status FROM Case GROUP BY Status": (
        "MALFORMED_QUERY",
        "the simulator does not know GROUP",
    ),
    "SELECT FIELDS(ALL) FROM Case": ("MALFORMED_QUERY", "LIMIT of at most 200"),
    "SELECT Nobody.Name FROM Case": ("INVALID_FIELD", "Didn't understand relationship 'Nobody'"),
    "SELECT Id, (SELECT Id FROM Toys) FROM Case": (
        "INVALID_TYPE",
        "Didn't understand relationship 'Toys'",
    ),
    "SELECT Id FROM Case WHERE": ("MALFORMED_QUERY", "<EOF>"),
}


@pytest.mark.parametrize("text", REFUSED_QUERIES)
async def test_a_bad_query_is_refused_with_salesforces_words(
    ask: Ask, org: FakeSalesforce, text: str
) -> None:
    wanted, words = REFUSED_QUERIES[text]

    answer = await ask("GET", query(text))

    assert (answer.status_code, code(answer)) == (400, wanted)
    assert words in answer.json()[0]["message"]


async def test_pages_end_and_their_addresses_belong_to_their_user(
    ask: Ask, org: FakeSalesforce, http: httpx.AsyncClient
) -> None:
    org.world.page_sizes = (2, 2)
    first = (await ask("GET", query("SELECT Id FROM User"))).json()
    url = f"http://127.0.0.1{first['nextRecordsUrl']}"
    second = (await ask("GET", url)).json()
    other = org.world.open_session(org.world.users["agent.two@acme.example"]).token
    theirs = await http.get(url, headers={"Authorization": f"Bearer {other}"})

    assert (first["done"], first["totalSize"]) == (False, 4)
    assert second["done"]
    assert code(theirs) == "INVALID_QUERY_LOCATOR"


async def test_composite_refers_to_earlier_answers_and_undoes_all_together(
    ask: Ask, org: FakeSalesforce
) -> None:
    root = "/services/data/v60.0/sobjects"
    case = {"method": "POST", "url": f"{root}/Case", "referenceId": "c", "body": {"Subject": "a"}}
    note = {
        "method": "POST",
        "url": f"{root}/CaseComment",
        "referenceId": "n",
        "body": {"ParentId": "@{c.id}", "CommentBody": "x"},
    }
    bad = {
        "method": "PATCH",
        "url": f"{root}/Case/@{{c.id}}",
        "referenceId": "b",
        "body": {"IsClosed": True},
    }
    fine = await ask("POST", "/composite", {"allOrNone": True, "compositeRequest": [case, note]})
    before = len(org.world.rows("Case"))
    undone = await ask(
        "POST", "/composite", {"allOrNone": True, "compositeRequest": [case, note, bad]}
    )
    apart = await ask("POST", "/composite", {"allOrNone": False, "compositeRequest": [case, bad]})

    assert [p["httpStatusCode"] for p in fine.json()["compositeResponse"]] == [201, 201]
    assert undone.status_code == 200
    codes = [p["body"][0]["errorCode"] for p in undone.json()["compositeResponse"]]
    assert codes == ["PROCESSING_HALTED", "PROCESSING_HALTED", "INVALID_FIELD_FOR_INSERT_UPDATE"]
    assert [p["httpStatusCode"] for p in apart.json()["compositeResponse"]] == [201, 400]
    assert len(org.world.rows("Case")) == before + 1


async def test_pushes_of_an_undone_transaction_are_never_sent(
    ask: Ask, org: FakeSalesforce, pushing: None, hub_end: Any
) -> None:
    root = "/services/data/v60.0/sobjects"
    case = {"method": "POST", "url": f"{root}/Case", "referenceId": "c", "body": {}}
    bad = {"method": "POST", "url": f"{root}/Case", "referenceId": "b", "body": {"No": 1}}
    await ask("POST", "/composite", {"allOrNone": True, "compositeRequest": [case, bad]})
    await org.settled()

    assert hub_end.requests == []


async def test_collections_answer_row_by_row(ask: Ask, org: FakeSalesforce) -> None:
    good = {"attributes": {"type": "Case"}, "Subject": "a"}
    bad = {"attributes": {"type": "Case"}, "IsClosed": True}
    each = (await ask("POST", "/composite/sobjects", {"records": [good, bad]})).json()
    whole = (
        await ask("POST", "/composite/sobjects", {"allOrNone": True, "records": [good, bad]})
    ).json()
    keyed = {"attributes": {"type": "Case"}, "PagerDuty_Hub_Key__c": "k", "Subject": "u"}
    path = "/composite/sobjects/Case/PagerDuty_Hub_Key__c"
    made = (await ask("PATCH", path, {"records": [keyed]})).json()
    again = (await ask("PATCH", path, {"records": [keyed]})).json()

    assert [one["success"] for one in each] == [True, False]
    assert each[1]["errors"][0]["statusCode"] == "INVALID_FIELD_FOR_INSERT_UPDATE"
    assert [one["success"] for one in whole] == [False, False]
    assert (made[0]["created"], again[0]["created"]) == (True, False)


async def test_upsert_by_external_id_in_all_its_ways(ask: Ask, org: FakeSalesforce) -> None:
    path = "/sobjects/Case/PagerDuty_Hub_Key__c/k1"
    made = await ask("PATCH", path, {"Subject": "a"})
    changed = await ask("PATCH", path, {"Subject": "b"})
    old = await ask("PATCH", ROOT.replace("60.0", "45.0") + path, {"Subject": "c"})
    inside = await ask("PATCH", path, {"PagerDuty_Hub_Key__c": "k2"})
    only = await ask("PATCH", "/sobjects/Case/PagerDuty_Hub_Key__c/none?updateOnly=true", {})
    wrong = await ask("PATCH", "/sobjects/Case/Subject/a", {"Priority": "Low"})
    key = field_of(org.world.definitions["Case"], "PagerDuty_Hub_Key__c")
    assert key is not None
    key["unique"] = False
    org.create(AGENT, "Case", PagerDuty_Hub_Key__c="k1")
    several = await ask("PATCH", path, {"Subject": "d"})

    assert (made.status_code, made.json()["created"]) == (201, True)
    assert (changed.status_code, changed.json()["created"]) == (200, False)
    assert (old.status_code, old.content) == (204, b"")
    assert code(inside) == "INVALID_FIELD"
    assert (only.status_code, wrong.status_code) == (404, 404)
    assert several.status_code == 300
    assert len(several.json()) == 2


async def test_conditional_requests_are_by_whole_seconds(
    ask: Ask, org: FakeSalesforce, clock: Any
) -> None:
    case = org.create(AGENT, "Case", Subject="a")
    path = f"/sobjects/Case/{case}"
    now = (await ask("GET", path)).headers["last-modified"]
    same = await ask("GET", path, If_Modified_Since=now)
    clock.advance(2)
    org.update(AGENT, "Case", case, Subject="b")
    refused = await ask("PATCH", path, {"Subject": "c"}, If_Unmodified_Since=now)

    assert (same.status_code, same.content) == (304, b"")
    assert refused.status_code == 412


async def test_describe_says_not_modified(ask: Ask) -> None:
    first = await ask("GET", "/sobjects/Case/describe")
    again = await ask(
        "GET", "/sobjects/Case/describe", If_Modified_Since=first.headers["last-modified"]
    )

    assert first.headers["etag"]
    assert again.status_code == 304


@pytest.mark.parametrize(
    ("method", "url", "status", "wanted"),
    [
        ("GET", "http://127.0.0.1/services/data/v25.0/limits", 410, "GONE"),
        ("GET", "http://127.0.0.1/services/data/v99.0/limits", 404, "NOT_FOUND"),
        ("GET", "/nothing", 404, "NOT_FOUND"),
        ("DELETE", "/limits", 405, "METHOD_NOT_ALLOWED"),
        ("GET", "/sobjects/Nothing__c/describe", 404, "NOT_FOUND"),
        ("GET", "/sobjects/Case/short", 404, "NOT_FOUND"),
        ("GET", "/sobjects/Case/updated?start=x&end=y", 400, "INVALID_FIELD"),
    ],
)
async def test_wrong_addresses_are_refused(
    ask: Ask, method: str, url: str, status: int, wanted: str
) -> None:
    answer = await ask(method, url)

    assert (answer.status_code, code(answer)) == (status, wanted)


async def test_bodies_must_be_json_and_addresses_short(
    ask: Ask, http: httpx.AsyncClient, org: FakeSalesforce
) -> None:
    token = org.world.open_session(org.world.users[AGENT]).token
    headers = {"Authorization": f"Bearer {token}"}
    url = f"{ROOT}/sobjects/Case"
    text = await http.post(url, content=b"a=b", headers={**headers, "Content-Type": "text/plain"})
    broken = await http.post(
        url, content=b"{", headers={**headers, "Content-Type": "application/json"}
    )
    long = await ask("GET", query("SELECT Id FROM Case WHERE Subject = '" + "x" * 16400 + "'"))
    bad = await http.get(f"{ROOT}/limits", headers={"Authorization": "Nonsense"})

    assert (text.status_code, broken.status_code, code(broken)) == (415, 400, "JSON_PARSER_ERROR")
    assert (long.status_code, long.text[:4]) == (414, "<h1>")
    assert (bad.status_code, code(bad)) == (401, "INVALID_AUTH_HEADER")


async def test_updated_and_deleted_rows_are_listed(
    ask: Ask, org: FakeSalesforce, clock: Any
) -> None:
    clock.advance(60)
    kept = org.create(AGENT, "Case", Subject="kept")
    gone = org.create(AGENT, "Case", Subject="gone")
    org.act(AGENT, lambda t: t.delete("Case", gone))
    span = "?start=2026-11-20T09:15:30%2B00:00&end=2026-11-20T10:00:00%2B00:00"

    updated = (await ask("GET", f"/sobjects/Case/updated/{span}")).json()
    deleted = (await ask("GET", f"/sobjects/Case/deleted/{span}")).json()
    everything = await ask("GET", "/queryAll?q=SELECT+count()+FROM+Case")
    living = await ask("GET", "/query?q=SELECT+count()+FROM+Case")

    assert updated["ids"] == [kept]
    assert [one["id"] for one in deleted["deletedRecords"]] == [gone]
    assert everything.json()["totalSize"] == living.json()["totalSize"] + 1


async def test_deleting_a_case_deletes_its_comments(org: FakeSalesforce) -> None:
    case = org.create(AGENT, "Case", Subject="a")
    comment = org.create(AGENT, "CaseComment", ParentId=case, CommentBody="c")
    org.act(AGENT, lambda t: t.delete("Case", case))
    org.act(AGENT, lambda t: t.undelete("Case", case))

    assert org.record("CaseComment", comment)["IsDeleted"]
    assert not org.record("Case", case)["IsDeleted"]


async def test_signing_out_ends_all_sessions_of_the_user(
    ask: Ask, http: httpx.AsyncClient, org: FakeSalesforce
) -> None:
    mine = org.world.open_session(org.world.users[AGENT]).token
    await http.post("http://127.0.0.1/services/oauth2/revoke", data={"token": mine})

    assert org.world.sessions == {}


async def test_a_hidden_field_does_not_exist_for_its_user(ask: Ask, org: FakeSalesforce) -> None:
    org.world.users[AGENT].hidden.add(("Case", "Reason"))

    described = (await ask("GET", "/sobjects/Case/describe")).json()
    asked = await ask("GET", query("SELECT Reason FROM Case"))
    written = await ask("POST", "/sobjects/Case", {"Reason": "Breakdown"})

    assert "Reason" not in {one["name"] for one in described["fields"]}
    assert (code(asked), code(written)) == ("INVALID_FIELD", "INVALID_FIELD")


async def test_two_orgs_do_not_see_each_other(known: Any, clock: Any, org: FakeSalesforce) -> None:
    other = FakeSalesforce(now=clock, known=known)
    org.create(AGENT, "Case", Subject="only here")

    assert "only here" not in {row["Subject"] for row in other.world.rows("Case")}


async def test_requests_are_logged_without_secrets(
    http: httpx.AsyncClient, org: FakeSalesforce
) -> None:
    form = {
        "grant_type": "password",
        "username": "u",
        "password": "hush",
        "client_secret": "psst",
        "client_id": "x",
    }
    await http.post("http://127.0.0.1/services/oauth2/token", data=form)

    assert not {"hush", "psst"} & set(str(org.log.rows).replace("&", "=").split("="))


@pytest.fixture
async def control() -> Any:
    """The control API of a simulator as the sandbox serves it."""
    made = simulator()
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app=made.app), base_url="http://sim.test"
    ) as http:
        yield http
    await made.app.close()  # type: ignore[attr-defined]  # the app is a FakeSalesforce


async def test_a_person_creates_edits_and_comments_on_the_page(control: httpx.AsyncClient) -> None:
    made = await control.post("/_sim/cases", data={"Subject": "<b>Line 3</b>", "Priority": "High"})
    where = made.headers["location"]
    case = where.partition("=")[2]
    await control.post("/_sim/cases", data={"Id": case, "Status": "Closed"})
    await control.post("/_sim/comments", data={"ParentId": case, "CommentBody": "Thanks"})
    page = (await control.get(where)).text

    assert "&lt;b&gt;Line 3&lt;/b&gt;" in page
    assert "<option selected>Closed" in page
    assert "Thanks" in page
    assert "Not linked with a PagerDuty incident" in page


async def test_the_address_of_a_record_leads_to_its_page(control: httpx.AsyncClient) -> None:
    made = await control.post("/_sim/cases", data={"Subject": "a"})
    case = made.headers["location"].partition("=")[2]

    page = await control.get(f"/lightning/r/Case/{case}/view", follow_redirects=True)

    assert page.status_code == 200
    assert f'value="{case}"' in page.text


async def test_a_push_tells_the_address_at_which_the_org_is_served(
    ask: Ask, org: FakeSalesforce, pushing: None, hub_end: Any
) -> None:
    case = (await ask("POST", "/sobjects/Case", {"Subject": "a"})).json()["id"]
    await org.settled()

    assert hub_end.events[0].record.url == f"http://127.0.0.1/lightning/r/Case/{case}/view"


async def test_the_control_api_shows_and_changes_the_org(control: httpx.AsyncClient) -> None:
    session = (await control.post("/_sim/sessions", json={"username": AGENT})).json()
    headers = {"Authorization": f"Bearer {session['access_token']}"}
    url = f"{session['instance_url']}/services/data/v60.0/sobjects/Case"
    await control.post(
        "/_sim/faults", json={"effect": "lock", "method": "POST", "path": "Case", "times": 1}
    )
    locked = await control.post(url, json={"Subject": "a"}, headers=headers)
    made = await control.post(url, json={"Subject": "a"}, headers=headers)
    await control.post("/_sim/expire-sessions", json={})
    expired = await control.post(url, json={}, headers=headers)
    state = (await control.get("/_sim/state")).json()
    asked = (await control.get("/_sim/requests?since=1")).json()

    assert (locked.status_code, made.status_code, expired.status_code) == (400, 201, 401)
    assert made.json()["id"] in {row["Id"] for row in state["records"]["Case"]}
    assert [row["n"] for row in asked] == [2, 3]
    assert asked[0]["actor"] == AGENT


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/_sim/faults", {"effect": "nonsense"}),
        ("/_sim/sessions", {"username": "nobody"}),
        ("/_sim/switches", {"nonsense": True}),
        ("/_sim/apex-triggers", {"object": "Case"}),
    ],
)
async def test_a_wrong_request_to_the_control_api_is_told(
    control: httpx.AsyncClient, path: str, body: Any
) -> None:
    answer = await control.post(path, json=body)

    assert answer.status_code == 400
    assert answer.json()["error"]


async def test_a_reset_begins_anew(control: httpx.AsyncClient) -> None:
    await control.post("/_sim/cases", data={"Subject": "a"})
    await control.post("/_sim/reset")

    state = (await control.get("/_sim/state")).json()
    assert "a" not in {row.get("Subject") for row in state["records"]["Case"]}


async def test_limits_switches_and_the_clock_are_set_from_outside(
    control: httpx.AsyncClient,
) -> None:
    limits = await control.post("/_sim/limits", json={"daily": 10, "used": 10})
    switched = await control.post("/_sim/switches", json={"api": False})
    later = await control.post("/_sim/clock", json={"advance": 3600})
    hidden = await control.post(
        "/_sim/hidden-fields", json={"username": AGENT, "object": "Case", "field": "Reason"}
    )
    none = await control.get("/_sim/nothing")

    assert limits.json() == {"used": 10, "daily": 10}
    assert switched.json()["api"] is False
    assert later.json()["now"]
    assert (hidden.status_code, none.status_code) == (204, 404)


async def test_what_a_fresh_org_begins_with_is_no_news_to_a_connector_that_is_added_now() -> None:
    begun = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
    fresh = FakeSalesforce(now=lambda: begun, fresh=True)
    later = fresh.create(AGENT, "Case", Subject="new")

    seeded = [row for row in fresh.world.rows("Case") if row["Id"] != later]
    assert {row["SystemModstamp"] for row in seeded} == {"2026-03-01T08:58:00.000+0000"}
    assert fresh.record("Case", later)["CreatedDate"] == "2026-03-01T09:00:00.000+0000"
