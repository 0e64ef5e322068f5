"""What the commands print of connectors: secrets, intervals, health, and what to do next."""

import pytest

CONNECTOR = "/api/v1/tenants/default/connectors/pd"
SCHEMA = {
    "properties": {
        "api_key": {"type": "string", "format": "password", "writeOnly": True},
        "webhook_secret": {"type": "string", "format": "password", "writeOnly": True},
        "service_id": {"type": "string"},
    }
}


def connector(state: str = "active", poll_every_s: int | None = 300) -> dict:
    return {
        "name": "pd",
        "type": "pagerduty",
        "state": state,
        "state_detail": "",
        "webhook_url": "http://hub/t/default/connectors/pd/webhook",
        "poll_every_s": poll_every_s,
        "settings": {
            "api_key": {
                "set": True,
                "since": "2025-03-01T09:30:00Z",
                "by": "ann",
                "ending": "1234",
            },
            "webhook_secret": {"set": True, "since": "2025-03-02T09:30:00Z", "by": "ben"},
            "service_id": "PDAT001",
        },
    }


@pytest.fixture
def known(api):
    api.answer("GET", CONNECTOR, connector())
    api.answer("GET", "/api/v1/tenants/default", {"time_zone": "UTC"})
    return api


def test_a_secret_is_shown_with_since_when_and_by_whom(hub, known) -> None:
    shown = hub("connector", "show", "pd").out

    assert "set, ends in 1234, since 2025-03-01 09:30:00, by ann" in shown
    assert "set, since 2025-03-02 09:30:00, by ben" in shown
    assert "None" not in shown


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(300, "5 min"), (90, "90 s"), (7200, "2 h"), (None, "as its type says")],
)
def test_how_often_it_is_polled_is_shown(seconds, words, hub, known) -> None:
    known.answer("GET", CONNECTOR, connector(poll_every_s=seconds))

    assert f"Polled every: {words}\n" in hub("connector", "show", "pd").out


def test_the_status_is_told_in_words(hub, known) -> None:
    health = {
        "health": "healthy",
        "state": "active",
        "checked_at": "2025-03-01T09:30:00Z",
        "requests_last_minute": 2,
        "rate_limit": 960,
        "rate_limit_used_percent": 0.5,
        "oldest_secret_days": 3,
        "polls_every_s": 300.0,
        "polls": [],
    }
    known.answer("GET", f"{CONNECTOR}/health", health)

    shown = hub("connector", "status", "pd").out

    assert "Polled every: 5 min\n" in shown
    assert "Requests in the last minute: 2\n" in shown
    assert "Rate limit used: 0.5 %\n" in shown
    assert "Age of the oldest secret: 3 days\n" in shown
    assert "Last checked: 2025-03-01 09:30:00\n" in shown
    assert " s: " not in shown


@pytest.fixture
def adding(known):
    kind = {"name": "pagerduty", "settings": SCHEMA, "subscribes": True, "reads_config": False}
    known.answer("GET", "/api/v1/catalog", {"connector_types": [kind]})
    known.answer("POST", "/api/v1/tenants/default/connectors", connector(), 201)
    return known


def checked(api, *, ok: bool) -> None:
    line = b'{"name": "api", "label": "API", "ok": %s, "text": "x", "took_ms": 0, "fix": "y"}\n'
    api.answer("POST", f"{CONNECTOR}/checks", line % (b"true" if ok else b"false"))


def test_a_refused_key_is_the_first_thing_to_do_and_the_exit_status_says_so(hub, adding) -> None:
    checked(adding, ok=False)
    adding.answer("GET", CONNECTOR, connector("needs_credentials"))

    ended = hub("connector", "add", "pagerduty", "pd", "--set", "api_key=x")

    todo = [line for line in ended.out.splitlines() if line.startswith("Next: ")]
    assert todo == [
        "Next: hub connector update pd --set api_key=-",
        "Next: hub connector webhook pd --enable",
        "Next: hub connector test pd",
    ]
    assert ended.status == 1
    assert "Connector pd was added, but 1 of 1 checks failed." in ended.err


def test_a_connector_whose_checks_pass_is_added_well(hub, adding) -> None:
    checked(adding, ok=True)

    ended = hub("connector", "add", "pagerduty", "pd", "--set", "api_key=x")

    assert ended.status == 0
    assert "connector update" not in ended.out
