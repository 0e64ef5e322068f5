"""What settings of many connectors have in common."""

from urllib.parse import urlsplit


def web_address(value: object) -> object:
    """Check a setting that is an address, and leave out blanks around it and slashes at its end.

    For `Annotated[str, BeforeValidator(hub.web_address)]`; an empty text passes, as many
    addresses have a default. ValueError says what was found and how one looks.
    """
    if not isinstance(value, str):
        return value
    text = value.strip().rstrip("/")
    if text and not _is_address(text):
        raise ValueError(f"{text!r} is no web address; one looks like https://api.example.com.")
    return text


def _is_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
        port_fits = parts.port is None or parts.port > 0
    except ValueError:
        return False
    plain = not (parts.query or parts.fragment or parts.username) and " " not in text
    return parts.scheme in {"http", "https"} and bool(parts.hostname) and port_fits and plain
