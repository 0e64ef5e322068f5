"""Service mappings and value maps over the API."""

import pytest

from hub.mappings.resolve import Resolver
from hub.sdk.events import Record
from hub.sdk.mappings import ServiceResolver
from tests.api.rules_world import CASE, add_connectors, api, by_name, catalog_of

PD = "prod-pagerduty"
API_ROW = {
    "connector": PD,
    "object": "salesforce.case",
    "field": "category",
    "value": "api",
    "service": "PAPI001",
    "service_name": "API",
}
DEFAULT = {"connector": PD, "default": True, "service": "PGEN001"}


@pytest.fixture
async def connectors(database, tenant):
    return await add_connectors(database, tenant)


@pytest.fixture
async def hub(database, tenant, connectors):
    async with api(database, tenant) as client:
        yield client


async def add(hub, **changes):
    return await hub.post("/service-mappings", json=API_ROW | changes)


@pytest.mark.covers("RF-095")
async def test_a_row_is_kept_as_it_was_sent(hub):
    made = await add(hub, name="API", inbound=True, extra={"queue": "x"})

    assert made.status_code == 201, made.text
    shown = (await hub.get(f"/service-mappings/{made.json()['id']}")).json()
    assert {name: shown[name] for name in API_ROW} == API_ROW
    assert (shown["name"], shown["outbound"], shown["inbound"]) == ("API", True, True)
    assert (shown["extra"], shown["created_by"]) == ({"queue": "x"}, "ana")


async def test_a_row_without_a_name_is_called_by_its_value(hub):
    assert (await add(hub)).json()["name"] == "api"


async def test_the_field_may_be_named_as_the_vendor_names_it(hub):
    by_vendor = await add(hub, field="Priority", value="P1")
    whole = await add(hub, field="salesforce.case.priority", value="P2")

    assert (by_vendor.json()["field"], whole.json()["field"]) == ("priority", "priority")


@pytest.mark.covers("RF-096", "RF-097")
async def test_object_and_field_may_be_named_by_the_vendors_api_names_and_are_shown_so(hub):
    made = (await add(hub, object="Case", field="Priority", value="P1")).json()
    other = (await add(hub, object="case", value="api")).json()

    assert (made["object"], made["class_api_name"]) == ("salesforce.case", "Case")
    assert (made["field"], made["field_api_name"]) == ("priority", "Priority")
    assert other["object"] == "salesforce.case"


@pytest.mark.parametrize(
    ("changes", "pointer", "said"),
    [
        ({"connector": "prod-pagerdut"}, "/connector", "Nearest: 'prod-pagerduty'"),
        ({"object": "salesforce.cas"}, "/object", "Nearest: 'salesforce.case'"),
        ({"field": "categori"}, "/field", "Nearest: 'category'"),
        ({"value": None}, "", "field and value are given together"),
        ({"object": None}, "", "needs an object"),
        ({"outbound": False}, "", "needs outbound, inbound or both"),
        ({"default": True}, "", "the default row has no object"),
        ({"service": ""}, "/service", "at least 1"),
        ({"nope": 1}, "/nope", "no member"),
    ],
)
async def test_what_is_wrong_with_a_row_is_told_where(hub, changes, pointer, said):
    answer = await add(hub, **changes)

    assert answer.status_code == 422
    (fault,) = answer.json()["errors"]
    assert fault["pointer"] == pointer
    assert said in fault["detail"]


async def test_nothing_is_mapped_twice(hub):
    await add(hub, inbound=True)
    await hub.post("/service-mappings", json=DEFAULT)

    again = await add(hub, value="API ", service="P2")
    inbound = await add(hub, value="other", inbound=True)
    beside = await add(hub, field="priority", value="P1", inbound=True)
    default = await hub.post("/service-mappings", json=DEFAULT | {"service": "P9"})

    assert again.json()["detail"] == "'API' is mapped already: row 'api' → PAPI001."
    assert "has an inbound row already" in inbound.json()["detail"]
    assert default.json()["detail"] == (
        "The default row is mapped already: row 'default' → PGEN001."
    )
    assert {again.status_code, inbound.status_code, default.status_code} == {409}
    assert beside.status_code == 201


