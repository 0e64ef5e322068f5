"""Where secrets may lie outside the hub."""

from collections.abc import Mapping
from typing import Protocol


class SecretBackend(Protocol):
    """Reads secrets that settings only refer to: "aws-sm:path#key" has the scheme "aws-sm"."""

    @property
    def scheme(self) -> str:
        """What references to this place begin with."""
        ...

    async def read(self, reference: str) -> str:
        """Return the secret; ConnectorError when it can't be read."""
        ...


class SecretVault(Protocol):
    """One connector's secrets in the hub, for vendors that replace them while they are used."""

    async def keep(self, secrets: Mapping[str, str]) -> None:
        """Store secrets by settings field; when it returns they outlive the process."""
        ...

    async def current(self) -> Mapping[str, str]:
        """Return the secrets as they are stored now: another process may have replaced some."""
        ...
