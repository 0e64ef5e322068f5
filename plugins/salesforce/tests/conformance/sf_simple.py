"""simple-salesforce drives the simulated org: every sign-in it knows, records, queries, errors."""

from typing import Any
from urllib.parse import urlsplit, urlunsplit

import requests
from sf_server import Served
from sf_steps import Steps
from simple_salesforce import Salesforce

from hub_salesforce.testing import CONSUMER_KEY, CONSUMER_SECRET, INTEGRATION

PASSWORD = "correct horse"


class ToSimulator(requests.adapters.HTTPAdapter):
    """Sends what is meant for Salesforce's hosts to the simulator, telling which host it was."""

    def __init__(self, target: str) -> None:
        self.target = urlsplit(target)
        super().__init__()

    def send(self, request: Any, *args: Any, **how: Any) -> Any:
        """Send a request to the simulator."""
        asked = urlsplit(request.url)
        there = (self.target.scheme, self.target.netloc, asked.path, asked.query, asked.fragment)
        request.url = urlunsplit(there)
        request.headers["X-Sim-Host"] = asked.netloc
        return super().send(request, *args, **how)


def drive(served: Served) -> Steps:
    """Take all steps."""
    steps = Steps("simple-salesforce")
    session = requests.Session()
    session.trust_env = False
    session.mount("https://", ToSimulator(served.url))
    client = _sign_in_everyhow(steps, served, session)
    if client is not None:
        _records(steps, client)
        _queries(steps, client, served)
        _errors(steps, client, served)
    return steps


def _sign_in_everyhow(steps: Steps, served: Served, session: requests.Session) -> Any:
    key = served.org.credentials.keys.private_key
    person = {"username": INTEGRATION, "password": PASSWORD, "session": session}
    ways: dict[str, dict[str, Any]] = {
        "SOAP with token": {**person, "security_token": "TOKEN"},
        "SOAP with organization": {**person, "organizationId": served.org.world.id[:15]},
        "OAuth password": {
            **person,
            "password": f"{PASSWORD}TOKEN",
            "consumer_key": CONSUMER_KEY,
            "consumer_secret": CONSUMER_SECRET,
        },
        "client credentials": {
            "consumer_key": CONSUMER_KEY,
            "consumer_secret": CONSUMER_SECRET,
            "domain": "acme.my",
            "session": session,
        },
        "JWT": {
            "username": INTEGRATION,
            "consumer_key": CONSUMER_KEY,
            "privatekey": key,
            "session": session,
        },
    }
    client = None
    for name, given in ways.items():
        client = steps.step(name, lambda given=given: Salesforce(**given), lambda c: c.session_id)
    wrong = {**person, "password": "wrong", "security_token": "TOKEN"}
    steps.refused("SOAP with a wrong password", lambda: Salesforce(**wrong), "INVALID_LOGIN")
    return client


def _records(steps: Steps, client: Any) -> None:
    case = client.Case
    made = steps.step("create", lambda: case.create({"Subject": "a"}), lambda a: a["success"])
    own = made["id"]
    steps.step("get", lambda: case.get(own), lambda a: a["Subject"] == "a" and a["Reason"] is None)
    steps.step("update", lambda: case.update(own, {"Status": "Closed"}), lambda a: a == 204)
    steps.step("describe", case.describe, lambda a: len(a["fields"]) > 30)
    steps.step("metadata", case.metadata, lambda a: a["objectDescribe"]["name"] == "Case")
    steps.step("global describe", client.describe, lambda a: len(a["sobjects"]) > 5)
    keyed = "PagerDuty_Hub_Key__c/k1"
    steps.step(
        "upsert new", lambda: case.upsert(keyed, {"Subject": "u"}), lambda a: a in {200, 201}
    )
    steps.step(
        "upsert known", lambda: case.upsert(keyed, {"Subject": "v"}), lambda a: a in {200, 204}
    )
    steps.step(
        "by external id",
        lambda: case.get_by_custom_id("PagerDuty_Hub_Key__c", "k1"),
        lambda a: a["Subject"] == "v",
    )
    steps.step("delete", lambda: case.delete(own), lambda a: a == 204)
    steps.step("limits", client.limits, lambda a: a["DailyApiRequests"]["Max"] == 15_000)
    steps.step("usage", lambda: client.api_usage, lambda a: a["api-usage"].total == 15_000)


def _queries(steps: Steps, client: Any, served: Served) -> None:
    served.org.world.page_sizes = (2, 2)
    steps.step("query", lambda: client.query("SELECT Id FROM User"), lambda a: not a["done"])
    steps.step(
        "all pages",
        lambda: client.query_all("SELECT Id FROM User"),
        lambda a: len(a["records"]) == 4,
    )
    served.org.world.page_sizes = (200, 2000)
    steps.step(
        "deleted rows",
        lambda: client.query_all(
            "SELECT Id FROM Case WHERE IsDeleted = true", include_deleted=True
        ),
        lambda a: a["totalSize"] == 1,
    )


def _errors(steps: Steps, client: Any, served: Served) -> None:
    case = client.Case
    steps.refused("unknown field", lambda: case.create({"Nothing": 1}), "INVALID_FIELD")
    steps.refused("bad query", lambda: client.query("SELECT Foo FROM Case"), "No such column")
    steps.refused("unknown object", lambda: client.Toy__c.create({}), "NOT_FOUND")
    steps.refused(
        "duplicate",
        lambda: case.create({"PagerDuty_Hub_Key__c": "k1"}),
        "duplicates value on record with id",
    )
    served.org.world.expire_sessions()
    steps.step("expired session", client.limits, lambda a: "DailyApiRequests" in a)
    given = {"session_id": "gone", "instance_url": "https://acme.my.salesforce.com"}
    foreign = Salesforce(**given, session=client.session)
    steps.refused("unknown session", foreign.limits, "INVALID_SESSION_ID")
