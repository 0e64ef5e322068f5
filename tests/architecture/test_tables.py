"""Every table belongs to tenants, or is on a short list."""

import importlib
import pkgutil

import hub
from hub.db.base import Base

GLOBAL = {
    "tenants": "the tenants themselves",
    "users": "people may be members of several tenants",
    "sessions": "a person's, before a tenant is chosen",
    "shards": "buckets of all tenants' lanes",
    "workers": "processes serve all tenants",
    "hub_meta": "the installation's own facts",
}
TENANT_OPTIONAL = {
    "timers",
    "audit",
    "tokens",
    "request_keys",
}  # the hub's own, and what its operator does


def tables():
    for found in pkgutil.walk_packages(hub.__path__, "hub."):
        if found.name.endswith(".models"):
            importlib.import_module(found.name)
    return Base.metadata.tables


def test_every_table_is_a_tenants_or_listed():
    unowned = {name for name, table in tables().items() if "tenant_id" not in table.c}

    assert unowned == set(GLOBAL)


def test_the_tenant_is_never_empty_nor_dangling():
    loose = [
        name
        for name, table in tables().items()
        if "tenant_id" in table.c and name not in TENANT_OPTIONAL
        if table.c.tenant_id.nullable
    ]

    assert loose == []


def test_uniques_of_owned_tables_begin_with_the_tenant():
    """A unique that left the tenant out would let one tenant block another's name."""
    by_parent = {"poll_cursors", "rate_buckets", "check_results", "echoes", "note_links"}
    wrong = [
        f"{name}: {index.name}"
        for name, table in tables().items()
        if "tenant_id" in table.c and name not in by_parent | TENANT_OPTIONAL
        for index in table.indexes
        if index.unique and "tenant_id" not in {column.name for column in index.columns}
        and not {"connector_id", "correlation_id", "ruleset_id", "hash"}
        & {column.name for column in index.columns}
    ]  # fmt: skip

    assert wrong == []


def test_every_table_has_a_page():
    """Names are lower-case words in the plural, so that SQL reads like the glossary."""
    assert [name for name in tables() if name != name.lower()] == []
