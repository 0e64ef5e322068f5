"""What every route shares: problems, limits, headers, repeated creates, health."""

import asyncio
import json
from datetime import timedelta

import pytest
from sqlalchemy import func, select, text

from hub import clock as clocks
from hub.auth.authenticate import Authenticator
from hub.auth.models import Token
from hub.db.engine import Database
from hub.errors import HubError
from hub.http.idempotency import forget_old
from hub.http.models import RequestKey
from tests.api.conftest import ACME

TOKENS = f"{ACME}/tokens"


@pytest.fixture
def platform_database(database):
    """Try both kinds of database."""
    return database


def every_problem(kind=HubError):
    for one in kind.__subclasses__():
        yield one
        yield from every_problem(one)


def test_each_problem_has_a_name_of_its_own_a_status_and_a_sentence():
    kinds = [HubError, *every_problem()]

    assert len({one.slug() for one in kinds}) == len(kinds)
    assert all(400 <= one.status < 600 for one in kinds)
    assert all(one.title().endswith(".") for one in kinds)


@pytest.mark.parametrize(
    ("method", "path", "status", "slug"),
    [
        ("GET", "/nowhere", 404, "not-found"),
        ("DELETE", "/healthz", 405, "method-not-allowed"),
        ("GET", "/api/v1/tenants/acme/tokens?limit=0", 422, "invalid"),
        ("GET", "/api/v1/tenants/acme/tokens?cursor=x", 422, "invalid"),
        ("GET", "/api/v1/tenants/acme/tokens/x", 422, "invalid"),
        ("GET", "/api/v1/tenants/acme/connectors/a%00b", 400, "bad-request"),
    ],
)
async def test_errors_are_problems(admin, method, path, status, slug):
    answer = await admin.request(method, path)

    problem = answer.json()
    assert (answer.status_code, problem["type"]) == (status, f"/problems/{slug}")
    assert answer.headers["content-type"] == "application/problem+json"
    assert problem["instance"] == f"urn:uuid:{answer.headers['x-request-id']}"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"{", 400),
        (b'{"name": "x", "role": "user"', 400),
        (b"\xff\xfe", 400),
        (b"[" * 20_000, 400),
        (b"[]", 422),
        (b'{"name": "a\\u0000", "role": "user"}', 422),
        (b'{"name": "\\ud800", "role": "user"}', 422),
        (b'{"name": NaN, "role": "user"}', 422),
        (b"null", 422),
        (b"", 422),
    ],
)
async def test_a_body_that_can_not_be_read_is_a_problem(admin, body, status):
    answer = await admin.post(TOKENS, content=body, headers={"Content-Type": "application/json"})

    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"


async def sent(app, path, *, length=None, chunks=1000):
    """Send 1024 bytes a time; return the answer's start and body, and how much was read by then."""
    read = at_answer = 0
    found = {"body": b""}
    headers = [(b"authorization", b"x")]
    headers += [(b"content-length", str(length).encode())] if length else []

    async def receive():
        nonlocal read
        read += 1024
        more = read < chunks * 1024
        return {"type": "http.request", "body": b"x" * 1024, "more_body": more}

    async def send(message):
        nonlocal at_answer
        if message["type"] == "http.response.start":
            at_answer = read
            found.update(status=message["status"], headers=dict(message["headers"]))
        found["body"] += message.get("body", b"")

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": headers,
        "client": ("127.0.0.1", 1),
        "server": ("hub.test", 80),
    }
    await app(scope, receive, send)
    return found, at_answer


async def test_a_large_body_is_refused_before_it_is_read(app):
    told, read = await sent(app, TOKENS, length=1024000)
    streamed, read_of_stream = await sent(app, "/api/v1/session")

    assert [told["status"], streamed["status"]] == [413, 413]
    assert read == 0
    assert read_of_stream <= 66 * 1024
    assert json.loads(told["body"])["type"] == "/problems/too-large"
    assert told["headers"][b"connection"] == b"close"


async def test_a_fault_of_the_hub_is_a_problem_without_details(app, calling, caplog):
    @app.get("/boom")
    async def boom():
        raise RuntimeError("database password is 1234")

    answer = await calling(None).get("/boom")

    assert (answer.status_code, answer.json()["type"]) == (500, "/problems/hub-error")
    assert "1234" not in answer.text
    assert answer.headers["x-request-id"] in answer.json()["instance"]


