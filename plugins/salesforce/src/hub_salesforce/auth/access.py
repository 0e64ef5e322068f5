"""What a sign-in gives."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """A session: where to call, with what token, as whom.

    `refresh_token` is a new one that replaces the old, where the org rotates them.
    `notes` are warnings for the administrator.
    """

    token: str = field(repr=False)
    instance_url: str
    organization_id: str = ""
    user_id: str = ""
    scope: str = ""
    refresh_token: str | None = field(default=None, repr=False)
    notes: tuple[str, ...] = ()
