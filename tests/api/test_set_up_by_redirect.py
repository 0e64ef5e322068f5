"""Set-up by redirect: whose browser may finish it, and what a person sees."""

import pytest

from tests.api.conftest import ACME

ONE = f"{ACME}/connectors/my-toy"


@pytest.fixture
async def browser(admin, calling, tenant):
    """A browser in which an administrator is signed in."""
    signed_in = calling(None)
    password = "correct horse battery"
    asked = {"email": "bea@example.com", "name": "Bea", "role": "administrator"}
    await admin.post(f"{ACME}/members", json=asked | {"password": password})
    body = {"email": "bea@example.com", "password": password}
    assert (await signed_in.post("/api/v1/session", json=body)).status_code == 200
    return signed_in


BACK = "/t/acme/connectors/my-toy/handshake"


def state_in(answer):
    return answer.headers["location"].partition("state=")[2]


@pytest.mark.covers("PC-017")
async def test_a_set_up_begun_in_a_browser_is_finished_in_that_browser_only(
    admin, toy, browser, calling, app
):
    begun = await browser.get("/t/acme/connectors/my-toy/connect")
    answer = {"state": state_in(begun), "code": "c1"}

    stranger = await calling(None).get(BACK, params=answer)
    used_up = await browser.get(BACK, params=answer)
    again = await browser.get("/t/acme/connectors/my-toy/connect")
    done = await browser.get(BACK, params={"state": state_in(again), "code": "c2"})

    assert (begun.status_code, stranger.status_code, used_up.status_code) == (302, 403, 403)
    assert (done.status_code, "location" in done.headers) == (200, False)
    opened = await app.state.clients.by_name("acme", "my-toy")
    assert opened.settings.api_key.get_secret_value() == "token-for-c2"


@pytest.mark.covers("PC-017")
async def test_an_answer_to_a_set_up_goes_nowhere_but_to_its_own_page(admin, toy, browser):
    begun = await browser.get("/t/acme/connectors/my-toy/connect")
    answer = {"state": state_in(begun), "code": "c1", "redirect_uri": "https://evil.example"}

    done = await browser.get(BACK, params=answer)

    assert (done.status_code, "location" in done.headers) == (200, False)
    assert "evil.example" not in done.text


async def test_a_set_up_begun_by_a_token_may_end_in_a_browser_that_is_signed_in(
    admin, toy, browser
):
    begun = (await admin.post(f"{ONE}/handshake")).json()["url"]
    answer = {"state": begun.partition("state=")[2], "code": "c1"}

    assert (await browser.get(BACK, params=answer)).status_code == 200


@pytest.mark.covers("PC-010")
async def test_who_turns_away_at_the_vendor_reads_that_nothing_was_changed(
    admin, toy, browser, app
):
    before = (await app.state.clients.by_name("acme", "my-toy")).settings
    begun = await browser.get("/t/acme/connectors/my-toy/connect")

    page = await browser.get(BACK, params={"state": state_in(begun), "error": "cancelled"})

    assert (page.status_code, "nothing was changed" in page.text) == (200, True)
    assert (await app.state.clients.by_name("acme", "my-toy")).settings == before


async def test_an_answer_that_the_vendor_spoiled_is_told_as_a_page(admin, toy, browser):
    begun = await browser.get("/t/acme/connectors/my-toy/connect")

    page = await browser.get(BACK, params={"state": state_in(begun), "error": "<b>odd</b>"})

    assert (page.status_code, "&lt;b&gt;odd" in page.text) == (502, True)


async def test_the_button_leads_to_the_vendor_and_needs_a_right(admin, toy, browser, calling):
    url = "/t/acme/connectors/my-toy/connect/button"

    page = await browser.get(url)

    assert 'href="../connect"' in page.text
    assert (await calling(None).get(url)).status_code == 401
