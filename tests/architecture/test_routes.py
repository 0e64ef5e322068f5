"""Every endpoint names its permission in its signature."""

import importlib
import pkgutil
import re

import pytest
from fastapi import APIRouter
from fastapi.dependencies.models import Dependant as Signature  # codespell:ignore dependant
from fastapi.routing import APIRoute

import hub
from hub.http import actor

NAMED = (actor.Requires, actor.RequiresOperator, actor.RequiresSignIn, actor.RequiresNothing)


def routes() -> dict[str, APIRoute]:
    found = {}
    for module in pkgutil.walk_packages(hub.__path__, "hub."):
        if module.name.startswith(("hub.__main__", "hub.cli", "hub.testing", "hub.migrations")):
            continue
        for router in vars(importlib.import_module(module.name)).values():
            if isinstance(router, APIRouter):
                found |= {
                    f"{one.endpoint.__module__}.{one.endpoint.__name__} {min(one.methods)}": one
                    for one in router.routes
                    if isinstance(one, APIRoute)
                }
    return found


ROUTES = routes()


def permissions(signature: Signature) -> list[object]:
    own = [signature.call] if isinstance(signature.call, NAMED) else []
    return own + [one for inner in signature.dependencies for one in permissions(inner)]


def permissions_of(route: APIRoute) -> list[object]:
    return permissions(route.dependant)  # codespell:ignore dependant


@pytest.mark.parametrize("name", sorted(ROUTES))
def test_a_route_names_who_may(name):
    assert len(permissions_of(ROUTES[name])) >= 1


def test_operation_ids_are_stable_and_unique():
    ids = [one.operation_id or one.unique_id for one in ROUTES.values()]

    assert sorted(ids) == sorted(set(ids))


def test_writes_are_never_let_through_by_a_permission_to_read():
    loose = [
        name
        for name, route in ROUTES.items()
        if route.methods & {"PUT", "PATCH", "DELETE"}
        and all(
            isinstance(one, actor.Requires) and one.permission.value.endswith(":read")
            for one in permissions_of(route)
        )
    ]

    assert loose == []


def test_paths_are_plural_nouns_with_dashes():
    odd = [
        name
        for name in ROUTES
        for part in ROUTES[name].path.split("/")
        if part and not part.startswith("{")
        and not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*(:[a-z-]+)?|v1|\.well-known", part)
    ]  # fmt: skip

    assert odd == []