async def test_a_database_that_is_away_is_503(app, calling, tmp_path, unused_tcp_port):
    url = f"postgresql+asyncpg://nobody:x@127.0.0.1:{unused_tcp_port}/none"
    away = Database(url, pool_size=2)
    app.state.authenticate = Authenticator(away, app.state.settings)

    answer = await calling("hub_aaaaaaaaaa_b").get("/api/v1/me")
    await away.close()

    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert answer.json()["detail"] == "The database does not answer."


async def test_answers_carry_headers_that_protect_browsers(admin):
    answer = await admin.get("/api/v1/me")

    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["x-frame-options"] == "DENY"
    assert answer.headers["cache-control"] == "no-store"
    assert "default-src 'none'" in answer.headers["content-security-policy"]


async def test_the_process_says_whether_it_lives_and_is_ready(app, calling):
    api = calling(None)
    alive = await api.get("/healthz")
    ready = await api.get("/readyz")

    async def down() -> str:
        return "the listener is gone"

    app.state.ready_checks = {"dispatch": down}
    not_ready = await api.get("/readyz")

    assert (alive.status_code, alive.json()["status"]) == (200, "ok")
    assert (ready.status_code, ready.json()["parts"]) == (200, {"database": "ok"})
    assert not_ready.status_code == 503
    assert not_ready.json()["parts"]["dispatch"] == "the listener is gone"


async def test_the_catalog_and_plugins_are_told(admin):
    catalog = (await admin.get("/api/v1/catalog")).json()

    (toy,) = catalog["connector_types"]
    assert toy["settings"]["properties"]["api_key"]["writeOnly"]
    assert (await admin.get("/api/v1/plugins")).json() == []
    assert (await admin.get("/api/v1/plugins/none")).status_code == 404


# Repeated creates -------------------------------------------------------------------------

BODY = {"name": "once", "role": "user"}


async def made(database) -> int:
    async with database.reading() as session:
        return await session.scalar(select(func.count()).where(Token.name == "once"))


async def test_a_repeated_create_happens_once_and_is_answered_alike(admin, platform_database):
    headers = {"Idempotency-Key": "k1"}
    first = await admin.post(TOKENS, json=BODY, headers=headers)
    again = await admin.post(TOKENS, json=BODY, headers=headers)
    other = await admin.post(TOKENS, json=BODY, headers={"Idempotency-Key": "k2"})

    assert [first.status_code, again.status_code, other.status_code] == [201, 201, 201]
    assert first.json() == again.json() != other.json()
    assert again.headers["idempotent-replayed"] == "true"
    assert await made(platform_database) == 2


async def test_a_key_is_for_one_request(admin):
    headers = {"Idempotency-Key": "k1"}
    await admin.post(TOKENS, json=BODY, headers=headers)

    answer = await admin.post(TOKENS, json=BODY | {"name": "two"}, headers=headers)

    assert answer.status_code == 409
    assert "another body" in answer.json()["detail"]


async def test_two_at_once_are_one(admin, platform_database):
    headers = {"Idempotency-Key": "k1"}

    answers = await asyncio.gather(
        *(admin.post(TOKENS, json=BODY, headers=headers) for _ in range(5))
    )

    assert {one.status_code for one in answers} <= {201, 409}
    assert await made(platform_database) == 1


async def test_what_was_refused_may_be_tried_again_under_its_key(admin, platform_database):
    headers = {"Idempotency-Key": "k1"}
    wrong = await admin.post(TOKENS, json=BODY | {"role": "king"}, headers=headers)
    right = await admin.post(TOKENS, json=BODY, headers=headers)

    assert [wrong.status_code, right.status_code] == [422, 201]


async def test_the_same_key_of_somebody_else_is_another_key(
    admin, acting, tenant, platform_database
):
    other = await acting("administrator", tenant)
    headers = {"Idempotency-Key": "k1"}
    first = await admin.post(TOKENS, json=BODY, headers=headers)
    second = await other.post(TOKENS, json=BODY, headers=headers)

    assert first.json()["id"] != second.json()["id"]