async def test_a_row_is_changed_by_who_has_seen_it(hub):
    made = (await add(hub)).json()
    path = f"/service-mappings/{made['id']}"

    blind = await hub.patch(path, json={"service": "P2"})
    stale = await hub.patch(path, json={"service": "P2"}, headers={"If-Match": '"9"'})
    done = await hub.patch(
        path, json={"service": "P2", "inbound": True}, headers={"If-Match": made["etag"]}
    )
    cleared = await hub.patch(
        path, json={"field": None, "value": None}, headers={"If-Match": done.json()["etag"]}
    )

    assert (blind.status_code, stale.status_code) == (428, 409)
    assert stale.json()["changes"] == ["service: 'PAPI001' → 'P2'"]
    assert (stale.json()["theirs"]["service"], stale.json()["etag"]) == ("PAPI001", made["etag"])
    assert (done.json()["service"], done.json()["value"]) == ("P2", "api")
    assert (cleared.json()["field"], cleared.json()["value"]) == (None, None)
    gone = await hub.delete(path, headers={"If-Match": "*"})
    assert (gone.status_code, (await hub.get(path)).status_code) == (204, 404)


async def test_rows_are_listed_in_the_order_in_which_they_are_searched(hub):
    await hub.post("/service-mappings", json=DEFAULT)
    one = (await add(hub)).json()["id"]
    two = (await add(hub, value="db", service="PDB")).json()["id"]

    await hub.put("/service-mappings/order", json={"connector": PD, "ids": [two, one]})
    partly = await hub.put("/service-mappings/order", json={"connector": PD, "ids": [two]})

    listed = (await hub.get("/service-mappings?connector=prod-pagerduty")).json()
    assert [row["name"] for row in listed] == ["db", "api", "default"]
    assert partly.status_code == 409
    assert (await hub.get("/service-mappings?direction=inbound")).json() == []
    assert (await hub.get("/service-mappings?connector=nope")).status_code == 404


async def test_a_tried_value_says_which_row_wins_and_why(hub):
    await add(hub, inbound=True)
    await hub.post("/service-mappings", json=DEFAULT)

    async def tried(**asked):
        answer = await hub.post("/service-mappings/resolve", json={"connector": PD} | asked)
        return answer.json()

    hit = await tried(object="salesforce.case", values={"category": "API"})
    miss = await tried(object="salesforce.case", values={"category": "apy"})
    back = await tried(direction="inbound", service="PAPI001", object="salesforce.case")

    assert (hit["service"], hit["by"], hit["row_name"]) == ("PAPI001", "row", "api")
    assert (miss["service"], miss["by"], miss["nearest"]) == ("PGEN001", "default", "api")
    assert miss["steps"] == [
        "no row: category is 'apy', mapped are 'api'",
        "default row → PGEN001; nearest mapped value is 'api'",
    ]
    assert (back["fields"], back["by"]) == ({"category": "api"}, "row")


async def test_rows_go_out_and_come_in_as_csv_and_json(hub):
    await add(hub, name="=cmd", extra={"queue": "x"})
    await hub.post("/service-mappings", json=DEFAULT)

    as_csv = (await hub.get("/service-mappings/export?format=csv")).text
    as_json = (await hub.get("/service-mappings/export")).json()
    same_csv = await hub.post(
        "/service-mappings/import?plan=true", content=as_csv, headers={"Content-Type": "text/csv"}
    )
    same = await hub.post("/service-mappings/import", json=as_json)

    assert as_csv.splitlines()[0].startswith("connector,name,object,field,value,service")
    assert "'=cmd" in as_csv
    assert (same_csv.json()["unchanged"], same.json()["unchanged"]) == (2, 2)
    assert same.json()["changed"] == [], same.text


