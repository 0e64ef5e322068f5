"""Private keys: read what people paste, make a pair for those who have none."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

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


def load_private_key(pem: str) -> rsa.RSAPrivateKey:
    """Return the RSA key of a PEM text; ValueError if it is another kind, or too short."""
    try:
        key = serialization.load_pem_private_key(pem.encode(), password=None)
    except (ValueError, TypeError) as error:
        raise ValueError("the key can't be read: paste it whole, without changes") from error
    if not isinstance(key, rsa.RSAPrivateKey):
        raise ValueError("Salesforce wants an RSA key (RS256)")  # noqa: TRY004 - a value people paste
    if key.key_size < 2048:
        raise ValueError(f"the key has {key.key_size} bits: Salesforce wants at least 2048")
    return key


def make_key_pair(common_name: str, now: datetime, *, days: int = 3650) -> KeyPair:
    """Make an RSA key and its self-signed certificate; takes about a tenth of a second."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + timedelta(days=days))
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    public = certificate.public_bytes(serialization.Encoding.PEM)
    return KeyPair(private_key=private.decode(), certificate=public.decode())
