"""Who may do what: every route with every role, tenancy, tokens, members, roles, sessions."""

import stat
from datetime import timedelta

import pytest
from sqlalchemy import select

from hub.auth import roles
from hub.auth.bootstrap import ensure_local_token
from hub.auth.models import Token
from hub.db.tenancy import Tenant
from hub.http.actor import Permission
from hub.http.openapi import permission_of, routes_of
from tests.api.conftest import ACME

# The table of the four roles, word by word.
MAY = {
    "administrator": {
        "configuration": {"read", "write"},
        "links": {"read", "create", "edit", "delete"},
        "rules": {"read", "create", "edit", "delete"},
        "operations": {"read", "act"},
        "audit": {"read"},
        "members": {"read", "write"},
    },
    "manager": {
        "configuration": {"read"},
        "links": {"read", "create", "edit", "delete"},
        "rules": {"read", "create", "edit", "delete"},
        "operations": {"read", "act"},
        "members": {"read"},
    },
    "user": {
        "configuration": {"read"},
        "links": {"read", "create", "edit"},
        "rules": {"read"},
        "operations": {"read"},
    },
    "auditor": {
        "configuration": {"read"},
        "links": {"read"},
        "rules": {"read"},
        "operations": {"read"},
        "audit": {"read"},
        "members": {"read"},
    },
}


@pytest.mark.covers("RF-110", "RF-111", "RF-112", "RF-114", "RF-115", "RF-116")
@pytest.mark.covers("RF-118", "RF-119", "RF-120", "RF-122", "RF-123", "RF-124")
@pytest.mark.parametrize("role", MAY)
def test_a_role_may_do_what_its_table_says(role):
    words = {f"{area}:{verb}" for area, verbs in MAY[role].items() for verb in verbs}

    assert {one.value for one in roles.BUILT_IN[role]} == words


def test_every_route_names_who_may_call_it(app):
    unnamed = [one.path_format for one in routes_of(app) if permission_of(one) is None]

    assert unnamed == []


def test_routes_of_a_tenant_demand_a_permission_of_a_tenant(app):
    words = {one.value for one in Permission}
    free = {
        one.path_format
        for one in routes_of(app)
        if "{tenant}" in one.path_format and permission_of(one) not in words
    }

    assert free == {
        "/api/v1/tenants/{tenant}",
        "/api/v1/tenants/{tenant}/me/permissions",
        "/t/{tenant}/connectors/{name}/handshake",
    }


@pytest.mark.parametrize("role", MAY)
async def test_every_route_admits_a_role_or_refuses_it(app, acting, tenant, role):
    api = await acting(role, tenant)
    wrong = []
    for route in routes_of(app):
        needed = permission_of(route)
        for method in route.methods:
            path = route.path_format.replace("{tenant}", "acme")
            answer = await api.request(method, _filled(path), json={})
            admitted = needed in {"anyone", "signed-in"} or needed in roles.BUILT_IN[role]
            if admitted == (answer.status_code in {401, 403}):
                wrong.append((method, path, needed, answer.status_code))

    assert [one for one in wrong if one[1] not in HANDSHAKE] == []


HANDSHAKE = {"/t/acme/connectors/{name}/handshake", "/api/v1/session"}


async def test_nobody_gets_in_without_credentials(app, calling, tenant):
    api = calling(None)
    for route in routes_of(app):
        if permission_of(route) != "anyone":
            for method in route.methods:
                path = _filled(route.path_format.replace("{tenant}", "acme"))
                answer = await api.request(method, path, json={})
                assert answer.status_code == 401, (method, path)
                assert answer.headers["www-authenticate"] == "Bearer"


async def test_a_stranger_finds_nothing_of_another_tenant(app, acting, toy, tenant, other_tenant):
    stranger = await acting("administrator", other_tenant)
    for route in routes_of(app):
        if "{tenant}" in route.path_format and permission_of(route) != "anyone":
            for method in route.methods:
                path = route.path_format.replace("{tenant}", "acme").replace("{name}", "my-toy")
                answer = await stranger.request(method, _filled(path), json={})
                assert answer.status_code == 404, (method, path, answer.text)


