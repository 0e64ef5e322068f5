"""Export, import and templates: whole rulesets, all or nothing, the same twice."""

from urllib.parse import quote

import jsonschema_rs
import pytest
import yaml
from fastapi import FastAPI
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from hub.http.openapi import describe
from hub.rulesets.documents import read_document, to_json, to_yaml
from hub.rulesets.endpoints import router
from hub.rulesets.schemas import RulesetDocument, RulesetsDocument
from hub.sdk.templates import RulesetTemplate
from hub.settings import HubSettings
from tests.api.rules_world import TEMPLATE, TwoWay, add_connectors, api, catalog_of, rule, two_way

CASE = "salesforce.case"
ANY = {"If-Match": "*"}


@pytest.fixture
async def hub(database, tenant):
    await add_connectors(database, tenant)
    async with api(database, tenant) as client:
        yield client


def document(*rulesets) -> dict:
    return {"format": 1, "rulesets": list(rulesets)}


def ruleset(name, *rules, **more) -> dict:
    return {"format": 1, "name": name, "rules": list(rules), **more}


async def take_in(hub, given_, **query):
    return await hub.post("/rulesets/import", json=given_, params=query)


async def test_a_plan_tells_and_changes_nothing(hub):
    answer = await take_in(hub, document(ruleset("cases", rule("one"))), plan=True)

    found = answer.json()
    assert (found["applied"], found["changes"]) == (False, 1)
    assert (found["rulesets"][0]["action"], len(found["rulesets"][0]["words"])) == ("create", 1)
    assert (await hub.get("/rulesets")).json()["items"] == []


async def test_importing_twice_changes_nothing_the_second_time(hub):
    given_ = document(ruleset("cases", rule("one"), rule("two", when={})), ruleset("empty"))

    first = await take_in(hub, given_)
    again = await take_in(hub, given_)

    assert first.json()["changes"] == 2, first.text
    assert again.json()["changes"] == 0, again.text
    shown = (await hub.get("/rulesets/cases")).json()
    assert (shown["state"], shown["active_version"], shown["has_draft"]) == ("disabled", 1, False)


async def test_what_is_exported_can_be_imported_and_changes_nothing(hub):
    await take_in(hub, document(ruleset("cases", rule("one"), rule("two", after="stop"))))

    as_json = (await hub.get("/rulesets/export")).json()
    as_yaml = (await hub.get("/rulesets/export?format=yaml")).text
    again = await take_in(hub, as_json)
    yaml_again = await hub.post(
        "/rulesets/import", content=as_yaml, headers={"Content-Type": "application/yaml"}
    )

    assert as_json == yaml.safe_load(as_yaml)
    assert again.json()["changes"] == 0, again.text
    assert yaml_again.json()["changes"] == 0, yaml_again.text


async def test_a_changed_rule_keeps_its_id_by_its_name(hub):
    await take_in(hub, document(ruleset("cases", rule("one"))))
    before = (await hub.get("/rulesets/cases/draft")).json()["rules"][0]["id"]

    answer = await take_in(hub, document(ruleset("cases", rule("one", after="stop"))))

    after = (await hub.get("/rulesets/cases/draft")).json()["rules"][0]
    assert (after["id"], after["after"]) == (before, "stop")
    assert answer.json()["rulesets"][0]["version"] == 2
    assert answer.json()["rulesets"][0]["words"] == ['~ one\n    /after: + "stop"']


async def test_nothing_is_applied_when_a_rule_is_wrong_and_all_faults_are_listed(hub):
    wrong = rule("wrong", then=[{"do": "pagerduty.nope", "connector": "prod-pagerduty"}])
    never = rule("never", when={
        "all": [{"field": f"{CASE}.priority", "op": "is", "value": v} for v in ("P1", "P2")]
    })  # fmt: skip
    given_ = document(
        ruleset("fine", rule("fine")), ruleset("bad", wrong), ruleset("odd", never), ruleset("bad")
    )

    answer = await take_in(hub, given_)

    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/ruleset-invalid")
    assert [(one["pointer"], one["code"]) for one in answer.json()["errors"]] == [
        ("/rulesets/1/rules/0/then/0/do", "action.unknown"),
        ("/rulesets/2/rules/0/when", "L103"),
        ("/rulesets/3/name", "ruleset.twice"),
    ]
    assert (await hub.get("/rulesets")).json()["items"] == []


