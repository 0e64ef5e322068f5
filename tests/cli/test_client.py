from collections.abc import Iterator

import pytest

from hub.cli.client import Client
from hub.cli.failure import Failed, Status

THINGS = "/api/v1/tenants/acme/things"


@pytest.fixture
def client(api) -> Iterator[Client]:
    found = Client(url=api.url, tenant="acme", token="t0ken")
    yield found
    found.close()


def test_a_path_without_a_slash_is_the_tenants(api, client) -> None:
    api.answer("GET", THINGS, {"a": 1})

    assert client.get("things") == {"a": 1}
    assert api.asked[0][2]["authorization"] == "Bearer t0ken"


def test_a_path_with_a_slash_is_the_hubs(api, client) -> None:
    api.answer("GET", "/api/v1/plugins", [])

    assert client.get("/plugins") == []


def test_pages_are_followed_until_the_limit(api, client) -> None:
    api.answer("GET", f"{THINGS}?limit=3", {"items": [1, 2], "next": "c1"})
    api.answer("GET", f"{THINGS}?limit=1&cursor=c1", {"items": [3], "next": "c2"})

    assert client.pages("things", limit=3) == [1, 2, 3]


def test_a_change_carries_the_etag_of_what_was_read(api, client) -> None:
    api.answer("GET", f"{THINGS}/1", {"a": 1}, etag='"7"')
    api.answer("PATCH", f"{THINGS}/1", {"a": 2})

    client.change("things/1", {"a": 2})

    method, _, headers, body = api.asked[1]
    assert (method, headers["if-match"], body) == ("PATCH", '"7"', {"a": 2})


def test_lines_are_read_as_they_come(api, client) -> None:
    api.answer("POST", f"{THINGS}/checks", b'{"n": 1}\n\n{"n": 2}\n')

    assert list(client.lines("things/checks")) == [{"n": 1}, {"n": 2}]


@pytest.mark.parametrize(
    ("status", "exit_status"),
    [
        (401, Status.NOT_ALLOWED),
        (403, Status.NOT_ALLOWED),
        (404, Status.NOT_FOUND),
        (409, Status.FAILED),
        (422, Status.FAILED),
        (500, Status.FAILED),
        (503, Status.NOT_REACHABLE),
    ],
)
def test_a_problem_becomes_an_exit_status(api, client, status: int, exit_status: Status) -> None:
    problem = {"title": "No.", "detail": "Because.", "errors": [{"pointer": "/a", "detail": "b"}]}
    api.answer("GET", THINGS, problem, status, content_type="application/problem+json")

    with pytest.raises(Failed) as raised:
        client.get("things")

    assert exit_status == raised.value.status
    assert raised.value.cause == "Because."
    assert raised.value.details == ("  /a: b",)
    assert raised.value.fix


def test_a_plugin_that_does_not_work_is_told_with_where_to_look(api, client) -> None:
    problem = {"type": "/problems/connector-broken", "detail": "The plugin is broken."}
    api.answer("GET", THINGS, problem, 503, content_type="application/problem+json")

    with pytest.raises(Failed) as raised:
        client.get("things")

    assert "hub plugins show NAME" in raised.value.fix
    assert "in a moment" not in raised.value.fix


def test_of_two_who_save_at_once_the_second_is_told_what_differs(api, client) -> None:
    problem = {"detail": "ben changed it.", "theirs": {}, "yours": {}, "changes": ["~ one: /note"]}
    api.answer("GET", THINGS, problem, 409)

    with pytest.raises(Failed) as raised:
        client.get("things")

    assert (raised.value.cause, raised.value.details) == ("ben changed it.", ("  ~ one: /note",))
    assert "nothing of yours" in raised.value.fix


def test_a_problem_of_a_stream_is_told_too(api, client) -> None:
    api.answer("POST", f"{THINGS}/checks", {"title": "No such connector."}, 404)

    with pytest.raises(Failed, match="No such connector"):
        list(client.lines("things/checks"))


def test_an_answer_that_is_not_json_is_not_the_hubs(api, client) -> None:
    api.answer("GET", THINGS, b"<html>a proxy</html>")

    with pytest.raises(Failed) as raised:
        client.get("things")

    assert raised.value.status == Status.NOT_REACHABLE


def test_nobody_there_is_exit_status_5() -> None:
    client = Client(url="http://127.0.0.1:9", tenant="acme")

    with pytest.raises(Failed) as raised:
        client.get("things")
    client.close()

    assert raised.value.status == Status.NOT_REACHABLE
    assert "hub serve" in raised.value.fix


@pytest.mark.parametrize(
    ("path", "command"),
    [
        ("connectors/pd", "hub connector list"),
        ("rulesets/1/draft", "hub ruleset list"),
        ("service-mappings/7", "hub mapping list"),
        ("deliveries/dlv_1/trace", "hub delivery list"),
        ("/tenants/acme", "hub tenant list"),
        ("/plugins/x", "hub plugins list"),
        ("/operators-off/x", "hub plugins operators-off"),
    ],
)
def test_what_is_not_there_names_the_command_that_lists_it(api, client, path, command) -> None:
    with pytest.raises(Failed) as raised:
        client.get(path)

    assert raised.value.fix.startswith(f"{command} shows what is there")


def test_a_fault_of_the_hub_names_its_line_in_the_log(api, client) -> None:
    api.answer("GET", THINGS, {"title": "A fault.", "instance": "urn:uuid:01a1"}, 500)

    with pytest.raises(Failed) as raised:
        client.get("things")

    assert "hub serve" in raised.value.fix
    assert "01a1" in raised.value.fix