async def test_another_tenants_ids_are_not_found_in_ones_own(
    acting, admin, toy, tenant, other_tenant, sqlite_database
):
    stranger = await acting("administrator", other_tenant)
    token = (await admin.post(f"{ACME}/tokens", json={"name": "t", "role": "user"})).json()
    member = (await admin.post(f"{ACME}/members", json=_member())).json()
    own = "/api/v1/tenants/globex"

    tried = [
        await stranger.get(f"{own}/connectors/my-toy"),
        await stranger.post(f"{own}/connectors/my-toy/checks"),
        await stranger.get(f"{own}/connectors/my-toy/health"),
        await stranger.get(f"{own}/tokens/{token['id']}"),
        await stranger.delete(f"{own}/tokens/{token['id']}"),
        await stranger.get(f"{own}/members/{member['id']}"),
        await stranger.delete(f"{own}/members/{member['id']}", headers={"If-Match": "*"}),
    ]

    assert [one.status_code for one in tried] == [404] * len(tried)
    assert (await stranger.get(f"{own}/connectors")).json()["items"] == []
    assert (await stranger.get(f"{own}/audit")).json()["items"] == []
    assert (await stranger.get(f"{own}/activity")).json()["items"] == []


def _filled(path: str) -> str:
    for name in ("name", "source", "query", "object", "id", "plugin"):
        path = path.replace(f"{{{name}}}", "01990000-0000-7000-8000-000000000000")
    return path


def _member(**more) -> dict:
    return {"email": "Ana@example.com", "name": "Ana", "role": "manager"} | more


# Tokens -----------------------------------------------------------------------------------


async def test_a_token_is_shown_once_and_kept_as_a_hash(admin, calling, sqlite_database):
    body = {"name": "grafana", "role": "auditor"}
    made = (await admin.post(f"{ACME}/tokens", json=body)).json()

    listed = (await admin.get(f"{ACME}/tokens")).json()["items"]
    async with sqlite_database.reading() as session:
        row = (await session.scalars(select(Token).where(Token.name == "grafana"))).one()

    assert made["token"].startswith(made["prefix"])
    assert made["token"] not in str(listed)
    assert made["token"].encode() not in row.hash
    assert (await calling(made["token"]).get(f"{ACME}/audit")).status_code == 200
    seen = (await admin.get(f"{ACME}/tokens/{made['id']}")).json()
    assert (seen["last_used_at"] is not None, seen["permissions"]) == (
        True,
        sorted(roles.BUILT_IN["auditor"]),
    )


async def test_a_token_expires_and_is_revoked(admin, calling, clock):
    made = []
    for name in ("a", "b"):
        expires = (clock() + timedelta(hours=1)).isoformat()
        body = {"name": name, "permissions": ["rules:read"], "expires_at": expires}
        made.append((await admin.post(f"{ACME}/tokens", json=body)).json())
    one, other = [calling(token["token"]) for token in made]

    assert (await one.get("/api/v1/me")).json()["permissions"] == ["rules:read"]
    await admin.delete(f"{ACME}/tokens/{made[1]['id']}")
    revoked = await other.get("/api/v1/me")
    clock.ahead = timedelta(hours=2)
    expired = await one.get("/api/v1/me")

    assert [revoked.status_code, expired.status_code] == [401, 401]
    assert ["revoked" in revoked.text, "expired" in expired.text] == [True, True]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"name": "x"}, 422),
        ({"name": "x", "role": "user", "permissions": []}, 422),
        ({"name": "x", "role": "nobody"}, 422),
        ({"name": "x", "permissions": ["rules:everything"]}, 422),
        ({"name": "x", "role": "user", "expires_at": "2020-01-01T00:00:00Z"}, 422),
        ({"name": "x", "role": "user", "expires_at": "2020-01-01T00:00:00"}, 422),
        ({"name": " ", "role": "user"}, 422),
    ],
)
async def test_a_wrong_token_is_refused(admin, body, status):
    assert (await admin.post(f"{ACME}/tokens", json=body)).status_code == status


async def test_nobody_hands_out_what_they_do_not_have(acting, tenant):
    api = await acting("", tenant, ["members:read", "members:write", "rules:read"])

    made = [
        await api.post(f"{ACME}/tokens", json={"name": "x", "role": "manager"}),
        await api.post(f"{ACME}/members", json=_member()),
        await api.put(f"{ACME}/roles/mine", json={"permissions": ["audit:read"]}),
        await api.put(f"{ACME}/roles/mine", json={"permissions": ["rules:read"]}),
    ]

    assert [one.status_code for one in made] == [403, 403, 403, 200]


@pytest.mark.parametrize(
    "header", ["Basic YTpi", "Bearer x", "Bearer hub_aaaaaaaaaa_b", "Bearer hub_é_x", "Bearer"]
)
async def test_what_is_no_token_is_refused(app, calling, tenant, header):
    answer = await calling(None).get(
        "/api/v1/me", headers={"Authorization": header.encode("latin-1")}
    )

    assert answer.status_code == 401


# The operator -----------------------------------------------------------------------------


