"""Envelope encryption: a master key wraps data keys, data keys seal secrets (AES-GCM).

Everything sealed is bound to its owner, so that a row copied to another owner does not open.
"""

import base64
import binascii
import hashlib
import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NewType

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from hub.errors import StartRefused
from hub.settings import HubSettings

Key = NewType("Key", bytes)

KEY_BYTES: Final = 32
KEY_FILE: Final = "master.key"
_VERSION: Final = b"\x01"
_NONCE_BYTES: Final = 12


class CannotOpen(Exception):
    """Sealed with another key, for another owner, or damaged."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MasterKeys:
    """The master key in use, and the one before it while keys are rotated."""

    current: Key
    previous: Key | None = None

    @property
    def fingerprint(self) -> str:
        """A name for the current key that tells nothing of it."""
        return hashlib.sha256(b"hub master key" + self.current).hexdigest()[:16]

    def wrap(self, data_key: Key, bound_to: bytes) -> bytes:
        """Seal a data key with the current master key."""
        return seal(self.current, data_key, bound_to)

    def unwrap(self, wrapped: bytes, bound_to: bytes) -> Key:
        """Open a data key with the current master key, or the previous one."""
        try:
            return Key(unseal(self.current, wrapped, bound_to))
        except CannotOpen:
            if self.previous is None:
                raise
            return Key(unseal(self.previous, wrapped, bound_to))

    def is_current(self, wrapped: bytes, bound_to: bytes) -> bool:
        """Whether a data key is wrapped by the current master key."""
        try:
            unseal(self.current, wrapped, bound_to)
        except CannotOpen:
            return False
        return True


def new_key() -> Key:
    """Return a fresh random key."""
    return Key(secrets.token_bytes(KEY_BYTES))


def seal(key: Key, text: bytes, bound_to: bytes) -> bytes:
    """Encrypt and authenticate; `bound_to` must be given again to open it."""
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return _VERSION + nonce + AESGCM(key).encrypt(nonce, text, bound_to)


def unseal(key: Key, sealed: bytes, bound_to: bytes) -> bytes:
    """Decrypt what `seal` made with the same key and owner; CannotOpen otherwise."""
    if sealed[:1] != _VERSION or len(sealed) < 1 + _NONCE_BYTES + 16:
        raise CannotOpen("Not something that this version sealed.")
    nonce = sealed[1 : 1 + _NONCE_BYTES]
    try:
        return AESGCM(key).decrypt(nonce, sealed[1 + _NONCE_BYTES :], bound_to)
    except InvalidTag as error:
        raise CannotOpen from error


def decode_key(text: str) -> Key:
    """Read a key from base64 (either alphabet); ValueError unless it has 32 bytes."""
    plain = text.strip().replace("-", "+").replace("_", "/")
    try:
        raw = base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except binascii.Error as error:
        raise ValueError("not base64") from error
    if len(raw) != KEY_BYTES:
        raise ValueError(f"{len(raw)} bytes instead of {KEY_BYTES}")
    return Key(raw)


def load_master_keys(settings: HubSettings) -> MasterKeys:
    """Return the master keys from the settings, else from the key file in the data folder.

    The file is made at the first start (0600). StartRefused says what is wrong with a key.
    """
    given, before = settings.secrets.key, settings.secrets.previous_key
    current = (
        _from_settings("HUB_SECRETS__KEY", given.get_secret_value())
        if given
        else _from_file(settings.data_dir / KEY_FILE)
    )
    previous = (
        _from_settings("HUB_SECRETS__PREVIOUS_KEY", before.get_secret_value()) if before else None
    )
    return MasterKeys(current=current, previous=previous)


def has_master_key(settings: HubSettings) -> bool:
    """Whether there is a master key by now, or one would have to be made."""
    return settings.secrets.key is not None or (settings.data_dir / KEY_FILE).exists()


def _from_settings(variable: str, text: str) -> Key:
    try:
        return decode_key(text)
    except ValueError as error:
        raise StartRefused(
            f"{variable} must be 32 bytes in base64 ({error}). Make one: "
            "python3 -c 'import base64, os; print(base64.b64encode(os.urandom(32)).decode())'"
        ) from error


def _from_file(file: Path) -> Key:
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return _read_key(file)
    except OSError as error:
        raise StartRefused(f"The key file {file} can't be made ({error.strerror}).") from error
    key = new_key()
    with os.fdopen(descriptor, "wb") as opened:
        opened.write(base64.b64encode(key) + b"\n")
        opened.flush()
        os.fsync(opened.fileno())
    return key


def _read_key(file: Path) -> Key:
    try:
        return decode_key(file.read_text())
    except (OSError, ValueError) as error:
        raise StartRefused(
            f"The key file {file} can't be used ({error}). Restore it from a backup; "
            "without it the stored secrets can't be opened."
        ) from error
