"""Where the database is: a SQLAlchemy URL, and what its query says of a pooler before it.

`…/hub?pooler=true`: the URL leads to a pooler, which may be in transaction mode.
`…/hub?direct=db.internal:5432`: it does, and there PostgreSQL itself is reached; user, password
and database are the URL's own where `direct` names no others (`user:password@host:port/database`).
"""

from dataclasses import dataclass
from typing import Final

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from hub.errors import StartRefused

_POOLER: Final = "pooler"
_DIRECT: Final = "direct"
_USUAL_PORT: Final = 5432
_MEANT: Final = {"true": True, "1": True, "false": False, "0": False}


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """A database's address; `url` is without what is said here. `direct` leads past a pooler."""

    url: URL
    pooled: bool = False
    direct: URL | None = None


def address_of(url: str) -> Address:
    """Read a database's URL; StartRefused when what it says of a pooler can't be."""
    read = make_url(_encoded(url))
    pooler, direct = (_only(read, name) for name in (_POOLER, _DIRECT))
    if pooler is None and direct is None:
        return Address(url=read)
    bare = read.difference_update_query([_POOLER, _DIRECT])
    meant = _MEANT.get((pooler or "true").lower())
    if meant is None:
        raise StartRefused(f"HUB_DATABASE__URL says pooler={pooler}: say true or false.")
    if read.get_backend_name() != "postgresql":
        raise StartRefused("HUB_DATABASE__URL tells of a pooler: that is for PostgreSQL only.")
    if direct is not None and not meant:
        raise StartRefused("HUB_DATABASE__URL has direct=… and pooler=false: leave one away.")
    past = None if direct is None else _past(bare, direct)
    return Address(url=bare, pooled=meant, direct=past)


def _encoded(url: str) -> str:
    """Let no `@` of `direct` be taken for the one that ends the password."""
    before, mark, query = url.rpartition("?")
    return before + mark + (query.replace("@", "%40") if f"{_DIRECT}=" in query else query)


def _only(url: URL, name: str) -> str | None:
    value = url.query.get(name)
    return value if value is None or isinstance(value, str) else value[-1]


def _past(url: URL, direct: str) -> URL:
    try:
        named = make_url(f"postgresql://{direct}")
    except (ArgumentError, ValueError):
        named = make_url("postgresql://")
    if not named.host or (":" in named.host and "[" not in direct):
        raise StartRefused("HUB_DATABASE__URL: direct=… has to be HOST or HOST:PORT.")
    return url.difference_update_query(["host", "port"]).set(
        username=named.username or url.username,
        password=named.password or url.password,
        host=named.host,
        port=named.port or _USUAL_PORT,
        database=named.database or url.database,
    )
