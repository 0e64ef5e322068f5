"""Rulesets over the API: create, edit, publish, roll back, order, copy, delete."""

import asyncio

import pytest

from tests.api.rules_world import add_connectors, api, rule

CASE = "salesforce.case"


@pytest.fixture
async def hub(database, tenant):
    await add_connectors(database, tenant)
    async with api(database, tenant) as client:
        yield client


async def create(hub, *rules, name="Cases page"):
    answer = await hub.post("/rulesets", json={"name": name, "rules": list(rules)})
    assert answer.status_code == 201, answer.text
    return answer.json()


async def publish(hub, ruleset, **how):
    answer = await hub.post(f"/rulesets/{ruleset}/draft:publish", json=how)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def edit(hub, ruleset, *rules, match=None, who="ana"):
    draft = await hub.get(f"/rulesets/{ruleset}/draft")
    headers = {"If-Match": match or draft.headers["etag"], "As": who}
    return await hub.put(f"/rulesets/{ruleset}/draft", json={"rules": rules}, headers=headers)


async def test_a_new_ruleset_is_disabled_and_enabling_it_is_an_act_of_its_own(hub):
    made = await create(hub, rule())

    assert (made["state"], made["active_version"], made["draft_rules"]) == ("disabled", None, 1)

    at_once = await hub.patch(
        f"/rulesets/{made['id']}", json={"state": "enabled"}, headers={"If-Match": made["etag"]}
    )
    assert (at_once.status_code, at_once.json()["type"]) == (409, "/problems/conflict")

    await publish(hub, made["id"])
    shown = await hub.get(f"/rulesets/{made['id']}")
    enabled = await hub.patch(
        f"/rulesets/{made['id']}",
        json={"state": "enabled"},
        headers={"If-Match": shown.headers["etag"]},
    )

    assert enabled.json()["state"] == "enabled"
    assert enabled.json()["writes_to"] == ["prod-pagerduty"]


async def test_a_ruleset_is_found_by_its_name(hub):
    made = await create(hub, rule())

    assert (await hub.get("/rulesets/Cases page")).json()["id"] == made["id"]
    assert (await hub.get("/rulesets/Nope")).status_code == 404


async def test_everything_that_is_wrong_is_told_at_once_with_pointers(hub):
    wrong = rule(
        "wrong",
        when={"all": [{"field": "salesforce.case.nope", "op": "is", "value": 1}]},
        then=[{"do": "pagerduty.nope", "connector": "elsewhere"}],
    )

    answer = await hub.post("/rulesets", json={"name": "x", "rules": [rule(), wrong]})

    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/ruleset-invalid")
    assert sorted((one["pointer"], one["code"]) for one in answer.json()["errors"]) == [
        ("/rules/1/then/0/connector", "connector.unknown"),
        ("/rules/1/then/0/do", "action.unknown"),
        ("/rules/1/when/all/0/field", "field.unknown"),
    ]
    assert (await hub.get("/rulesets")).json()["items"] == []


async def test_an_unfinished_draft_can_be_kept_but_not_published(hub):
    wrong = rule(then=[{"do": "pagerduty.nope", "connector": "prod-pagerduty"}])
    answer = await hub.post("/rulesets?unchecked=true", json={"name": "x", "rules": [wrong]})

    assert answer.status_code == 201
    refused = await hub.post("/rulesets/x/draft:publish", json={})
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (
        422,
        "/rules/0/then/0/do",
    )


async def test_checking_saves_nothing(hub):
    made = await create(hub, rule())
    never = {
        "all": [{"field": f"{CASE}.priority", "op": "is", "value": one} for one in ("P1", "P2")]
    }

    answer = await hub.post(
        f"/rulesets/{made['id']}/draft:check", json={"rules": [rule(when=never)]}
    )

    assert answer.status_code == 200
    checked = answer.json()
    assert (checked["publishable"], checked["problems"]) == (False, [])
    assert [one["code"] for one in checked["lint"]] == ["L103"]
    assert checked["words"][0]["words"] == (
        "When Case created and Priority is P1 and Priority is P2: Create an incident on a service "
        "in PagerDuty on prod-pagerduty, if there are no linked ones "
        "(service: PAPI001, title: {{ salesforce.case.subject }})"
    )
    draft = (await hub.get(f"/rulesets/{made['id']}/draft")).json()
    assert draft["rules"][0]["when"] == rule()["when"]


