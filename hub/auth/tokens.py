"""Bearer tokens: shown once, kept as a hash. Pure."""

import hashlib
import secrets
from typing import Final, NamedTuple

_SCHEME: Final = "hub"
_LETTERS: Final = "abcdefghijklmnopqrstuvwxyz234567"
_PREFIX_LENGTH: Final = 10


class NewToken(NamedTuple):
    """A token as its owner sees it once, its public beginning, and what is kept of it."""

    text: str
    prefix: str
    hash: bytes


def new_token() -> NewToken:
    """Return a token with 256 random bits."""
    prefix = f"{_SCHEME}_{''.join(secrets.choice(_LETTERS) for _ in range(_PREFIX_LENGTH))}"
    text = f"{prefix}_{secrets.token_urlsafe(32)}"
    return NewToken(text=text, prefix=prefix, hash=hashed(text))


def hashed(text: str) -> bytes:
    """Return what is kept of a token; its randomness makes a slow hash unnecessary."""
    return hashlib.sha256(text.encode()).digest()


def prefix_of(text: str) -> str | None:
    """Return a token's public beginning; None for what is no token of the hub."""
    scheme, _, rest = text.partition("_")
    public, _, secret = rest.partition("_")
    if scheme != _SCHEME or len(public) != _PREFIX_LENGTH or not secret or not text.isascii():
        return None
    return f"{scheme}_{public}"


def fits(text: str, kept: bytes) -> bool:
    """Whether this is the token; takes the same time either way."""
    return secrets.compare_digest(hashed(text), kept)