async def test_states_are_taken_only_when_asked_for(hub):
    given_ = document(ruleset("cases", rule("one"), state="enabled"))

    await take_in(hub, given_)
    kept = (await hub.get("/rulesets/cases")).json()["state"]
    told = await take_in(hub, given_, states=True, plan=True)
    taken = await take_in(hub, given_, states=True)

    assert kept == "disabled"
    assert told.json()["rulesets"][0]["state"] == ["disabled", "enabled"]
    assert taken.json()["changes"] == 1
    assert (await hub.get("/rulesets/cases")).json()["state"] == "enabled"


async def test_a_copy_under_another_name_gets_rules_of_its_own(hub):
    await take_in(hub, document(ruleset("cases", rule("one"))))
    (exported,) = (await hub.get("/rulesets/export")).json()["rulesets"]
    copy = {**exported, "name": "copy"}
    del copy["id"]

    await take_in(hub, document(copy))
    again = await take_in(hub, document(copy))

    (one,) = (await hub.get("/rulesets/cases/draft")).json()["rules"]
    (other,) = (await hub.get("/rulesets/copy/draft")).json()["rules"]
    assert one["id"] != other["id"]
    assert again.json()["changes"] == 0


async def test_a_document_without_rules_takes_them_away(hub):
    await take_in(hub, document(ruleset("cases", rule("one"))))

    await take_in(hub, document(ruleset("cases")))

    shown = (await hub.get("/rulesets/cases")).json()
    assert (shown["active_version"], shown["rules"], shown["has_draft"]) == (2, 0, False)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("a: [1", "The body is not YAML"),
        ("x: &a [1]\ny: *a", "aliases"),
        ("rulesets: []\nrulesets: []", "there twice"),
        ("rulesets: 3", "can't be used"),
    ],
)
async def test_documents_that_can_t_be_read_are_refused(hub, body, reason):
    answer = await hub.post(
        "/rulesets/import", content=body, headers={"Content-Type": "application/yaml"}
    )

    assert answer.status_code in {400, 422}
    assert reason in answer.json()["detail"]


names = st.sampled_from(["one", "two", "three"])
rules = st.lists(
    st.builds(
        lambda name, priority, after, enabled: rule(
            name,
            after=after,
            enabled=enabled,
            when={"all": [{"field": f"{CASE}.priority", "op": "is", "value": priority}]},
        ),
        names,
        st.sampled_from(["P1", "P2", "P3"]),
        st.sampled_from(["continue", "stop"]),
        st.booleans(),
    ),
    max_size=4,
)
documents = st.lists(st.tuples(st.sampled_from("abc"), rules), max_size=3, unique_by=lambda d: d[0])


@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.lists(documents, min_size=1, max_size=3))
async def test_whatever_was_there_a_document_applied_twice_changes_nothing(sqlite_hub, given_):
    for one in given_:
        body = document(*(ruleset(name, *listed) for name, listed in one))
        first = await take_in(sqlite_hub, body)
        assert first.status_code == 200, first.text
        again = await take_in(sqlite_hub, body)
        planned = await take_in(sqlite_hub, body, plan=True)

        assert again.json()["changes"] == 0, (again.json(), body)
        assert planned.json()["changes"] == 0


@pytest.fixture
async def sqlite_hub(sqlite_database, tenant):
    await add_connectors(sqlite_database, tenant)
    async with api(sqlite_database, tenant) as client:
        yield client


scraps = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 2) | st.sampled_from(["", "P1", "{{", CASE, "all"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["all", "any", "field", "op", "value", "$field", "from", "do", "with"]),
            inner,
            max_size=3,
        )
    ),
    max_leaves=6,
)
members = st.sampled_from([*rule(), "id", "from", "run", "from_template", "position"])
broken = st.builds(
    lambda changes: {**rule("x"), **changes}, st.dictionaries(members, scraps, max_size=3)
)


@pytest.mark.slow
@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.lists(broken, min_size=1, max_size=2))
async def test_whatever_is_written_in_a_draft_nothing_breaks(sqlite_hub, given_):
    hub = sqlite_hub
    any_match = {"headers": {"If-Match": "*"}}
    await hub.post("/rulesets", json={"name": "x"})

    for answer in (
        await hub.get("/rulesets/%00"),
        await hub.post("/rulesets/x/draft/rules", json={**rule(), "note": "\x00"}, **any_match),
        await hub.post("/rulesets/x/draft:check", json={"rules": given_}),
        await hub.put("/rulesets/x/draft?unchecked=true", json={"rules": given_}, **any_match),
        await hub.get("/rulesets/x/draft"),
        await hub.get("/rulesets/x/draft/diff"),
        await hub.get("/rulesets"),
        await hub.post("/rulesets/x/draft/rules", json=given_[0], **any_match),
        await hub.post("/rulesets/x/draft:publish", json={"accept_warnings": True}),
        await take_in(hub, document(ruleset("x", *given_)), plan=True),
        await hub.get("/rulesets/export?draft=true&format=yaml"),
    ):
        assert answer.status_code < 500, answer.text


