"""The demo account: small, plausible, and what the guides' examples name."""

from datetime import UTC, datetime

from hub_pagerduty.testing.lifecycle import Lifecycle
from hub_pagerduty.testing.model import (
    CustomField,
    Integration,
    Key,
    Named,
    Policy,
    Ref,
    Rule,
    Schedule,
    Service,
    Target,
    User,
    Workflow,
    World,
)

ACCOUNT_KEYS = ("your-api-key-here", "your-api-key", "new-api-key", "demo-key")
READ_ONLY_KEY = "read-only-key"
APP = ("demo-client", "demo-client-secret")
OPS, JOHN, JANE, LEAD = "PUSER01", "PUSER02", "PUSER03", "PUSER04"
_START = datetime(2025, 8, 23, 9, tzinfo=UTC)
_DAY = 24 * 3600
FIRST_NUMBER = 120

_USERS = (
    (OPS, "Operations", "ops@company.com", "admin"),
    (JOHN, "John Doe", "john.doe@company.com", "user"),
    (JANE, "Jane Smith", "jane.smith@company.com", "user"),
    (LEAD, "Team Lead", "team-lead@company.com", "admin"),
)
_POLICIES = (
    ("PXXXXXX", "Default", "PSCHED1"),
    ("PAPI_ESCALATION", "API escalation", "PSCHED2"),
    ("PDATPOL", "Database escalation", "PSCHED3"),
)
_SERVICES = (
    ("PXXXXXX", "Operations", "PXXXXXX"),
    ("PAPI001", "API Service", "PAPI_ESCALATION"),
    ("PDAT001", "Database Service", "PDATPOL"),
    ("PWEB001", "Web Service", "PXXXXXX"),
    ("PPAY001", "Payments Service", "PXXXXXX"),
    ("PGEN001", "General Service", "PXXXXXX"),
    ("CORRECT_SERVICE_ID", "Correct Service", "PXXXXXX"),
)


def user_key(user: str) -> str:
    """Return the API key of a demo user: whoever uses it acts as that person."""
    return f"user-key-{user.lower()}"


def demo_world() -> World:
    """Return a new demo account."""
    world = World()
    _people(world)
    _routes(world)
    _services(world)
    _extras(world)
    return world


def add_incidents(life: Lifecycle) -> None:
    """Open the demo account's incidents: one resolved, one being worked on, one new."""
    world, ops, john = life.world, Ref("user", OPS), Ref("user", JOHN)
    world.number = FIRST_NUMBER
    stories = (
        ("PWEB001", "Certificate expires soon", "low"),
        ("PAPI001", "Slow answers from the API", "high"),
        ("PDAT001", "Replication lag on the main database", "high"),
    )
    for service, title, urgency in stories:
        life.open(
            ops,
            world.services[service],
            title,
            key=f"demo-{world.number + 1}",
            urgency=urgency,
            priority="PPRIO02",
            details=f"{title}. Reported by monitoring.",
            made_in_web=True,
            channel={"type": "web_trigger", "summary": title, "details": title},
            id=f"QDEMO000000{world.number + 1}",
        )
    life.resolve(world.incidents["QDEMO000000121"], ops)
    life.acknowledge(world.incidents["QDEMO000000122"], john)


def _people(world: World) -> None:
    for user, name, email, role in _USERS:
        world.users[user] = User(id=user, name=name, email=email, role=role)
        token = user_key(user)
        world.keys[token] = Key(token=token, kind="user", user=user)
    for token in ACCOUNT_KEYS:
        world.keys[token] = Key(token=token, kind="account")
    world.keys[READ_ONLY_KEY] = Key(token=READ_ONLY_KEY, kind="read_only")
    world.apps[APP[0]] = APP[1]
    world.teams["PTEAM01"] = Named(id="PTEAM01", name="Engineering")
    world.abilities = ["teams", "urgencies", "coordinated_responding", "response_plays"]


def _routes(world: World) -> None:
    turns = (("PSCHED1", [JOHN, JANE]), ("PSCHED2", [JOHN, JANE]), ("PSCHED3", [JANE, JOHN]))
    for number, (schedule, users) in enumerate(turns, 1):
        world.schedules[schedule] = Schedule(
            id=schedule, name=f"Schedule {number}", users=users, start=_START, turn=_DAY
        )
    for policy, name, schedule in _POLICIES:
        world.policies[policy] = Policy(
            id=policy,
            name=name,
            num_loops=1,
            teams=["PTEAM01"],
            rules=[
                Rule(id=world.ids.short(), delay=15, targets=[Target("schedule", schedule)]),
                Rule(id=world.ids.short(), delay=30, targets=[Target("user", LEAD)]),
            ],
        )


def _services(world: World) -> None:
    for number, (service, name, policy) in enumerate(_SERVICES, 1):
        world.services[service] = Service(
            id=service, name=name, policy=policy, teams=["PTEAM01"], created_at=_START
        )
        for version, kind in ((2, "events_api_v2"), (1, "generic_events_api")):
            key = f"{version}{number:031x}"
            world.integrations[key] = Integration(
                id=world.ids.short(),
                service=service,
                name=f"Events API v{version}",
                type=f"{kind}_inbound_integration",
                key=key,
            )


def _extras(world: World) -> None:
    world.priorities = [
        Named(id=f"PPRIO0{number}", name=f"P{number}", description=f"Priority {number}")
        for number in range(1, 6)
    ]
    world.types = [
        Named(id="PTYPE01", name="incident_default", description="Base incident"),
        Named(id="PTYPE02", name="major_default", description="Major incident"),
    ]
    world.custom_fields = [
        CustomField(id="PFIELD1", name="environment", display_name="Environment"),
        CustomField(id="PFIELD2", name="customer_impact", display_name="Customer impact"),
        CustomField(id="PFIELD3", name="root_cause", display_name="Root cause"),
        CustomField(
            id="PFIELD4",
            name="region",
            display_name="Region",
            field_type="single_value_fixed",
            options=["US", "EU"],
        ),
        CustomField(
            id="PFIELD5", name="affected_users", display_name="Affected users", data_type="integer"
        ),
    ]
    world.workflows = {
        "PWORK01": Workflow(id="PWORK01", name="Page the managers", trigger=world.ids.uuid()),
        "PWORK02": Workflow(
            id="PWORK02",
            name="Major incident",
            trigger=world.ids.uuid(),
            trigger_type="conditional",
        ),
        "PWORK03": Workflow(
            id="PWORK03", name="Old habit", trigger=world.ids.uuid(), enabled=False
        ),
    }
    play = world.ids.uuid()
    world.plays = {play: Named(id=play, name="Call everybody")}