async def test_the_local_token_works_at_once_and_only_its_owner_reads_it(
    operator, sqlite_database, tmp_path, tenant
):
    file = tmp_path / "operator.token"
    again = await ensure_local_token(sqlite_database, tmp_path)

    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert file.read_text().strip() == again
    assert (await operator.get("/api/v1/tenants")).json()["items"][0]["slug"] == "acme"
    assert (await operator.get(f"{ACME}/connectors")).status_code == 200
    file.write_text("hub_aaaaaaaaaa_nonsense")
    renewed = await ensure_local_token(sqlite_database, tmp_path)
    assert renewed != again
    assert (await operator.get("/api/v1/me")).status_code == 401


async def test_an_operator_made_by_the_api_sees_no_tenants_data(operator, calling, tenant):
    made = (await operator.post("/api/v1/tokens", json={"name": "ops"})).json()
    api = calling(made["token"])

    assert (await api.get("/api/v1/tenants/acme")).status_code == 200
    assert (await api.get(f"{ACME}/connectors")).status_code == 403
    assert (await api.get("/api/v1/tenants/nothing/connectors")).status_code == 404
    assert (await operator.delete(f"/api/v1/tokens/{made['id']}")).status_code == 204
    assert (await api.get("/api/v1/me")).status_code == 401


# Tenants ----------------------------------------------------------------------------------


async def test_the_operator_keeps_tenants(operator, acting, sqlite_database, tenant):
    body = {"slug": "initech", "name": "Initech", "time_zone": "Europe/Berlin"}
    made = await operator.post("/api/v1/tenants", json=body)
    taken = await operator.post("/api/v1/tenants", json=body)
    changed = await operator.patch(
        "/api/v1/tenants/initech",
        json={"time_zone": "Asia/Tokyo", "settings": {"trace_level": "full"}},
        headers={"If-Match": made.headers["etag"]},
    )
    stale = await operator.patch(
        "/api/v1/tenants/initech", json={"name": "X"}, headers={"If-Match": '"1"'}
    )

    assert [made.status_code, taken.status_code, changed.status_code, stale.status_code] == [
        201,
        409,
        200,
        412,
    ]
    assert changed.json()["settings"]["trace_level"] == "full"
    audited = (await operator.get("/api/v1/tenants/initech/audit")).json()["items"]
    assert [one["action"] for one in audited] == ["tenant changed", "tenant added"]


async def test_a_deactivated_tenant_is_closed_and_can_be_taken_back(
    operator, admin, toy, app, tenant
):
    gone = await operator.delete(ACME, headers={"If-Match": "*"})
    closed = await admin.get(f"{ACME}/connectors")
    back = await operator.patch(ACME, json={"active": True}, headers={"If-Match": "*"})

    assert gone.json()["deactivated_at"]
    assert closed.status_code == 403
    assert back.json()["deactivated_at"] is None
    assert (await admin.get(f"{ACME}/connectors")).status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        {"slug": "Upper", "name": "x"},
        {"slug": "-x", "name": "x"},
        {"slug": "x", "name": "x", "time_zone": "Mars/Olympus"},
        {"slug": "x", "name": "x", "time_zone": "../../etc/passwd"},
        {"slug": "x"},
    ],
)
async def test_a_wrong_tenant_is_refused(operator, body):
    assert (await operator.post("/api/v1/tenants", json=body)).status_code == 422


async def test_there_is_one_default_tenant(operator, sqlite_database, tenant):
    for slug in ("one", "two"):
        body = {"slug": slug, "name": slug, "is_default": True}
        await operator.post("/api/v1/tenants", json=body)

    async with sqlite_database.reading() as session:
        found = (await session.scalars(select(Tenant.slug).where(Tenant.is_default))).all()
    assert found == ["two"]


# Members, roles, sessions -----------------------------------------------------------------


async def test_a_member_signs_in_and_has_their_role(admin, calling, tenant):
    password = "correct horse battery"
    made = await admin.post(f"{ACME}/members", json=_member(password=password))
    browser = calling(None)

    wrong = await browser.post(
        "/api/v1/session", json={"email": "ana@example.com", "password": "wrong password"}
    )
    right = await browser.post(
        "/api/v1/session", json={"email": "ANA@example.com", "password": password}
    )
    mine = (await browser.get(f"{ACME}/me/permissions")).json()["permissions"]

    assert [made.status_code, wrong.status_code, right.status_code] == [201, 401, 200]
    assert right.json()["tenants"] == [{"tenant": "acme", "role": "manager"}]
    cookie = right.headers["set-cookie"]
    assert all(part in cookie for part in ("hub=", "HttpOnly", "SameSite=lax"))
    assert mine == sorted(roles.BUILT_IN["manager"])
    assert (await browser.get("/api/v1/tenants/globex/connectors")).status_code == 404


