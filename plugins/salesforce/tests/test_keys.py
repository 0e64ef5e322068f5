"""Private keys as people paste them."""

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from hub_salesforce.keys import load_private_key, tidy_private_key
from hub_salesforce.testing.seed import Credentials


@pytest.fixture
def pem(known: Credentials) -> str:
    return known.keys.private_key


@pytest.mark.parametrize(
    "paste",
    [
        lambda pem: pem,
        lambda pem: pem.replace("\n", "\r\n"),
        lambda pem: f"\n\n  {pem}  \n",
        lambda pem: pem.replace("\n", "\\n"),
        lambda pem: pem.replace("\n", " "),
        lambda pem: pem.replace("-----", "\u2014\u2013"),
    ],
)
def test_a_key_is_read_however_it_was_pasted(pem: str, paste: object) -> None:
    assert pem == tidy_private_key(paste(pem))


def test_the_older_form_is_read(pem: str) -> None:
    old = load_private_key(pem).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )

    assert tidy_private_key(old.decode()).startswith("-----BEGIN RSA PRIVATE KEY-----")


def test_a_certificate_is_refused_in_plain_words(known: Credentials) -> None:
    with pytest.raises(ValueError, match="this is the certificate"):
        tidy_private_key(known.keys.certificate)


def test_a_key_without_its_end_is_refused(pem: str) -> None:
    with pytest.raises(ValueError, match="END PRIVATE KEY----- is missing"):
        tidy_private_key(pem.rsplit("-----END", 1)[0])


def test_text_that_is_no_key_is_refused() -> None:
    with pytest.raises(ValueError, match="begins with"):
        tidy_private_key("hunter2")


def test_a_short_key_is_refused() -> None:
    short = rsa.generate_private_key(public_exponent=65537, key_size=1024)

    with pytest.raises(ValueError, match="1024 bits"):
        tidy_private_key(_pem(short))


def test_an_elliptic_key_is_refused() -> None:
    with pytest.raises(ValueError, match="RSA"):
        tidy_private_key(_pem(ec.generate_private_key(ec.SECP256R1())))


def test_a_locked_key_is_refused(pem: str) -> None:
    locked = load_private_key(pem).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"secret"),
    )

    with pytest.raises(ValueError, match="pass phrase"):
        tidy_private_key(locked.decode())


def _pem(key: object) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()
