"""Which addresses may send webhooks to a connector. Pure."""

from collections.abc import Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network


def admits(allowed: Sequence[str], address: str | None) -> bool:
    """Whether an address is in one of the networks; without any network every address is.

    An IPv4 address that came in IPv6's clothes (`::ffff:192.0.2.1`) counts as IPv4.
    """
    if not allowed:
        return True
    asked = _address(address or "")
    return asked is not None and any(asked in network for network in _networks(tuple(allowed)))


@lru_cache(maxsize=1024)
def _networks(allowed: tuple[str, ...]) -> tuple[IPv4Network | IPv6Network, ...]:
    return tuple(ip_network(one, strict=False) for one in allowed)


def _address(given: str) -> IPv4Address | IPv6Address | None:
    try:
        found = ip_address(given.partition("%")[0])
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    return mapped or found