def described(path, method="get"):
    """The schemas of the operation's answer, by media type, as the description gives them."""
    app = FastAPI()
    app.include_router(router)
    description = describe(app)
    content = description["paths"][path][method]["responses"]["200"]["content"]
    shared = {"components": description["components"]}
    return {
        kind: jsonschema_rs.validator_for(told["schema"] | shared, validate_formats=True)
        for kind, told in content.items()
    }


ODD = ["", " ", "yes", "null", "1e3", "2024-01-01", "0x1F", "~", "- a", "a: b", "#", "'", '"',
       "\n x", "x \n\n", "\t", "\x07", "\x7f", "\x85", "\u2028", "\ufeff", "é", "e\u0301",
       "\u202e", "💥", "&a", "*a", "!!int", "{{", "%", "@", "`", "|", ">", "\\",
       "\r\n"]  # fmt: skip
texts = st.sampled_from(ODD) | st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=12
)
anything = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | texts
    | st.floats(allow_nan=False, allow_infinity=False, width=32),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)  # fmt: skip
any_rules = st.lists(st.dictionaries(texts, anything, max_size=4) | broken, max_size=3)
some_rulesets = st.dictionaries(
    texts.map(lambda text: text[:120]).filter(len), any_rules, min_size=1, max_size=3
)


@pytest.mark.slow
@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(some_rulesets, texts)
async def test_whatever_rulesets_hold_their_export_is_as_described(sqlite_hub, given_, text):
    hub = sqlite_hub
    schemas = described("/api/v1/tenants/{tenant}/rulesets/export")
    for one in (await hub.get("/rulesets")).json()["items"]:
        await hub.delete(f"/rulesets/{one['id']}?name={quote(one['name'], safe='')}", headers=ANY)
    for name, listed in given_.items():
        body = {"name": name, "rules": listed, "description": text}
        made = await hub.post("/rulesets?unchecked=true", json=body)
        assert made.status_code == 201, made.text

    as_json = await hub.get("/rulesets/export?draft=true")
    as_yaml = await hub.get("/rulesets/export?draft=true&format=yaml")
    one = await hub.get("/rulesets/export", params={"ruleset": [next(iter(given_))] * 2})

    assert as_json.headers["content-type"] == "application/json"
    schemas["application/json"].validate(as_json.json())
    schemas["application/json"].validate(one.json())
    assert as_yaml.headers["content-type"] == "application/yaml"
    schemas["application/yaml"].validate(yaml.safe_load(as_yaml.text))
    assert sorted(given_) == sorted(one["name"] for one in as_json.json()["rulesets"])
    assert len(one.json()["rulesets"]) == 1


@settings(max_examples=150, deadline=None)
@given(st.lists(st.dictionaries(texts, anything, max_size=4), max_size=3), texts)
@example([{"note": "a\x85\nb", "\u2029": "\r"}], "\x85")
def test_a_document_is_the_same_in_yaml_and_in_json(listed, text):
    one = RulesetDocument(name="x", description=text, rules=listed)
    whole = RulesetsDocument(rulesets=[one])

    as_yaml = to_yaml(whole).encode()

    assert read_document(as_yaml, "application/yaml") == whole
    assert read_document(to_json(whole).encode(), "application/json") == whole
    assert yaml.safe_load(as_yaml) == whole.model_dump(mode="json", exclude_none=True)


async def test_a_ruleset_and_a_tenant_hold_a_limited_number_of_rules(database, tenant):
    await add_connectors(database, tenant)
    few = HubSettings(rules={"max_in_tenant": 2})
    async with api(database, tenant, settings=few) as hub:
        many = [{**rule(), "name": str(number)} for number in range(1000)]
        await hub.post("/rulesets", json={"name": "many", "rules": many})
        first = (await hub.get("/rulesets/many/draft/rules")).json()["items"][0]["id"]

        added = await hub.post("/rulesets/many/draft/rules", json=rule(), headers=ANY)
        copied = await hub.post(f"/rulesets/many/draft/rules/{first}:duplicate", headers=ANY)
        published = await hub.post("/rulesets/many/draft:publish", json={"accept_warnings": True})
        await hub.post("/rulesets", json={"name": "two", "rules": [rule("a"), rule("b", when={})]})
        fits = await hub.post("/rulesets/two/draft:publish", json={"accept_warnings": True})

        assert {one.status_code for one in (added, copied, published)} == {422}
        for one in (added, copied, published):
            assert one.json()["errors"][0]["code"] == "limit.rules"
        assert fits.status_code == 200


