"""A small plausible org: Acme, with an integration user, two agents, a queue and some Cases."""

from dataclasses import dataclass
from functools import cache, partial

from hub import clock
from hub_salesforce.keys import KeyPair, make_key_pair
from hub_salesforce.testing.saving import Saver, Transaction, save, stamped
from hub_salesforce.testing.standard import STATUSES, custom_case_fields, standard_objects
from hub_salesforce.testing.world import App, Row, User, World

INTEGRATION, AGENT, SECOND_AGENT = (
    "integration@acme.example",
    "agent@acme.example",
    "agent.two@acme.example",
)
CONSUMER_KEY = "3MVG9simulatedConsumerKey"
CONSUMER_SECRET = "simulated-consumer-secret"  # noqa: S105 - of the simulated app
REFRESH_TOKEN = "5Aep861simulatedRefreshToken"  # noqa: S105 - likewise
PUSH_KEY = "simulated-push-key"


@dataclass(frozen=True, kw_only=True)
class Credentials:
    """What a connector signs in to the simulated org with."""

    keys: KeyPair


@cache
def credentials() -> Credentials:
    """Return the key pair whose certificate the simulated app knows; one for each process."""
    return Credentials(keys=make_key_pair("PagerDuty", clock.now()))


def acme(known: Credentials, *, now: clock.Clock = clock.now, sandbox: bool = False) -> World:
    """Return the org as it is at the beginning."""
    world = World(name="Acme", sandbox=sandbox)
    world.use_clock(now)
    for definition in standard_objects():
        world.define(definition)
    for one in custom_case_fields():
        world.add_field("Case", one)
    _people(world)
    _setup(world)
    _app(world, known)
    _records(world)
    world.apex_rest["pagerdutyrf/pagerduty/webhook"] = []
    world.calls.clear()
    return world


def _people(world: World) -> None:
    rows = (
        (INTEGRATION, "Hub Integration", True),
        (AGENT, "Agent One", True),
        (SECOND_AGENT, "Agent Two", True),
        ("gone@acme.example", "Agent Gone", False),
    )
    for username, name, active in rows:
        world.users[username] = User(
            id=world.mint("005"), username=username, name=name, email=username, active=active
        )
    admin = world.users[INTEGRATION]
    for user in world.users.values():
        _insert(
            world,
            "User",
            admin,
            {
                "Id": user.id,
                "Username": user.username,
                "Name": user.name,
                "Email": user.email,
                "IsActive": user.active,
                "UserType": "Standard",
            },
        )


def _setup(world: World) -> None:
    admin = world.users[INTEGRATION]
    trial = world.trial_ends.isoformat() if world.trial_ends else None
    _insert(
        world,
        "Organization",
        admin,
        {
            "Id": world.id,
            "Name": world.name,
            "IsSandbox": world.sandbox,
            "InstanceName": world.instance,
            "OrganizationType": world.edition,
            "TrialExpirationDate": trial,
        },
    )
    queue = _insert(
        world,
        "Group",
        admin,
        {"Name": "Support Queue", "DeveloperName": "Support_Queue", "Type": "Queue"},
    )
    _insert(world, "QueueSobject", admin, {"QueueId": queue, "SobjectType": "Case"})
    for order, (name, closed) in enumerate(STATUSES, 1):
        _insert(
            world,
            "CaseStatus",
            admin,
            {
                "ApiName": name,
                "MasterLabel": name,
                "SortOrder": order,
                "IsDefault": name == "New",
                "IsClosed": closed,
            },
        )


def _app(world: World, known: Credentials) -> None:
    world.apps[CONSUMER_KEY] = App(
        consumer_key=CONSUMER_KEY,
        consumer_secret=CONSUMER_SECRET,
        certificates=[known.keys.certificate],
        run_as=INTEGRATION,
        refresh_tokens={REFRESH_TOKEN: INTEGRATION},
    )


def _records(world: World) -> None:
    agent = Saver(world=world, user=world.users[AGENT], context="seed")
    account = save(agent, lambda t: t.create("Account", {"Name": "Northwind Mills"}))
    contact = save(
        agent,
        lambda t: t.create(
            "Contact",
            {
                "AccountId": account,
                "FirstName": "Plant",
                "LastName": "Manager",
                "Email": "plant@northwind.example",
                "Phone": "+1 555 0100",
            },
        ),
    )
    for subject, priority in (("Label printer out of ink", "Low"), ("Slow login page", "Medium")):
        case: Row = {
            "Subject": subject,
            "Priority": priority,
            "Origin": "Web",
            "AccountId": account,
            "ContactId": contact,
        }
        save(agent, partial(_create_case, case))


def _create_case(case: Row, transaction: Transaction) -> str:
    return transaction.create("Case", case)


def _insert(world: World, object: str, user: User, values: Row) -> str:
    definition = world.definitions[object]
    row: Row = {one["name"]: None for one in definition["fields"]}
    row |= {one["name"]: False for one in definition["fields"] if one["type"] == "boolean"}
    row |= {"Id": world.mint(definition["keyPrefix"])} | values
    at = stamped(world)
    row |= {"CreatedDate": at, "LastModifiedDate": at, "SystemModstamp": at}
    row |= {"CreatedById": user.id, "LastModifiedById": user.id}
    world.records[object][row["Id"]] = row
    return str(row["Id"])