async def test_a_session_changes_things_only_from_the_hubs_own_pages(admin, calling, tenant):
    password = "correct horse battery"
    await admin.post(f"{ACME}/members", json=_member(role="administrator", password=password))
    browser = calling(None)
    await browser.post("/api/v1/session", json={"email": "ana@example.com", "password": password})
    body = {"name": "x", "role": "user"}
    headers = [
        {},
        {"X-Hub": "1"},
        {"Sec-Fetch-Site": "cross-site", "X-Hub": "1"},
        {"Sec-Fetch-Site": "same-origin"},
        {"Sec-Fetch-Site": "same-origin", "X-Hub": "1"},
        {"Origin": "http://127.0.0.1:8400", "X-Hub": "1"},
    ]

    tried = [await browser.post(f"{ACME}/tokens", json=body, headers=one) for one in headers]
    out = await browser.delete("/api/v1/session", headers=headers[4])

    assert [one.status_code for one in tried] == [403, 403, 403, 403, 201, 201]
    assert out.status_code == 204
    assert (await browser.get("/api/v1/me")).status_code == 401


async def test_five_wrong_passwords_lock_for_a_while(admin, calling, clock):
    password = "correct horse battery"
    await admin.post(f"{ACME}/members", json=_member(password=password))
    browser = calling(None)
    body = {"email": "ana@example.com", "password": "wrong"}
    for _ in range(5):
        assert (await browser.post("/api/v1/session", json=body)).status_code == 401

    locked = await browser.post("/api/v1/session", json=body | {"password": password})
    clock.ahead = timedelta(minutes=16)
    later = await browser.post("/api/v1/session", json=body | {"password": password})

    assert [locked.status_code, later.status_code] == [429, 200]
    assert int(locked.headers["retry-after"]) > 800


async def test_a_password_is_changed_by_its_owner(admin, calling, tenant):
    old, new = "correct horse battery", "another good password"
    await admin.post(f"{ACME}/members", json=_member(password=old))
    browser = calling(None)
    sign = {"email": "ana@example.com"}
    await browser.post("/api/v1/session", json=sign | {"password": old})
    own = {"Sec-Fetch-Site": "same-origin", "X-Hub": "1"}

    wrong = await browser.put("/api/v1/me/password", json={"current": "x", "new": new}, headers=own)
    done = await browser.put("/api/v1/me/password", json={"current": old, "new": new}, headers=own)

    assert [wrong.status_code, done.status_code] == [401, 204]
    assert (await browser.get("/api/v1/me")).status_code == 401
    again = await calling(None).post("/api/v1/session", json=sign | {"password": new})
    assert again.status_code == 200


async def test_members_are_changed_and_removed(admin, tenant):
    made = (await admin.post(f"{ACME}/members", json=_member())).json()
    path = f"{ACME}/members/{made['id']}"

    again = await admin.post(f"{ACME}/members", json=_member())
    nobody = await admin.patch(path, json={"role": "king"}, headers={"If-Match": "*"})
    changed = await admin.patch(path, json={"role": "auditor"}, headers={"If-Match": '"1"'})
    stale = await admin.patch(path, json={"role": "user"}, headers={"If-Match": '"1"'})
    listed = (await admin.get(f"{ACME}/members")).json()["items"]
    removed = await admin.delete(path, headers={"If-Match": "*"})

    assert [again.status_code, nobody.status_code, stale.status_code] == [409, 422, 412]
    assert (changed.json()["role"], [one["email"] for one in listed]) == (
        "auditor",
        ["ana@example.com"],
    )
    assert removed.status_code == 204
    assert (await admin.get(path)).status_code == 404


@pytest.mark.covers("RF-126")
async def test_a_tenant_has_roles_of_its_own(admin, calling, tenant):
    path = f"{ACME}/roles/on-call"
    made = await admin.put(path, json={"permissions": ["operations:read", "operations:act"]})
    unseen = await admin.put(path, json={"permissions": []})
    await admin.post(f"{ACME}/members", json=_member(role="on-call"))
    token = (await admin.post(f"{ACME}/tokens", json={"name": "x", "role": "on-call"})).json()
    in_use = await admin.delete(path, headers={"If-Match": "*"})
    built_in = await admin.put(f"{ACME}/roles/user", json={"permissions": []})
    listed = (await admin.get(f"{ACME}/roles")).json()

    assert [made.status_code, unseen.status_code, in_use.status_code, built_in.status_code] == [
        200,
        428,
        409,
        403,
    ]
    assert token["permissions"] == ["operations:act", "operations:read"]
    assert [one["name"] for one in listed["items"]][4:] == ["on-call"]
    assert listed["permissions"] == [one.value for one in Permission]
