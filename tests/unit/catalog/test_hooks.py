"""Each hook does what its page says: one test a hook, named after it."""

from typing import Any

import pytest

import hub
from hub.catalog import PluginState, load_plugins, notify
from hub.catalog.pages import hooks
from tests.unit.catalog.plants import ACME, TICKET, Comment, comment, installed, plugin
from tests.unit.catalog.test_consistency import OPERATOR, TEMPLATE, Vault, nothing, outbound


def load(**answers: Any) -> Any:
    whole = {"connector_types": [ACME], "source_objects": [TICKET]} | answers
    loaded = load_plugins([], entry_points=installed(acme=plugin(**whole)))
    assert loaded.report("acme").state is PluginState.LOADED, loaded.report("acme").reason
    return loaded


def test_hook_hub_register_connector_types():
    assert load().catalog.connector_types["acme"] is ACME


def test_hook_hub_register_source_objects():
    assert load().catalog.objects["acme.ticket"] is TICKET


def test_hook_hub_register_fields():
    field = TICKET.field("subject", "Subject")

    assert load(fields=[field]).catalog.fields["acme.ticket.subject"] is field


def test_hook_hub_register_triggers():
    trigger = TICKET.trigger("created", "Ticket created")

    assert load(triggers=[trigger]).catalog.triggers["acme.ticket.created"] is trigger


def test_hook_hub_register_actions():
    action = ACME.action("comment", "Comment", Comment, comment, target=TICKET)

    assert load(actions=[action]).catalog.actions["acme.comment"] is action


def test_hook_hub_register_operators():
    assert load(operators=[OPERATOR]).catalog.operators["acme.is_vip"] is OPERATOR


def test_hook_hub_register_filters():
    short = hub.Filter(name="acme.short", label="Short", apply=lambda value: value)

    assert load(filters=[short]).catalog.filters["acme.short"].apply("a") == "a"


def test_hook_hub_register_ruleset_templates():
    assert load(ruleset_templates=[TEMPLATE]).catalog.templates["acme.two_way"] is TEMPLATE


def test_hook_hub_register_service_resolvers():
    """The first that answers wins, so their order is kept."""
    resolvers = [
        hub.ServiceResolver(name=f"acme.{name}", source_object=TICKET.name, outbound=outbound)
        for name in ("zebra", "ape")
    ]

    catalog = load(service_resolvers=resolvers).catalog

    assert catalog.resolvers_of("acme.ticket") == tuple(resolvers)


async def test_hook_hub_register_secret_backends():
    catalog = load(secret_backends=[Vault("one"), Vault("two")]).catalog

    assert await catalog.secret_backends["two"].read("two:path") == "two:path"
    assert set(catalog.secret_backends) == {"one", "two"}


def test_hook_hub_delivery_settled():
    told = []
    loaded = load(hub_delivery_settled=lambda delivery: told.append(delivery.outcome))
    settled = hub.DeliverySettled(
        id="dlv_1", connector_type="acme", events=1, outcome="done", took=0.2
    )

    failed = notify(loaded.manager, "hub_delivery_settled", delivery=settled)

    assert (told, failed) == (["done"], ())


def test_hook_hub_run_settled():
    told = []
    loaded = load(hub_run_settled=lambda run: told.append(run.action))
    settled = hub.RunSettled(id="run_1", action="acme.comment", outcome="done", attempts=1, took=1)

    failed = notify(loaded.manager, "hub_run_settled", run=settled)

    assert (told, failed) == (["acme.comment"], ())


@pytest.mark.parametrize("name", [one for one in hooks() if one.startswith("hub_register_")])
def test_a_register_hook_that_raises_quarantines_only_its_plugin(name):
    loaded = load_plugins([], entry_points=installed(bad=plugin(**{name: nothing}), fine=plugin()))

    assert loaded.report("bad").hook == name
    assert loaded.report("fine").state is PluginState.LOADED