async def test_kept_answers_are_sealed_and_forgotten_after_a_day(admin, platform_database):
    headers = {"Idempotency-Key": "k1"}
    token = (await admin.post(TOKENS, json=BODY, headers=headers)).json()["token"]

    async with platform_database.reading() as session:
        (kept,) = (await session.scalars(select(RequestKey))).all()
    assert token.encode() not in kept.answer
    assert await forget_old(platform_database, clocks.now()) == 0
    assert await forget_old(platform_database, clocks.now() + timedelta(hours=25)) == 1


async def test_an_answer_that_a_crash_lost_is_not_carried_out_again(admin, platform_database):
    headers = {"Idempotency-Key": "k1"}
    await admin.post(TOKENS, json=BODY, headers=headers)
    async with platform_database.writing() as session:
        await session.execute(text("UPDATE request_keys SET answer = NULL"))

    again = await admin.post(TOKENS, json=BODY, headers=headers)

    assert again.status_code == 409
    assert await made(platform_database) == 1


@pytest.mark.parametrize("key", ["", "x" * 256])
async def test_a_key_has_a_length(admin, key):
    answer = await admin.post(TOKENS, json=BODY, headers={"Idempotency-Key": key})

    assert answer.status_code == 400


async def test_without_credentials_nothing_is_kept_of_a_key(calling, tenant, platform_database):
    await calling(None).post(TOKENS, json=BODY, headers={"Idempotency-Key": "k1"})

    async with platform_database.reading() as session:
        assert not (await session.scalars(select(RequestKey))).all()


# The description --------------------------------------------------------------------------


def test_the_description_is_complete(app):
    described = app.openapi()
    names = []
    for path, operations in described["paths"].items():
        for operation in operations.values():
            names.append(operation["operationId"])
            problems = {
                status: answer
                for status, answer in operation["responses"].items()
                if status >= "400" and path != "/readyz"
            }
            assert all("application/problem+json" in one["content"] for one in problems.values())
            declared = {one["name"] for one in operation.get("parameters", ())}
            wanted = {part[1:-1] for part in path.split("/") if part.startswith("{")}
            assert wanted <= declared, path

    assert len(names) == len(set(names))
    assert all(name == name.lower() and "_" in name for name in names)
    assert "HTTPValidationError" not in json.dumps(described)


async def test_what_nobody_reads_in_a_request_is_refused_and_named(client):
    home = "/api/v1/tenants/default"
    queries = {
        "tokens?limits=5": "There is no query parameter 'limits'. Did you mean 'limit'?",
        "rulesets/export?q=1": "There is no query parameter 'q' here. Known here: draft, ",
        "runs?state=dead&nonsense=1": "There is no query parameter 'nonsense' here.",
    }
    for path, said in queries.items():
        answer = await client.get(f"{home}/{path}")
        assert (answer.status_code, answer.json()["detail"][: len(said)]) == (422, said)
    assert (await client.get(f"{home}/rulesets?limit=100")).status_code == 200
    for listed in ("runs", "deliveries", "activity", "audit", "tokens"):
        answer = await client.get(f"{home}/{listed}?cursor=garbage")
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/cursor")
        assert "'garbage' is no cursor of this list" in answer.json()["detail"]
    for match in ("nonsense", "7", '"1", x', ""):
        answer = await client.patch(home, json={"name": "X"}, headers={"If-Match": match})
        assert (answer.status_code, "is no ETag" in answer.json()["detail"]) == (400, True)


async def test_ids_that_are_not_there_are_told_as_they_are_shown(client):
    number = "01990000-0000-7000-8000-000000000000"
    path = "/api/v1/tenants/default/connectors"
    body = {"type": "pagerduty", "name": "pd", "settings": {"api_key": "s3cret"}}
    assert (await client.post(path, json=body)).is_success
    health = (await client.get(f"{path}/pd/health")).json()
    counted = ("accepted", "unreadable", "ignored", "refused")
    assert [health[f"{state}_last_day"] for state in counted] == [0, 0, 0, 0]
    asked = {
        "deliveries/dlv_1": "dlv_1",
        "runs/run_1": "run_1",
        f"connectors/pd/imports/{number}": number,
        f"connectors/pd/reconciliations/{number}": number,
    }
    for path, shown in asked.items():
        answer = await client.get(f"/api/v1/tenants/default/{path}")

        assert answer.status_code == 404
        assert answer.json()["detail"].endswith(f" {shown}.")