# --------------------------------------------------------------------------- templates

ROLES = {"itsm": "prod-salesforce", "paging": "prod-pagerduty"}


async def instance(hub, **more):
    body = {"name": "two-way", "roles": ROLES, **more}
    return await hub.post("/ruleset-templates/salesforce.two_way/instances", json=body)


async def test_a_template_makes_ordinary_rules_that_remember_it(hub):
    listed = (await hub.get("/ruleset-templates")).json()["items"]

    made = await instance(hub, params={"threshold": "P1"})

    assert listed[0]["params"]["properties"]["threshold"]["default"] == "P2"
    assert made.status_code == 201, made.text
    shown = made.json()
    assert (shown["state"], shown["active_version"], shown["rules"]) == ("disabled", 1, 3)
    assert shown["template"]["params"]["threshold"] == "P1"
    rules_ = (await hub.get("/rulesets/two-way/draft")).json()["rules"]
    assert rules_[0]["from_template"] == {
        "template": "salesforce.two_way",
        "version": 1,
        "key": "create",
    }
    rows = (await hub.get("/value-maps/two_way_urgency")).json()["rows"]
    assert [one["key"] for one in rows if one["back"]] == ["P1", "P3"]


async def test_a_template_starts_enabled_only_when_asked_for(hub):
    assert (await instance(hub, enable=True)).json()["state"] == "enabled"


async def test_roles_and_parameters_are_checked_at_once(hub):
    wrong = await instance(hub, roles={"itsm": "prod-pagerduty", "boss": "x"})
    unknown = await instance(hub, params={"thresholt": "P1", "sync_notes": "maybe"})

    assert sorted(one["pointer"] for one in wrong.json()["errors"]) == [
        "/roles/boss",
        "/roles/itsm",
        "/roles/paging",
    ]
    assert unknown.json()["errors"][0]["pointer"] == "/params/sync_notes"
    assert (await hub.get("/rulesets")).json()["items"] == []


async def test_other_parameters_renew_unedited_rules_and_keep_edited_ones(hub):
    await instance(hub)
    draft = (await hub.get("/rulesets/two-way/draft")).json()["rules"]
    edited = {**draft[0], "name": "Mine", "when": {}}
    by_hand = rule("by hand")
    any_match = {"If-Match": "*"}
    await hub.put(
        "/rulesets/two-way/draft", json={"rules": [edited, *draft[1:], by_hand]}, headers=any_match
    )

    planned = await hub.post(
        "/rulesets/two-way:upgrade?plan=true", json={"params": {"auto_resolve": False}}
    )
    done = await hub.post(
        "/rulesets/two-way:upgrade", json={"params": {"auto_resolve": False}}, headers=any_match
    )
    after = (await hub.get("/rulesets/two-way/draft")).json()["rules"]
    forced = await hub.post(
        "/rulesets/two-way:upgrade", json={"overwrite": ["create"]}, headers=any_match
    )
    finally_ = (await hub.get("/rulesets/two-way/draft")).json()["rules"]

    assert planned.json()["words"] == done.json()["words"]
    assert [one["key"] for one in done.json()["edited"]] == ["create"]
    assert "Priority is at least P2" in done.json()["edited"][0]["template_words"]
    assert [one["name"] for one in after] == ["Mine", "Incident acknowledged", "by hand"]
    assert after[0]["from_template"]["edited"] is True
    assert forced.json()["edited"] == []
    assert finally_[0]["name"] == "Case pages"
    assert finally_[0]["id"] == draft[0]["id"]


async def test_a_newer_template_offers_its_difference_and_never_comes_by_itself(database, tenant):
    await add_connectors(database, tenant)
    async with api(database, tenant) as hub:
        await instance(hub)

    def newer(params, roles):
        made = two_way(params, roles)
        made[1]["name"] = "Incident acknowledged by somebody"
        return made

    second = RulesetTemplate(
        name=TEMPLATE.name,
        version=2,
        label=TEMPLATE.label,
        description=TEMPLATE.description,
        roles=TEMPLATE.roles,
        params=TwoWay,
        build=newer,
    )
    async with api(database, tenant, catalog=catalog_of(templates=(second,))) as hub:
        shown = (await hub.get("/rulesets/two-way")).json()
        offered = (await hub.get("/rulesets/two-way/template-diff")).json()

        assert (shown["template"]["version"], shown["template"]["newest"]) == (1, 2)
        assert len(offered["words"]) == 1
        assert offered["words"][0].startswith("~ Incident acknowledged by somebody")
        assert (await hub.get("/rulesets/two-way")).json()["has_draft"] is False
