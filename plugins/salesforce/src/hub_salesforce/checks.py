"""The lines of a connector's test, in the order in which people set it up."""

from typing import TYPE_CHECKING, Any

import hub
from hub import Check
from hub_salesforce.auth.refusals import SUNSET
from hub_salesforce.limits import WARN_AT
from hub_salesforce.pubsub import subscribable
from hub_salesforce.settings import Auth
from hub_salesforce.sobjects import Objects

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from hub_salesforce.client import SalesforceClient

_OLDEST = 31.0
_APEX_EDITIONS = ("Enterprise", "Unlimited", "Developer", "Performance", "Base Edition")


def checks_of(objects: Objects) -> "tuple[Check[SalesforceClient], ...]":
    """Return the checks of a connector type on these objects."""
    return (*_of_access(), *_of_records(objects), *_of_ways())


def _of_access() -> "tuple[Check[SalesforceClient], ...]":
    return (
        Check(
            name="sign_in",
            label="Connection",
            run=signed_in,
            fix="Follow the words of the refusal. A new connected app, or a change of one, can "
            "take 2-10 minutes: then try again. (Guide, step 2)",
        ),
        Check(
            name="scopes",
            label="Scopes",
            run=scopes,
            fix="Connected app, OAuth scopes: 'Access and manage your data (api)'. (Guide, step 2)",
        ),
        Check(
            name="api_access",
            label="API access",
            run=api_access,
            fix="The edition needs API access (guide, Prerequisites), and the user's profile 'API "
            "Enabled' (step 2): the words say which of them is missing.",
        ),
        Check(
            name="sandbox",
            label="Production or sandbox",
            run=sandbox_agrees,
            fix="Change 'Use sandbox account'.",
        ),
        Check(
            name="api_version",
            label="API version",
            run=api_version,
            fix="Set an API version that the org offers.",
        ),
    )


def _of_records(objects: Objects) -> "tuple[Check[SalesforceClient], ...]":
    return (
        Check(
            name="objects",
            label="Objects",
            run=objects_usable,
            fix="Give the integration user Read, Create and Edit on the objects (profile or "
            "permission set). (Guide, step 2)",
        ),
        Check(
            name="fields",
            label="Fields",
            run=_fields_visible(objects),
            fix="Grant Read and Edit on these fields to the integration user: field-level "
            "security hides them. (Guide, step 2)",
        ),
        Check(
            name="key_field",
            label="Key field",
            run=key_field,
            fix="Add a Text(40) field with External ID and Unique to the object, and grant Edit. "
            "(Guide, step 3)",
        ),
        Check(
            name="comments",
            label="Comments",
            run=_comments(objects),
            fix="Give the integration user Create on comments of the object.",
        ),
    )


def _of_ways() -> "tuple[Check[SalesforceClient], ...]":
    return (
        Check(
            name="limit",
            label="API requests left",
            run=requests_left,
            fix="Poll less often, switch comment synchronisation off, or buy more requests.",
        ),
        Check(
            name="edition",
            label="Edition",
            run=edition,
            fix="Use polling: it needs no Apex.",
        ),
        Check(
            name="push",
            label="Push key",
            run=push_ready,
            fix="Set a push key, or leave changes to polling. (Guide, step 5)",
        ),
        Check(
            name="change_events",
            label="Change events",
            run=subscribable,
            fix="Setup, Change Data Capture: select the objects; give the integration user View "
            "All on them; install the extra hub-salesforce[pubsub].",
        ),
        Check(
            name="rest_resource",
            label="RestResource",
            run=rest_resource,
            fix="Install the Apex REST class, or clear the Salesforce RestResource URL.",
        ),
    )


async def signed_in(client: "SalesforceClient") -> str:
    """Say as whom and where the hub is signed in."""
    access = await client.session.access()
    row = await _organization(client)
    where = f"{row.get('Name')} ({row.get('InstanceName')})"
    who = client.settings.username or access.user_id
    note = f" - {SUNSET}" if client.settings.auth is Auth.PASSWORD else ""
    return f"Connection OK: signed in to {where} as {who}{note}"


async def scopes(client: "SalesforceClient") -> str:
    """Check that the token may use the API."""
    scope = (await client.session.access()).scope.split()
    if scope and not {"api", "full"} & set(scope):
        raise hub.Rejected(f"the token has the scopes {', '.join(scope)}, but not api")
    return f"Scopes: {', '.join(scope)}" if scope else "The sign-in does not tell its scopes"


async def api_access(client: "SalesforceClient") -> str:
    """Check that the org answers API calls."""
    await client.get("/limits")
    return "The REST API answers"


async def sandbox_agrees(client: "SalesforceClient") -> str:
    """Check that the setting says what the org is."""
    row = await _organization(client)
    is_sandbox, said = bool(row.get("IsSandbox")), client.settings.sandbox
    kind = "a sandbox" if is_sandbox else "production"
    if is_sandbox != said and not client.settings.login_url:
        raise hub.Rejected(f"the org is {kind}, the setting says otherwise")
    ends = row.get("TrialExpirationDate")
    return f"The org is {kind}" + (f"; it is a trial that ends on {str(ends)[:10]}" if ends else "")