async def test_lint_errors_block_and_warnings_want_to_be_accepted(hub):
    never = {"all": [{"field": f"{CASE}.amount", "op": op, "value": 5} for op in ("gt", "lt")]}
    await create(hub, rule(when=never), name="never")
    await create(hub, rule(when={}), name="all")

    blocked = await hub.post("/rulesets/never/draft:publish", json={"accept_warnings": True})
    warned = await hub.post("/rulesets/all/draft:publish", json={})
    accepted = await hub.post("/rulesets/all/draft:publish", json={"accept_warnings": True})

    assert (blocked.status_code, blocked.json()["errors"][0]["code"]) == (409, "L103")
    assert (warned.status_code, warned.json()["errors"][0]["code"]) == (409, "L402")
    assert [one["code"] for one in accepted.json()["lint"]] == ["L402"]


@pytest.mark.covers("SF-037")
async def test_a_rule_without_an_action_is_refused(hub):
    answer = await hub.post("/rulesets", json={"name": "x", "rules": [rule(then=[])]})

    assert answer.json()["errors"][0]["pointer"] == "/rules/0/then"


async def test_versions_never_change_and_an_older_one_can_be_made_active(hub):
    made = await create(hub, rule("first"))
    ruleset = made["id"]
    first = await publish(hub, ruleset, note="the first")
    kept = (await hub.get(f"/rulesets/{ruleset}/versions/1")).json()
    await edit(hub, ruleset, {**kept["body"]["rules"][0], "name": "second"})
    second = await publish(hub, ruleset, note="the second")

    again = await hub.post(f"/rulesets/{ruleset}/draft:publish", json={})
    back = await hub.post(f"/rulesets/{ruleset}/versions/1:activate", json={"note": "oops"})

    assert (first["version"], second["version"]) == (1, 2)
    assert again.status_code == 409
    assert (back.json()["version"], back.json()["is_active"]) == (1, True)
    assert (await hub.get(f"/rulesets/{ruleset}")).json()["active_version"] == 1
    listed = (await hub.get(f"/rulesets/{ruleset}/versions?limit=1")).json()
    assert [one["version"] for one in listed["items"]] == [2]
    rest = (await hub.get(f"/rulesets/{ruleset}/versions?cursor={listed['next']}")).json()
    assert [(one["version"], one["note"], one["published_by"]) for one in rest["items"]] == [
        (1, "the first", "ana")
    ]
    assert (await hub.get(f"/rulesets/{ruleset}/versions/1")).json()["body"] == kept["body"]


async def test_differences_are_told_in_words_and_in_json(hub):
    made = await create(hub, rule("one"), rule("two"))
    ruleset = made["id"]
    await publish(hub, ruleset, accept_warnings=True)
    rules = (await hub.get(f"/rulesets/{ruleset}/draft")).json()["rules"]
    changed = {
        **rules[0],
        "when": {"all": [{"field": f"{CASE}.priority", "op": "is", "value": "P1"}]},
    }
    await edit(hub, ruleset, changed)

    found = (await hub.get(f"/rulesets/{ruleset}/versions/1/diff?with=draft")).json()

    assert [one["kind"] for one in found["rules"]] == ["removed", "changed"]
    assert found["words"][0].startswith("- 2. two: When Case created and Priority is any of P1, P2")
    assert [one["pointer"] for one in found["rules"][1]["changes"]] == [
        "/when/all/0/op",
        "/when/all/0/value",
    ]
    assert (await hub.get(f"/rulesets/{ruleset}/draft/diff")).json()["words"] == found["words"]


