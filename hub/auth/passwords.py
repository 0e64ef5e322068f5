"""Passwords: scrypt, with its cost in the stored text. Slow on purpose: call in a thread."""

import base64
import hashlib
import secrets
from typing import Final

_N, _R, _P = 2**15, 8, 1
_LENGTH: Final = 32
_MEMORY: Final = 128 * _N * _R * 2
SHORTEST: Final = 12


def hash_password(password: str) -> str:
    """Return what is kept of a password."""
    salt = secrets.token_bytes(16)
    return "$".join(
        ("scrypt", str(_N), str(_R), str(_P), _text(salt), _text(_derive(password, salt)))
    )


def fits(password: str, kept: str) -> bool:
    """Whether this is the password."""
    scheme, n, r, p, salt, expected = kept.split("$")
    if (scheme, n, r, p) != ("scrypt", str(_N), str(_R), str(_P)):
        return False
    derived = _derive(password, base64.b64decode(salt))
    return secrets.compare_digest(derived, base64.b64decode(expected))


def _derive(password: str, salt: bytes) -> bytes:
    return hashlib.scrypt(
        password.encode(), salt=salt, n=_N, r=_R, p=_P, dklen=_LENGTH, maxmem=_MEMORY
    )


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()
