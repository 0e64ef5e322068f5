"""The catalog tells what it has: JSON for programs, Markdown for people."""

import json

import hub
from hub.catalog import load_plugins
from hub.catalog.describe import describe, describe_report
from hub.catalog.pages import hooks, reference, signature_of, write_reference
from tests.unit.catalog.plants import ACME, TICKET, Comment, acme, connector_type, installed, plugin
from tests.unit.catalog.test_consistency import OPERATOR, QUERY, TEMPLATE, Vault, nothing, outbound

WHOLE = acme(
    connector_types=[
        connector_type(
            queries=(QUERY,),
            choices=(hub.ChoiceSource(name="services", fetch=nothing),),
            checks=(hub.Check(name="in", label="Signed in", run=nothing),),
        )
    ],
    fields=[
        TICKET.field("subject", "Subject | title", writable=True, required=True),
        TICKET.field("status", "Status", choices=("new", "solved"), writable=True),
        TICKET.field("service", "Service", choice_source="services"),
    ],
    operators=[OPERATOR],
    filters=[hub.Filter(name="acme.short", label="Short", apply=nothing)],
    ruleset_templates=[TEMPLATE],
    service_resolvers=[
        hub.ServiceResolver(name="acme.own", source_object=TICKET.name, outbound=outbound)
    ],
    secret_backends=[Vault("acme-vault")],
)
LOADED = load_plugins([], entry_points=installed(acme=WHOLE))
CATALOG = LOADED.catalog


def test_the_description_is_json_and_names_who_declared_it():
    found = json.loads(json.dumps(describe(CATALOG)))

    assert found["connector_types"][0]["plugin"] == "acme"
    assert found["connector_types"][0]["settings"]["properties"]["token"]["writeOnly"] is True
    assert [one["key"] for one in found["objects"][0]["fields"]] == ["subject", "status", "service"]
    assert found["actions"][0]["params"]["properties"]["text"]["title"] == "Text"
    assert found["operators"][0]["types"] == ["text"]
    assert found["secret_backends"] == [{"scheme": "acme-vault", "plugin": "acme"}]


def test_a_report_is_json():
    loaded = load_plugins([], entry_points=installed(bad=ImportError("no"), acme=WHOLE))

    bad = json.loads(json.dumps(describe_report(loaded.report("bad"))))

    assert bad["state"] == "quarantined"
    assert "ImportError: no" in bad["traceback"]


def test_look_ups_by_owner_object_and_type():
    assert [one.name for one in CATALOG.objects_of("acme")] == ["acme.ticket"]
    assert [one.name for one in CATALOG.actions_of("acme")] == ["acme.comment"]
    assert [one.name for one in CATALOG.triggers_of("acme.ticket")] == ["acme.ticket.created"]
    assert [one.name for one in CATALOG.operators_for(hub.FieldType.TEXT)] == ["acme.is_vip"]
    assert CATALOG.operators_for(hub.FieldType.DATE) == ()
    assert [one.name for one in CATALOG.resolvers_of("acme.ticket")] == ["acme.own"]
    assert [one.name for one in CATALOG.templates_for("acme")] == ["acme.two_way"]
    assert CATALOG.owner("fields", "acme.ticket.none") is None


def test_the_pages_have_an_entry_for_all_there_is():
    pages = reference(CATALOG)

    assert set(pages) == {"hookspecs.md", "sdk.md", "catalog.md", "plugins.md", "plugins/acme.md"}
    assert all(f"## {name}\n" in pages["hookspecs.md"] for name in hooks())
    assert all(
        f"## {name}\n" in pages["sdk.md"]
        for name in hub.__all__
        if name[0].isupper() and name not in {"Value", "Test"}
    )
    for name in (*CATALOG.objects, *CATALOG.fields, *CATALOG.triggers, *CATALOG.actions):
        assert f"`{name}`" in pages["catalog.md"]
    assert "Subject \\| title" in pages["catalog.md"]
    assert "live: `services`" in pages["catalog.md"]
    assert "Secret." in pages["plugins/acme.md"]
    assert "### Query `who`" in pages["plugins/acme.md"]
    assert "### Live lists" in pages["plugins/acme.md"]


def test_a_plugin_without_anything_has_no_page_of_its_own():
    loaded = load_plugins([], entry_points=installed(filters=plugin()))

    assert "None." in reference(loaded.catalog)["catalog.md"]
    assert not [one for one in reference(loaded.catalog) if one.startswith("plugins/")]


def test_there_are_twelve_hooks_with_their_signatures():
    assert len(hooks()) == 12
    assert signature_of(hooks()["hub_run_settled"]) == "hub_run_settled(run: RunSettled) -> None"


def test_pages_are_written_only_where_they_changed(tmp_path):
    first = write_reference(CATALOG, tmp_path)

    again = write_reference(CATALOG, tmp_path)

    assert (len(first), again) == (5, ())
    assert (tmp_path / "plugins" / "acme.md").read_text().startswith("<!-- Generated")


def test_the_catalog_cannot_be_changed():
    for member in (CATALOG.objects, CATALOG.declared_by, CATALOG.actions):
        assert not hasattr(member, "__setitem__")
    assert CATALOG.actions["acme.comment"].params is Comment
    assert CATALOG.connector_types["acme"].name == ACME.name