async def test_of_two_who_edit_at_once_the_second_is_told_who_and_what(hub):
    made = await create(hub, rule("one"))
    ruleset = made["id"]
    shown = await hub.get(f"/rulesets/{ruleset}/draft")
    (first,) = shown.json()["rules"]
    theirs = {**first, "name": "theirs"}
    await edit(hub, ruleset, theirs, match=shown.headers["etag"], who="ben")

    mine = {**first, "after": "stop"}
    answer = await edit(hub, ruleset, mine, match=shown.headers["etag"])

    told = answer.json()
    assert (answer.status_code, told["type"]) == (409, "/problems/edited-meanwhile")
    assert told["detail"].startswith("ben changed it at ")
    assert told["theirs"]["rules"] == [theirs]
    assert told["theirs"]["edited_by"] == "ben"
    assert told["yours"]["rules"] == [mine]
    assert told["changes"][0].startswith("~ one: was “When")
    assert (await hub.get(f"/rulesets/{ruleset}/draft")).json()["rules"] == [theirs]
    again = await edit(hub, ruleset, mine, match=told["etag"])
    assert again.json()["rules"] == [mine]
    missing = await hub.put(f"/rulesets/{ruleset}/draft", json={"rules": []})
    assert missing.status_code == 428


async def test_of_many_who_save_at_the_same_moment_one_wins_and_the_others_get_both(hub):
    made = await create(hub, rule("one"))
    shown = await hub.get(f"/rulesets/{made['id']}/draft")
    (first,) = shown.json()["rules"]
    match = {"If-Match": shown.headers["etag"]}

    answers = await asyncio.gather(
        *(
            hub.put(
                f"/rulesets/{made['id']}/draft",
                json={"rules": [{**first, "note": str(number)}]},
                headers=match,
            )
            for number in range(6)
        )
    )

    (won,) = [one for one in answers if one.status_code == 200]
    lost = [one.json() for one in answers if one.status_code == 409]
    assert len(lost) == 5
    assert {one["theirs"]["rules"][0]["note"] for one in lost} == {won.json()["rules"][0]["note"]}
    assert len({one["yours"]["rules"][0]["note"] for one in lost}) == 5


async def test_a_single_rule_that_somebody_else_changed_is_not_overwritten(hub):
    made = await create(hub, rule("one"))
    draft = f"/rulesets/{made['id']}/draft"
    shown = await hub.get(draft)
    (first,) = shown.json()["rules"]
    await edit(hub, made["id"], {**first, "note": "theirs"}, who="ben")
    stale = {"If-Match": shown.headers["etag"]}
    one = f"{draft}/rules/{first['id']}"

    put = await hub.put(one, json={**first, "note": "mine"}, headers=stale)
    added = await hub.post(f"{draft}/rules", json=rule("two"), headers=stale)
    moved = await hub.post(f"{one}:move", json={"place": 1}, headers=stale)
    gone = await hub.delete(one, headers=stale)

    assert [each.status_code for each in (put, added, moved, gone)] == [409] * 4
    assert put.json()["changes"] == ["~ one: /note"]
    assert put.json()["yours"]["rules"][0]["note"] == "mine"
    assert added.json()["changes"][0].startswith("+ 2. two: When Case created")
    assert (moved.json()["yours"], gone.json()["changes"]) == (None, [])


async def test_of_two_who_switch_a_ruleset_the_second_gets_both_versions(hub):
    made = await create(hub, rule("one"))
    await publish(hub, made["id"])
    path = f"/rulesets/{made['id']}"
    shown = await hub.get(path)
    match = {"If-Match": shown.headers["etag"]}
    await hub.patch(path, json={"state": "enabled"}, headers=match | {"As": "ben"})

    answer = await hub.patch(path, json={"state": "shadow", "description": "try"}, headers=match)

    told = answer.json()
    assert (answer.status_code, told["theirs"]["state"]) == (409, "enabled")
    assert told["yours"] == {"state": "shadow", "description": "try"}
    assert told["changes"] == ["description: '' → 'try'", "state: 'enabled' → 'shadow'"]
    gone = await hub.delete(path, params={"name": "Cases page"}, headers=match)
    assert (gone.status_code, gone.json()["type"]) == (412, "/problems/changed-meanwhile")