async def test_an_import_tells_its_plan_and_is_all_or_nothing(hub):
    await add(hub)
    changed = API_ROW | {"service": "PNEW"}
    added = API_ROW | {"value": "db", "service": "PDB"}
    wrong = API_ROW | {"value": "x", "field": "nope"}
    twice = API_ROW | {"value": "DB"}

    bad = await hub.post(
        "/service-mappings/import", json={"service_mappings": [changed, added, wrong, twice]}
    )
    body = {"service_mappings": [changed, added]}
    plan = await hub.post("/service-mappings/import?plan=true", json=body)
    before = (await hub.get("/service-mappings")).json()
    done = await hub.post("/service-mappings/import", json=body)
    again = await hub.post("/service-mappings/import", json=body)
    replaced = await hub.post(
        "/service-mappings/import", json={"mode": "replace", "service_mappings": [added]}
    )

    assert [one["pointer"] for one in bad.json()["errors"]] == [
        "/service_mappings/2/field",
        "/service_mappings/3",
    ]
    assert [row["service"] for row in before] == ["PAPI001"]
    assert plan.json()["changed"][0]["changes"] == {"service": ["PAPI001", "PNEW"]}
    assert (len(done.json()["added"]), done.json()["applied"]) == (1, True)
    assert again.json()["unchanged"] == 2
    assert [one["name"] for one in replaced.json()["removed"]] == ["api"]


async def test_pasted_cells_are_read_with_every_fault(hub):
    pasted = "connector\tobject\tfield\tvalue\tservice\toutbound\n" + "\n".join(
        [
            f"{PD}\tsalesforce.case\tcategory\tapi\tPAPI001\tyes",
            f"{PD}\tsalesforce.case\tcategory\tdb\t\tyes",
            f"{PD}\tsalesforce.case\tcategory\tweb\tPWEB\tperhaps",
        ]
    )

    answer = await hub.post(
        "/service-mappings/import", content=pasted, headers={"Content-Type": "text/csv"}
    )
    columns = await hub.post(
        "/service-mappings/import", content="a,b\n1,2", headers={"Content-Type": "text/csv"}
    )

    assert [one["pointer"] for one in answer.json()["errors"]] == [
        "/service_mappings/1/service",
        "/service_mappings/2",
    ]
    assert columns.json()["errors"][0]["detail"] == "unknown column 'a'"


# --------------------------------------------------------------------------- at run time


class Opened:
    settings = None
    client = "client"


class Clients:
    async def by_id(self, *_):
        return Opened()


async def test_a_plugin_s_resolver_goes_before_the_table(hub, database, tenant, connectors):
    await add(hub, inbound=True)

    async def outbound(client, record):
        return "PRES001" if record.values.get("category") == "special" else None

    async def inbound(client, service):
        return {"category": "special"} if service == "PRES001" else None

    own = ServiceResolver(
        name="salesforce.own", source_object=CASE.name, outbound=outbound, inbound=inbound
    )
    catalog = catalog_of()
    object.__setattr__(catalog, "resolvers", by_name(own))
    resolver = Resolver(database, catalog, Clients())
    pagerduty = connectors[PD]

    async def found(**values):
        record = Record(source_object=CASE.name, id="1", values=values)
        return await resolver.service(tenant.id, pagerduty, record, "outbound")

    async def back(service):
        incident = Record(source_object="pagerduty.incident", id="1", values={"service": service})
        return await resolver.service(tenant.id, pagerduty, incident, "inbound", target=CASE.name)

    assert (await found(category="special")).steps == ("resolver salesforce.own → PRES001",)
    table = await found(category="api")
    assert (table.service_id, table.by) == ("PAPI001", "row")
    assert table.steps[0] == "resolver salesforce.own: no answer"
    assert (await found(category="?")).by == "none"
    assert (await back("PRES001")).fields == {"category": "special"}
    assert (await back("PAPI001")).fields == {"category": "api"}
    dry = await resolver.from_table(
        tenant.id, pagerduty, Record(source_object=CASE.name, id="1", values={"category": "api"})
    )
    assert dry.steps[0] == "resolver salesforce.own: left out, a run asks it first"


