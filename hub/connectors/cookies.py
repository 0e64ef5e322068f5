"""The HTTP client of connectors keeps no cookies."""

from typing import Final

import httpx


class VendorClient(httpx.AsyncClient):
    """A client without cookies: no vendor's API needs them, and looking for them costs."""

    @property
    def cookies(self) -> httpx.Cookies:
        """Return none; those that an answer sets are not kept."""
        return _NO_COOKIES

    @cookies.setter
    def cookies(self, cookies: object) -> None:
        """Keep none of them, either."""


class _NoCookies(httpx.Cookies):
    def extract_cookies(self, response: httpx.Response) -> None:
        """Keep none."""


_NO_COOKIES: Final = _NoCookies()