async def api_version(client: "SalesforceClient") -> str:
    """Check that the org offers the API version."""
    wanted = client.settings.api_version
    listed = (await client.send("GET", "/services/data")).data or ()
    offered = sorted({str(one["version"]) for one in listed}, key=float)
    if float(wanted) < _OLDEST:
        raise hub.Rejected(f"API version {wanted} is retired: use {_OLDEST} or later")
    if wanted not in offered:
        raise hub.Rejected(f"API version {wanted} is not offered; the newest is {offered[-1]}")
    return f"API version {wanted} of {offered[-1]}"


async def objects_usable(client: "SalesforceClient") -> str:
    """Check that each configured object can be read, made and changed."""
    problems = []
    for name in client.settings.objects:
        try:
            found = await client.describe(name)
        except hub.Gone:
            problems.append(f"{name} is not there, or the user cannot see it")
            continue
        lacking = [
            word
            for word, able in (
                ("queryable", found.queryable),
                ("createable", found.createable),
                ("updateable", found.updateable),
            )
            if not able
        ]
        problems += [f"{name} is not {' and not '.join(lacking)}"] if lacking else []
    if problems:
        raise hub.Rejected("; ".join(problems))
    return f"{', '.join(client.settings.objects)}: readable and writable"


async def key_field(client: "SalesforceClient") -> str:
    """Check that the key field makes creates happen once."""
    name, found = client.settings.hub_key_field, []
    for api_name in client.settings.objects:
        info = (await client.describe(api_name)).field(name) if name else None
        if info and not (info.external_id and info.unique and info.createable):
            raise hub.Rejected(f"{api_name}.{name} is not an External ID, unique and writable")
        if info:
            found.append(api_name)
    if not found:
        return "No key field: before a create is repeated the hub searches for the record"
    return f"{name} is there on {', '.join(found)}"


async def requests_left(client: "SalesforceClient") -> str:
    """Say how many of the day's requests are left; fails from 80 % used."""
    daily = (await client.get("/limits"))["DailyApiRequests"]
    most, left = int(daily["Max"]), int(daily["Remaining"])
    words = f"{left} of {most} requests left in 24 hours"
    if most and (most - left) / most >= WARN_AT:
        raise hub.Rejected(f"only {words}; other integrations of the org use them too")
    return words


async def edition(client: "SalesforceClient") -> str:
    """Say whether Apex pushes can be installed in this edition."""
    kind = str((await _organization(client)).get("OrganizationType"))
    if kind.startswith(_APEX_EDITIONS):
        return f"{kind}: Apex pushes and polling are possible"
    return f"{kind}: no Apex triggers of your own, changes are read by polling"


async def push_ready(client: "SalesforceClient") -> str:
    """Say which ways changes come."""
    polling = client.settings.poll_enabled
    if client.settings.push_secrets:
        return "Pushes are accepted" + (", polling fills what they lose" if polling else "")
    if not polling:
        raise hub.Rejected("polling is off and there is no push key: no change would be seen")
    return "No push key is set: changes are read by polling"


async def rest_resource(client: "SalesforceClient") -> str:
    """Check that the Apex REST class answers, if one is configured."""
    path = client.settings.rest_resource_url
    if not path:
        return "No Apex REST class is set"
    try:
        await client.send("GET", f"/services/apexrest/{path}")
    except hub.Gone as error:
        raise hub.Rejected(f"there is no Apex REST class at {path}") from error
    except hub.Rejected:
        return f"{path} is there"
    return f"{path} answers"


def _fields_visible(objects: Objects) -> "Callable[[SalesforceClient], Awaitable[str]]":
    async def run(client: "SalesforceClient") -> str:
        hidden = []
        for name in client.settings.objects:
            describe = await client.describe(name)
            for one in objects.of(name).fields:
                info = (
                    describe.field(one.api_name)
                    if one.api_name and "." not in one.api_name
                    else None
                )
                if one.writable and (info is None or not info.updateable):
                    hidden.append(f"{name}.{one.api_name}")
        if hidden:
            raise hub.Rejected(f"the user cannot see or write {', '.join(hidden)}")
        return "All fields of the declared objects are visible and writable"

    return run


def _comments(objects: Objects) -> "Callable[[SalesforceClient], Awaitable[str]]":
    async def run(client: "SalesforceClient") -> str:
        shapes = [n for name in client.settings.objects for n in objects.of(name).notes]
        refused = [n.api_name for n in shapes if not (await client.describe(n.api_name)).createable]
        if refused:
            raise hub.Rejected(f"the user cannot create {', '.join(refused)}")
        written = ", ".join(one.api_name for one in shapes)
        return (
            f"{written} can be written" if shapes else "The objects have no comments of their own"
        )

    return run


async def _organization(client: "SalesforceClient") -> Any:  # noqa: ANN401 - a row
    rows = await client.query_page(
        "SELECT Id, Name, IsSandbox, InstanceName, OrganizationType, TrialExpirationDate "
        "FROM Organization LIMIT 1"
    )
    if not rows:
        raise hub.Rejected("the user cannot read the Organization row")
    return rows[0]
