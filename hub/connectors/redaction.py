"""What may be written down of a vendor's requests and answers."""

import json
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Final
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import httpx

from hub.logs import HIDDEN, is_secret_key, names_secret, redactor

SHOWN: Final = 16 * 1024
_PARSED: Final = 1024 * 1024
_XML_SECRET: Final = re.compile(
    r"<((?:\w+:)?\w*(?:password|sessionid|token|secret)\w*)>[^<]*<", re.IGNORECASE
)
_HEADERS_KEPT: Final = re.compile(
    r"^(content-type|retry-after|ratelimit-.*|x-ratelimit-.*|sforce-limit-info|x-request-id|date)$"
)


def text(value: str) -> str:
    """Return a text without any secret in use."""
    return redactor.text(value)


def url(value: str) -> str:
    """Return a URL without user, password and secret query values."""
    if "?" not in value and "@" not in value and "#" not in value:
        return redactor.text(value)
    parts = urlsplit(value)
    host = parts.netloc.rpartition("@")[2]
    query = urlencode(_pairs(parts.query), safe="[]:,") if parts.query else ""
    return redactor.text(urlunsplit((parts.scheme, host, parts.path, query, "")))


def headers(all_headers: Mapping[str, str]) -> dict[str, str]:
    """Return the headers that explain an answer."""
    return {
        name.lower(): redactor.text(value) for name, value in all_headers.items() if _is_kept(name)
    }


@lru_cache(maxsize=1024)
def _is_kept(name: str) -> bool:
    return _HEADERS_KEPT.match(name.lower()) is not None


def body(content: bytes, its_headers: Mapping[str, str]) -> str:
    """Return a body as text, secrets hidden by name and by value, shortened."""
    kind = its_headers.get("content-type", "")
    plain = (
        content[: 4 * SHOWN].decode("utf-8", "replace").replace("\x00", "\N{REPLACEMENT CHARACTER}")
    )
    is_json = "json" in kind or plain[:1] in {"{", "["}
    if is_json and _is_harmless(plain, content):
        return redactor.text(plain)
    if is_json and len(content) <= _PARSED:
        plain = _json(content, plain)
    elif "x-www-form-urlencoded" in kind:
        plain = urlencode(_pairs(plain))
    else:
        plain = _XML_SECRET.sub(rf"<\1>{HIDDEN}<", plain)
    hidden = redactor.text(plain)
    return hidden if len(hidden) <= SHOWN else f"{hidden[:SHOWN]}… ({len(content)} bytes)"


def _is_harmless(plain: str, content: bytes) -> bool:
    """Whether no name in a JSON text can be a secret's and no value hides behind an escape.

    Then the text need not be read to be cleaned: most bodies are of this kind.
    """
    whole = len(content) <= SHOWN and plain[:1] in {"{", "["}
    return whole and "\\" not in plain and "<" not in plain and not names_secret(plain)


def answer(response: httpx.Response) -> str:
    """Return an answer's body as `body` does, unpacked."""
    packed = b"".join(response.stream) if isinstance(response.stream, httpx.ByteStream) else b""
    if "content-encoding" not in response.headers:
        return body(packed, response.headers)
    try:
        content = httpx.Response(200, headers=response.headers, content=packed).content
    except httpx.DecodingError:
        return f"({len(packed)} bytes that can't be unpacked)"
    return body(content, response.headers)


def _json(content: bytes, plain: str) -> str:
    try:
        parsed = json.loads(content)
    except (ValueError, RecursionError):
        return _XML_SECRET.sub(rf"<\1>{HIDDEN}<", plain)
    return json.dumps(redactor.value("", parsed), ensure_ascii=False, separators=(",", ":"))


def _pairs(query: str) -> list[tuple[str, str]]:
    return [
        (name, HIDDEN if is_secret_key(name) else value)
        for name, value in parse_qsl(query, keep_blank_values=True)
    ]
