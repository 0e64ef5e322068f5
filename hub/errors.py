"""What went wrong for somebody who asked the hub for something.

The class gives the HTTP status, the title (its docstring's first line) and the problem's
type (its name). Plugins never raise these; see `hub.sdk.errors`.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, NamedTuple


class Fault(NamedTuple):
    """One thing that is wrong in a request: where (RFC 6901), which rule, and what."""

    pointer: str
    detail: str
    code: str = "invalid"


class HubError(Exception):
    """The hub could not do what was asked; `extra` are further members of the answer."""

    status: ClassVar[int] = 500

    def __init__(
        self,
        detail: str = "",
        *,
        errors: Sequence[Fault] = (),
        retry_after: float | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(detail or self.title())
        self.detail = detail
        self.errors = tuple(errors)
        self.retry_after = retry_after
        self.extra = dict(extra or {})

    @classmethod
    def title(cls) -> str:
        """Return the problem's title: the same for each occurrence."""
        return (cls.__doc__ or cls.__name__).strip().split("\n", 1)[0]

    @classmethod
    def slug(cls) -> str:
        """Return the problem's name in URLs: RulesetInvalid -> ruleset-invalid."""
        return re.sub(r"(?<!^)(?=[A-Z])", "-", cls.__name__).lower()


class BadRequest(HubError):
    """The request can't be read."""

    status = 400


class NotAuthenticated(HubError):
    """No valid credentials came with the request."""

    status = 401


class InvalidDeliverySignature(HubError):
    """The delivery is not signed by the vendor."""

    status = 401


class NotAllowed(HubError):
    """These credentials may not do this."""

    status = 403


class NotFound(HubError):
    """There is no such thing here."""

    status = 404


class MethodNotAllowed(HubError):
    """This path does not answer this method."""

    status = 405


class Conflict(HubError):
    """What is there stands in the way."""

    status = 409


class EditedMeanwhile(Conflict):
    """Somebody else saved another version first.

    `extra` has both: `theirs`, `yours`, what differs in words (`changes`), and the present `etag`.
    """


class ChangedMeanwhile(HubError):
    """Somebody else changed it meanwhile."""

    status = 412


class TooLarge(HubError):
    """The body is larger than the hub accepts."""

    status = 413


class Invalid(HubError):
    """The request says things that are not possible."""

    status = 422


class SettingsInvalid(Invalid):
    """The connector's settings are not possible."""


class RulesetInvalid(Invalid):
    """The ruleset names things this hub does not have."""


class PreconditionMissing(HubError):
    """The request must say which state it changes (If-Match)."""

    status = 428


class TooManyRequests(HubError):
    """Requests come faster than this connector accepts."""

    status = 429


class Overloaded(HubError):
    """The hub can't take more work at the moment."""

    status = 503


class ConnectorBroken(HubError):
    """The connector's plugin is not in working order."""

    status = 503


class VendorRefused(HubError):
    """The vendor did not do what was asked."""

    status = 502


class VendorAway(HubError):
    """The vendor did not answer."""

    status = 504


class PluginFailed(HubError):
    """The connector's plugin has a fault."""

    status = 502


class StartRefused(Exception):
    """The hub can't start like this; the message says what to do."""
