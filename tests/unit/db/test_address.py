"""What the database's URL says of a pooler before it."""

import pytest

from hub.db.address import address_of
from hub.errors import StartRefused

POOLER = "postgresql+asyncpg://hub:pw@pooler:6432/hub"


def shown(url: str) -> tuple[str, bool, str]:
    found = address_of(url)
    direct = found.direct.render_as_string(hide_password=False) if found.direct else ""
    return found.url.render_as_string(hide_password=False), found.pooled, direct


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("sqlite+aiosqlite:////data/hub.db", ("sqlite+aiosqlite:////data/hub.db", False, "")),
        (POOLER, (POOLER, False, "")),
        (f"{POOLER}?pooler=true", (POOLER, True, "")),
        (f"{POOLER}?pooler=false", (POOLER, False, "")),
        (f"{POOLER}?pooler=1&ssl=require", (f"{POOLER}?ssl=require", True, "")),
        (f"{POOLER}?direct=db", (POOLER, True, "postgresql+asyncpg://hub:pw@db:5432/hub")),
        (
            f"{POOLER}?pooler=true&direct=db:5432",
            (POOLER, True, "postgresql+asyncpg://hub:pw@db:5432/hub"),
        ),
        (
            f"{POOLER}?direct=other:secret@db:5432/named",
            (POOLER, True, "postgresql+asyncpg://other:secret@db:5432/named"),
        ),
        (
            "postgresql+asyncpg://hub@pooler:6432/hub?direct=other:a%2540b@[::1]",
            (
                "postgresql+asyncpg://hub@pooler:6432/hub",
                True,
                "postgresql+asyncpg://other:a%40b@[::1]:5432/hub",
            ),
        ),
        (
            f"{POOLER}?direct=db&ssl=require",
            (f"{POOLER}?ssl=require", True, "postgresql+asyncpg://hub:pw@db:5432/hub?ssl=require"),
        ),
    ],
)
def test_the_url_says_whether_a_pooler_is_there_and_what_leads_past_it(
    url: str, expected: tuple[str, bool, str]
) -> None:
    assert expected == shown(url)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        (f"{POOLER}?pooler=maybe", "say true or false"),
        (f"{POOLER}?pooler=false&direct=db", "leave one away"),
        (f"{POOLER}?direct=/hub", "HOST or HOST:PORT"),
        (f"{POOLER}?direct=db:port", "HOST or HOST:PORT"),
        ("sqlite+aiosqlite:///hub.db?pooler=true", "PostgreSQL only"),
    ],
)
def test_what_can_not_be_is_refused(url: str, said: str) -> None:
    with pytest.raises(StartRefused, match=said):
        address_of(url)
