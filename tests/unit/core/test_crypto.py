"""Sealing: only the right key and owner open it."""

import base64
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.crypto import (
    CannotOpen,
    Key,
    MasterKeys,
    decode_key,
    load_master_keys,
    new_key,
    seal,
    unseal,
)
from hub.errors import StartRefused
from hub.settings import HubSettings

KEY = Key(b"k" * 32)


@given(st.binary(), st.binary())
def test_what_is_sealed_opens_with_key_and_owner(text: bytes, owner: bytes) -> None:
    assert unseal(KEY, seal(KEY, text, owner), owner) == text


@given(st.binary(), st.binary(), st.binary())
def test_it_opens_for_no_other_owner(text: bytes, owner: bytes, other: bytes) -> None:
    if owner != other:
        with pytest.raises(CannotOpen):
            unseal(KEY, seal(KEY, text, owner), other)


@given(st.binary(max_size=50), st.integers(0), st.integers(1, 255))
def test_a_changed_byte_is_noticed(text: bytes, place: int, flip: int) -> None:
    sealed = bytearray(seal(KEY, text, b""))
    sealed[place % len(sealed)] ^= flip

    with pytest.raises(CannotOpen):
        unseal(KEY, bytes(sealed), b"")


@given(st.binary(max_size=80))
def test_any_bytes_are_refused_without_a_crash(junk: bytes) -> None:
    with pytest.raises(CannotOpen):
        unseal(KEY, junk, b"")


def test_two_seals_of_one_text_differ() -> None:
    assert seal(KEY, b"x", b"") != seal(KEY, b"x", b"")


def test_the_previous_master_key_still_unwraps() -> None:
    old, new = new_key(), new_key()
    wrapped = MasterKeys(current=old).wrap(KEY, b"t")

    assert MasterKeys(current=new, previous=old).unwrap(wrapped, b"t") == KEY
    assert not MasterKeys(current=new, previous=old).is_current(wrapped, b"t")
    with pytest.raises(CannotOpen):
        MasterKeys(current=new).unwrap(wrapped, b"t")


def test_the_key_file_is_made_once_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    settings = HubSettings(data_dir=tmp_path)

    first, second = load_master_keys(settings), load_master_keys(settings)

    assert first.current == second.current
    assert stat.S_IMODE((tmp_path / "master.key").stat().st_mode) == 0o600
    assert first.fingerprint not in (tmp_path / "master.key").read_text()


@pytest.mark.parametrize("text", ["short", "!!!", base64.b64encode(b"x" * 31).decode()])
def test_a_wrong_key_is_refused_with_the_way_to_make_one(tmp_path: Path, text: str) -> None:
    settings = HubSettings(data_dir=tmp_path, secrets={"key": text})

    with pytest.raises(StartRefused, match="HUB_SECRETS__KEY must be 32 bytes"):
        load_master_keys(settings)


@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
def test_either_base64_alphabet_is_read(encode) -> None:
    key = bytes(range(224, 256))

    assert decode_key(encode(key).decode().rstrip("=")) == key
