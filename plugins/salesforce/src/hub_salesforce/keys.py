"""Private keys: read what people paste, make a pair for those who have none."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

# cryptography is imported where it is used: only JWT sign-in needs it, and it takes 30 ms.

_DASHES = re.compile(
    "[\u2010-\u2015\u2212-]+\\s*(BEGIN|END) ([A-Z0-9 ]+?)\\s*[\u2010-\u2015\u2212-]+"
)
_KINDS = ("PRIVATE KEY", "RSA PRIVATE KEY")
_REFUSED = {
    "CERTIFICATE": "this is the certificate: it belongs into the connected app, the key here",
    "PUBLIC KEY": "this is a public key: give the private one",
    "RSA PUBLIC KEY": "this is a public key: give the private one",
    "ENCRYPTED PRIVATE KEY": "the key is locked by a pass phrase: give it without (openssl -nodes)",
    "EC PRIVATE KEY": "this is an elliptic-curve key: Salesforce wants RSA (RS256)",
    "OPENSSH PRIVATE KEY": "this is an SSH key: make one with openssl req -newkey rsa:2048",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyPair:
    """A private key and the certificate to upload, both as PEM."""

    private_key: str
    certificate: str


@lru_cache(maxsize=32)
def tidy_private_key(pasted: str) -> str:
    r"""Return a pasted RSA key as clean PEM; ValueError says in plain words what is wrong.

    Typographic dashes, CRLF, literal `\n`, and line breaks turned into blanks are mended.
    """
    text = pasted.replace("\\r", "").replace("\\n", "\n").replace("\r", "\n").strip()
    marks = list(_DASHES.finditer(text))
    if not marks or marks[0].group(1) != "BEGIN":
        raise ValueError("a private key begins with -----BEGIN PRIVATE KEY-----")
    kind = marks[0].group(2)
    if kind not in _KINDS:
        raise ValueError(_REFUSED.get(kind, f"{kind} is no private key"))
    if len(marks) < 2 or marks[1].group(1) != "END":
        raise ValueError(f"the line -----END {kind}----- is missing: paste the whole key")
    body = "".join(text[marks[0].end() : marks[1].start()].split())
    lines = "\n".join(body[at : at + 64] for at in range(0, len(body), 64))
    pem = f"-----BEGIN {kind}-----\n{lines}\n-----END {kind}-----\n"
    load_private_key(pem)
    return pem


def load_private_key(pem: str) -> "RSAPrivateKey":
    """Return the RSA key of a PEM text; ValueError if it is another kind, or too short."""
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415 - see above
    from cryptography.hazmat.primitives.asymmetric import rsa  # noqa: PLC0415 - see above

    try:
        key = serialization.load_pem_private_key(pem.encode(), password=None)
    except (ValueError, TypeError) as error:
        raise ValueError("the key can't be read: paste it whole, without changes") from error
    if not isinstance(key, rsa.RSAPrivateKey):
        raise ValueError("Salesforce wants an RSA key (RS256)")  # noqa: TRY004 - a value people paste
    if key.key_size < 2048:
        raise ValueError(f"the key has {key.key_size} bits: Salesforce wants at least 2048")
    return key


def sign(message: bytes, private_key: str) -> bytes:
    """Return the RS256 signature of a message; the key was checked when it was read."""
    from cryptography.hazmat.primitives import hashes, serialization  # noqa: PLC0415 - see above
    from cryptography.hazmat.primitives.asymmetric import padding, rsa  # noqa: PLC0415 - see above

    key = serialization.load_pem_private_key(
        private_key.encode(), password=None, unsafe_skip_rsa_key_validation=True
    )
    if not isinstance(key, rsa.RSAPrivateKey):
        raise ValueError("Salesforce wants an RSA key (RS256)")  # noqa: TRY004 - a pasted value
    return key.sign(message, padding.PKCS1v15(), hashes.SHA256())


def make_key_pair(common_name: str, now: datetime, *, days: int = 3650) -> KeyPair:
    """Make an RSA key and its self-signed certificate; takes about a tenth of a second."""
    from cryptography.hazmat.primitives.asymmetric import rsa  # noqa: PLC0415 - see above

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return KeyPair(
        private_key=_private_pem(key),
        certificate=_certificate_pem(key, common_name, now, now + timedelta(days=days)),
    )


def _private_pem(key: "RSAPrivateKey") -> str:
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415 - see above

    plain = serialization.NoEncryption()
    pkcs8 = serialization.PrivateFormat.PKCS8
    return key.private_bytes(serialization.Encoding.PEM, pkcs8, plain).decode()


def _certificate_pem(key: "RSAPrivateKey", common_name: str, now: datetime, end: datetime) -> str:
    from cryptography import x509  # noqa: PLC0415 - see above
    from cryptography.hazmat.primitives import hashes, serialization  # noqa: PLC0415 - see above
    from cryptography.x509.oid import NameOID  # noqa: PLC0415 - see above

    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(end)
        .sign(key, hashes.SHA256())
    )
    return made.public_bytes(serialization.Encoding.PEM).decode()