async def test_one_tenant_s_rows_are_nothing_to_another(hub, database, other_tenant):
    made = (await add(hub)).json()
    async with api(database, other_tenant) as stranger:
        assert (await stranger.get(f"/service-mappings/{made['id']}")).status_code == 404
        assert (await stranger.get("/service-mappings")).json() == []
        assert (await stranger.get("/value-maps/x")).status_code == 404


# --------------------------------------------------------------------------- value maps

ROWS = [
    {"key": "SEV-1", "value": "high"},
    {"key": "SEV-2", "value": "high", "back": True},
    {"key": "SEV-3", "value": "low"},
]


async def test_a_value_map_goes_forth_and_back(hub):
    made = await hub.put("/value-maps/urgency", json={"label": "Urgency", "rows": ROWS})

    async def tried(**asked):
        return (await hub.post("/value-maps/urgency:try", json=asked)).json()

    assert made.status_code == 200, made.text
    assert await tried(value="SEV-1") == {"value": "high", "how": "row or default"}
    assert (await tried(value="high", back=True))["value"] == "SEV-2"
    assert (await tried(value="high", back=True, precise="SEV-1"))["value"] == "SEV-1"
    assert (await tried(value="SEV-9"))["how"] == "no row for 'SEV-9' in urgency"


async def test_a_value_map_is_replaced_whole_by_who_has_seen_it(hub):
    made = await hub.put("/value-maps/urgency", json={"rows": ROWS})

    blind = await hub.put("/value-maps/urgency", json={"rows": []})
    seen = await hub.put(
        "/value-maps/urgency",
        json={"on_missing": "default", "default_value": "low", "rows": ROWS[:1]},
        headers={"If-Match": made.json()["etag"]},
    )

    assert (blind.status_code, seen.status_code) == (428, 200)
    assert [row["key"] for row in seen.json()["rows"]] == ["SEV-1"]
    gone = await hub.delete("/value-maps/urgency", headers={"If-Match": "*"})
    assert gone.status_code == 204
    assert (await hub.get("/value-maps")).json() == []


async def test_what_is_wrong_with_a_value_map_is_told_at_once(hub):
    rows = [*ROWS, ROWS[0], {"key": "x", "value": "high", "back": True}]

    answer = await hub.put("/value-maps/urgency", json={"on_missing": "default", "rows": rows})
    name = await hub.put("/value-maps/Not a name", json={"rows": []})

    assert [one["pointer"] for one in answer.json()["errors"]] == [
        "/default_value",
        "/rows/3/key",
        "/rows/4/back",
    ]
    assert name.status_code == 422


async def test_value_maps_are_imported_all_or_nothing_and_the_same_twice(hub):
    body = {"value_maps": [{"name": "urgency", "rows": ROWS}, {"name": "other", "rows": []}]}
    bad = {"value_maps": [{"name": "ok", "rows": []}, {"name": "no", "rows": [*ROWS, ROWS[0]]}]}

    refused = await hub.post("/value-maps/import", json=bad)
    plan = await hub.post("/value-maps/import?plan=true", json=body)
    done = await hub.post("/value-maps/import", json=body)
    again = await hub.post("/value-maps/import", json=(await hub.get("/value-maps/export")).json())
    body["value_maps"][0]["rows"] = ROWS[1:]
    changed = await hub.post("/value-maps/import?plan=true", json=body)

    assert refused.json()["errors"][0]["pointer"] == "/value_maps/1/rows/3/key"
    assert plan.json()["added"] == done.json()["added"] == ["urgency", "other"]
    assert again.json()["unchanged"] == 2
    assert changed.json()["changed"] == {"urgency": ["- SEV-1 → high"]}
