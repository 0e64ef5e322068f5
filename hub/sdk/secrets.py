"""Where secrets may lie outside the hub."""

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
