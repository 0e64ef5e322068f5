"""The page that shows the API loads nothing from elsewhere."""

import re


async def test_the_front_leads_to_the_page(calling):
    answer = await calling(None).get("/")

    assert answer.status_code == 307
    assert answer.headers["location"] == "docs"


async def test_whatever_the_page_loads_comes_from_the_hub(calling):
    api = calling(None)

    page = await api.get("/docs")

    loaded = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert loaded
    assert not [one for one in loaded if "//" in one]
    for one in loaded:
        assert (await api.get(f"/{one}")).status_code == 200, one
    assert "swagger" in (await api.get("/docs/assets/swagger-ui-bundle.js")).text.lower()
    described = re.search(r'url: "([^"]+)"', (await api.get("/docs/start")).text)
    assert (await api.get(f"/{described[1]}")).json()["openapi"].startswith("3.")


async def test_the_pages_policy_lets_it_load_that_and_nothing_else(calling):
    page = await calling(None).get("/docs")

    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "http" not in policy
    assert "<script>" not in page.text
