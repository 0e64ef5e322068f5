"""Tenants as the API takes and shows them."""

import zoneinfo
from datetime import datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, Field, StringConstraints

from hub.http.bodies import Body


def _known_zone(name: str) -> str:
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f"{name!r} is not the name of a time zone (Europe/Berlin)") from error
    return name


Slug = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?$", min_length=1, max_length=63),
]
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Zone = Annotated[str, StringConstraints(max_length=64), AfterValidator(_known_zone)]


class Retention(Body):
    """For how many days the hub keeps what, and how much of it."""

    deliveries: int = Field(default=30, ge=1, le=3650)
    runs: int = Field(default=90, ge=1, le=3650)
    activity: int = Field(default=90, ge=1, le=3650)
    audit: int = Field(default=400, ge=30, le=3650)
    max_mb: int | None = Field(
        default=None,
        ge=10,
        le=10_000_000,
        description="Megabytes of bodies and logged requests; above, the oldest go before their "
        "days are over. Null: no limit. What waits and dead letters are always kept.",
    )


class TenantSettings(Body):
    """What a tenant decides for all its connectors and rules."""

    retention: Retention = Retention()
    trace_level: Literal["fired", "near", "full"] = Field(
        default="fired", description="Which explanations are kept: of fired rules, or of more."
    )


class TenantIn(Body):
    """A new tenant."""

    slug: Slug = Field(description="Its short name, as in addresses.")
    name: Name
    time_zone: Zone = "UTC"
    is_default: bool = Field(
        default=False, description="Paths without a tenant mean this one; at most one is."
    )
    settings: TenantSettings = TenantSettings()


class TenantPatch(Body):
    """What changes of a tenant; what is not named stays."""

    name: Name | None = None
    time_zone: Zone | None = None
    is_default: bool | None = None
    settings: TenantSettings | None = None
    active: bool | None = Field(default=None, description="false deactivates, true takes back.")


class TenantOut(BaseModel):
    """A tenant."""

    slug: str
    name: str
    time_zone: str
    is_default: bool
    settings: TenantSettings
    created_at: datetime
    deactivated_at: datetime | None
    etag: str