async def test_dropping_the_draft_goes_back_to_the_active_version(hub):
    made = await create(hub, rule("one"))
    await publish(hub, made["id"])
    await edit(hub, made["id"], rule("other"))

    answer = await hub.delete(f"/rulesets/{made['id']}/draft", headers={"If-Match": "*"})

    assert answer.status_code == 204
    draft = (await hub.get(f"/rulesets/{made['id']}/draft")).json()
    assert ([one["name"] for one in draft["rules"]], draft["is_changed"]) == (["one"], False)


async def test_single_rules_are_added_changed_copied_moved_and_removed(hub):
    ruleset = (await create(hub, rule("one")))["id"]
    there = (await create(hub, rule("else"), name="there"))["id"]
    any_match = {"headers": {"If-Match": "*"}}
    rules = f"/rulesets/{ruleset}/draft/rules"

    two = (await hub.post(f"{rules}?place=1", json=rule("two"), **any_match)).json()
    copy = (await hub.post(f"{rules}/{two['id']}:duplicate", **any_match)).json()
    await hub.put(f"{rules}/{two['id']}", json={**two, "name": "zwei"}, **any_match)
    await hub.post(f"{rules}/{two['id']}:move", json={"place": 3}, **any_match)
    names = [one["name"] for one in (await hub.get(rules)).json()["items"]]
    await hub.post(f"{rules}/{copy['id']}:move", json={"ruleset": there}, **any_match)
    gone = await hub.delete(f"{rules}/{two['id']}", **any_match)

    assert copy["id"] != two["id"]
    assert names == ["two (copy)", "one", "zwei"]
    assert gone.status_code == 204
    assert [one["name"] for one in (await hub.get(rules)).json()["items"]] == ["one"]
    moved = (await hub.get(f"/rulesets/{there}/draft/rules")).json()["items"]
    assert [one["name"] for one in moved] == ["else", "two (copy)"]
    wrong = await hub.post(rules, json=rule(object="x.y"), **any_match)
    assert wrong.json()["errors"][0]["pointer"] == "/object"
    assert (await hub.get(f"{rules}/nope")).status_code == 404


async def test_rulesets_are_ordered_and_copied_and_deleted_by_name(hub):
    one = (await create(hub, rule(), name="one"))["id"]
    two = (await create(hub, rule(), name="two"))["id"]

    ordered = await hub.put("/rulesets/order", json={"ids": [two, one]})
    partly = await hub.put("/rulesets/order", json={"ids": [two]})
    copy = await hub.post(f"/rulesets/{one}:duplicate", json={"name": "three"})
    names = [one["name"] for one in (await hub.get("/rulesets")).json()["items"]]

    assert (ordered.status_code, partly.status_code, copy.status_code) == (204, 409, 201)
    assert names == ["two", "one", "three"]
    assert (copy.json()["state"], copy.json()["draft_rules"]) == ("disabled", 1)
    unnamed = await hub.delete(f"/rulesets/{one}", headers={"If-Match": "*"})
    assert unnamed.status_code == 422
    named = await hub.delete(f"/rulesets/{one}?name=one", headers={"If-Match": "*"})
    assert named.status_code == 204
    assert (await hub.get(f"/rulesets/{one}")).status_code == 404


async def test_names_are_unique_in_a_tenant(hub):
    await create(hub, rule(), name="one")

    again = await hub.post("/rulesets", json={"name": "one"})

    assert again.status_code == 409


async def test_who_may_only_read_changes_nothing(hub):
    made = await create(hub, rule())
    auditor = {"As": "auditor"}

    assert (await hub.get("/rulesets", headers=auditor)).status_code == 200
    for method, path in (
        ("POST", "/rulesets"),
        ("PATCH", f"/rulesets/{made['id']}"),
        ("DELETE", f"/rulesets/{made['id']}"),
        ("POST", f"/rulesets/{made['id']}/draft:publish"),
    ):
        answer = await hub.request(method, path, json={"name": "x"}, headers=auditor)
        assert answer.status_code == 403, (method, path)
