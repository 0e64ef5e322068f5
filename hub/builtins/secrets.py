"""Secrets that lie in the environment (`env:NAME`) or in files (`file:PATH`)."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final

from hub.sdk.errors import AuthenticationFailed
from hub.sdk.hookspecs import hookimpl
from hub.sdk.secrets import SecretBackend

_SYSTEM: Final = (Path("/proc"), Path("/sys"), Path("/dev"))
_LARGEST_FILE: Final = 64 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvironmentSecrets:
    """Reads `env:NAME`. The hub's own variables are out of reach, except HUB_SECRET_*."""

    variable: Callable[[str], str | None]
    allowed: str = "*"
    scheme: str = "env"

    async def read(self, reference: str) -> str:
        """Return the variable's value; AuthenticationFailed when it can't be had."""
        name = reference.partition(":")[2]
        if not self._may(name):
            raise AuthenticationFailed(
                f"{reference} may not be referred to (HUB_SECRETS__VARIABLES)."
            )
        value = self.variable(name)
        if not value:
            raise AuthenticationFailed(f"{reference}: the variable is not set for the hub.")
        return value

    def _may(self, name: str) -> bool:
        if name.startswith("HUB_") and not name.startswith("HUB_SECRET_"):
            return False
        return any(fnmatchcase(name, one.strip()) for one in self.allowed.split(","))


@dataclass(frozen=True, slots=True, kw_only=True)
class FileSecrets:
    """Reads `file:PATH`, without the line end. The hub's data folder is out of reach."""

    data_dir: Path
    folder: Path | None = None
    scheme: str = "file"

    async def read(self, reference: str) -> str:
        """Return the file's text; AuthenticationFailed when it can't be had."""
        return await asyncio.to_thread(self._read, reference)

    def _read(self, reference: str) -> str:
        file = Path(reference.partition(":")[2])
        if not file.is_absolute() and self.folder is not None:
            file = self.folder / file
        try:
            place = file.resolve(strict=True)
            if not self._may(place):
                raise AuthenticationFailed(
                    f"{reference} may not be referred to (HUB_SECRETS__FOLDER)."
                )
            if place.stat().st_size > _LARGEST_FILE:
                raise AuthenticationFailed(f"{reference} is larger than a secret can be.")
            return place.read_text().rstrip("\r\n")
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or "not text"
            raise AuthenticationFailed(f"{reference} can't be read: {reason}.") from error

    def _may(self, place: Path) -> bool:
        if self.folder is not None:
            return place.is_relative_to(self.folder.resolve())
        closed = (self.data_dir.resolve(), *_SYSTEM)
        return not any(place.is_relative_to(one) for one in closed)


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretPlaces:
    """The plugin; the composition root hands it what it may read."""

    variable: Callable[[str], str | None]
    variables: str
    data_dir: Path
    folder: Path | None = None

    @hookimpl
    def hub_register_secret_backends(self) -> Sequence[SecretBackend]:
        """Return the places for secrets that every hub has."""
        return [
            EnvironmentSecrets(variable=self.variable, allowed=self.variables),
            FileSecrets(data_dir=self.data_dir, folder=self.folder),
        ]
